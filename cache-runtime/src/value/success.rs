//! Whether a returned value is a success, for `#[invalidate]`: an `Err` isn't one, and a type may
//! say more ([`Succeeded`]), such as a response with its status.
//!
//! Method resolution finds what applies. A return type that can be named is judged by its shape:
//! [`Returns::__judged`]. One with `impl Trait` is judged where the value is: [`Judge`].

use std::marker::PhantomData;
use std::ops::Deref;

use super::fit::{Plain, Unfit};
use super::shape::{InResult, Peek, Returns, Shape, kept_whole};

/// A returned value that says whether the call was a success, such as a response with a status.
///
/// `#[invalidate]` with `when = "ok"`, the default, removes nothing after a value that isn't a
/// success. It looks at the returned value, and at the value in the `Ok` of a `Result`; an `Err` is
/// never a success. A value of a type without this trait always is.
///
/// Implemented with the feature `axum` for `Response<B>`, `StatusCode` and tuples that begin with
/// one, and with the feature `actix-web` for `HttpResponse<B>` and its `StatusCode`: a status of
/// 200 to 399 is a success.
///
/// ```
/// use cache_runtime::{Cache, Succeeded, cacheable, invalidate};
///
/// #[derive(Debug, PartialEq)]
/// enum Reply {
///     Saved,
///     Refused,
/// }
///
/// impl Succeeded for Reply {
///     fn succeeded(&self) -> bool {
///         *self == Self::Saved
///     }
/// }
///
/// #[cacheable(key = "posts:<<id>>")]
/// fn get_post(id: u32) -> String {
///     format!("post {id}")
/// }
///
/// #[invalidate(patterns = ["posts:<<id>>"])]
/// fn save_post(id: u32, text: &str) -> Reply {
///     if text.is_empty() { Reply::Refused } else { Reply::Saved }
/// }
///
/// let cache = Cache::builder().build()?;
/// cache.scope_sync(|| {
///     get_post(1);
///     assert_eq!(save_post(1, ""), Reply::Refused); // removes nothing
///     get_post(1); // a hit
///     assert_eq!(save_post(1, "new"), Reply::Saved);
///     get_post(1); // runs again
/// });
/// assert_eq!((cache.stats().hits, cache.stats().misses), (1, 2));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
pub trait Succeeded {
    /// Return whether the call that returned this value was a success.
    ///
    /// It runs after the body and before the invalidation. If it panics, the outcome is unknown, and
    /// the patterns are invalidated.
    fn succeeded(&self) -> bool;
}

/// The shape `S` of a type that says whether it is a success; otherwise it counts as an `Err`.
#[derive(Clone, Copy, Debug)]
pub struct Judged<S>(PhantomData<S>);
/// A `Result` around the shape `S`, whose `Ok` says whether it is a success.
#[derive(Clone, Copy, Debug)]
pub struct InJudgedResult<S>(PhantomData<S>);

impl<R: Shape<S> + Succeeded, S> Shape<Judged<S>> for R {
    type Value = R::Value;
    type Opened = R::Opened;
    kept_whole!();
    fn open(self) -> R::Opened {
        Shape::<S>::open(self)
    }
    fn close(opened: R::Opened) -> Self {
        <R as Shape<S>>::close(opened)
    }
    fn outcome(&self) -> Peek<'static, ()> {
        match self.succeeded() {
            true => Shape::<S>::outcome(self),
            false => Peek::Err,
        }
    }
    fn peek(opened: &R::Opened) -> Peek<'_, R::Value> {
        <R as Shape<S>>::peek(opened)
    }
}

impl<T: Shape<S> + Succeeded, S, E> Shape<InJudgedResult<S>> for Result<T, E> {
    type Value = T::Value;
    type Kept = T;
    fn keep(self) -> Result<T, Self> {
        self.map_err(Err)
    }
    fn restore(kept: T) -> Self {
        Ok(kept)
    }
    type Opened = Result<T::Opened, E>;
    fn open(self) -> Self::Opened {
        self.map(T::open)
    }
    fn close(opened: Self::Opened) -> Self {
        opened.map(T::close)
    }
    fn outcome(&self) -> Peek<'static, ()> {
        match self {
            Ok(value) if value.succeeded() => value.outcome(),
            _ => Peek::Err,
        }
    }
    fn peek(opened: &Self::Opened) -> Peek<'_, T::Value> {
        opened.as_ref().map_or(Peek::Err, T::peek)
    }
}

impl<T: Succeeded, S, E> Returns<Result<T, E>, InResult<S>> {
    /// Return the shape of a `Result` whose `Ok` says whether it is a success.
    pub fn __judged(self) -> Returns<Result<T, E>, InJudgedResult<S>> {
        Returns(PhantomData)
    }
}

impl<R: Succeeded, S> Plain<R, S> {
    /// Return the shape of a type that says whether it is a success.
    pub fn __judged(&self) -> Returns<R, Judged<S>> {
        Returns(PhantomData)
    }
}

impl<R, S> Unfit<R, S> {
    /// Return the shape of any other type.
    pub fn __judged(&self) -> Returns<R, S> {
        Returns(PhantomData)
    }
}

/// Judges a value of a type that can't be named. Each step dereferences to the next.
#[derive(Debug)]
pub struct Judge<'a, R>(JudgedByResult<'a, R>);
/// Is it an `Ok`?
#[derive(Debug)]
pub struct JudgedByResult<'a, R>(JudgedByType<'a, R>);
/// Does its type say?
#[derive(Debug)]
pub struct JudgedByType<'a, R>(Unjudged<'a, R>);
/// Nothing is known of it.
#[derive(Debug)]
pub struct Unjudged<'a, R>(&'a R);

impl<'a, R> Judge<'a, R> {
    /// Judge this value.
    pub fn new(value: &'a R) -> Self {
        Self(JudgedByResult(JudgedByType(Unjudged(value))))
    }
}

impl<T: Succeeded, E> Judge<'_, Result<T, E>> {
    /// Return whether it is an `Ok` that says that it is a success.
    pub fn __succeeded(&self) -> bool {
        matches!(self.0.0.0.0, Ok(value) if value.succeeded())
    }
}

impl<T, E> JudgedByResult<'_, Result<T, E>> {
    /// Return whether it is an `Ok`.
    pub fn __succeeded(&self) -> bool {
        self.0.0.0.is_ok()
    }
}

impl<R: Succeeded> JudgedByType<'_, R> {
    /// Return what the type says.
    pub fn __succeeded(&self) -> bool {
        self.0.0.succeeded()
    }
}

impl<R> Unjudged<'_, R> {
    /// Return true: a value of any other type is a success.
    pub fn __succeeded(&self) -> bool {
        true
    }
}

impl<'a, R> Deref for Judge<'a, R> {
    type Target = JudgedByResult<'a, R>;
    fn deref(&self) -> &JudgedByResult<'a, R> {
        &self.0
    }
}

impl<'a, R> Deref for JudgedByResult<'a, R> {
    type Target = JudgedByType<'a, R>;
    fn deref(&self) -> &JudgedByType<'a, R> {
        &self.0
    }
}

impl<'a, R> Deref for JudgedByType<'a, R> {
    type Target = Unjudged<'a, R>;
    fn deref(&self) -> &Unjudged<'a, R> {
        &self.0
    }
}

#[cfg(feature = "axum")]
mod of_axum {
    use axum::http::StatusCode;
    use axum::response::{NoContent, Redirect, Response};

    use super::Succeeded;

    impl Succeeded for StatusCode {
        fn succeeded(&self) -> bool {
            self.is_success() || self.is_redirection()
        }
    }

    impl<B> Succeeded for Response<B> {
        fn succeeded(&self) -> bool {
            self.status().succeeded()
        }
    }

    impl<T> Succeeded for (StatusCode, T) {
        fn succeeded(&self) -> bool {
            self.0.succeeded()
        }
    }

    impl<U, T> Succeeded for (StatusCode, U, T) {
        fn succeeded(&self) -> bool {
            self.0.succeeded()
        }
    }

    impl<U, V, T> Succeeded for (StatusCode, U, V, T) {
        fn succeeded(&self) -> bool {
            self.0.succeeded()
        }
    }

    impl Succeeded for Redirect {
        fn succeeded(&self) -> bool {
            true
        }
    }

    impl Succeeded for NoContent {
        fn succeeded(&self) -> bool {
            true
        }
    }
}

#[cfg(feature = "actix-web")]
mod of_actix {
    use actix_web::HttpResponse;
    use actix_web::http::StatusCode;

    use super::Succeeded;

    impl Succeeded for StatusCode {
        fn succeeded(&self) -> bool {
            self.is_success() || self.is_redirection()
        }
    }

    impl<B> Succeeded for HttpResponse<B> {
        fn succeeded(&self) -> bool {
            self.status().succeeded()
        }
    }
}
