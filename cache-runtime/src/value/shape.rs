//! The wrappers around a stored value: `Result`, `Option`, `Arc`, `Json`.
//!
//! An alias hides a `Result` from the attribute, so the types decide. A wrapper's implementation
//! would overlap with that of "any `T`" (a `Result` of serializable parts is itself serializable),
//! so each carries a marker ([`Whole`], [`InResult`] ..). [`ShapeProbe`] finds the right one by
//! method resolution, as in `key/part.rs`: deeper wrappers are tried first.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use super::Storable;
use super::hidden::{self, Hidden};

/// The type itself is the value.
#[derive(Clone, Copy, Debug)]
pub struct Whole<C = Unknown>(PhantomData<C>);
/// The value is in an `Arc`.
#[derive(Clone, Copy, Debug)]
pub struct InArc<C = Unknown>(PhantomData<C>);
/// The value is in an `axum::Json`.
#[cfg(feature = "axum")]
#[derive(Clone, Copy, Debug)]
pub struct InJson<C = Unknown>(PhantomData<C>);
/// An `Option` around the shape `S`.
#[derive(Clone, Copy, Debug)]
pub struct InOption<S>(PhantomData<S>);
/// The `Ok` of a `Result` around the shape `S`.
#[derive(Clone, Copy, Debug)]
pub struct InResult<S>(PhantomData<S>);

/// Values aren't compared: no equality is known for them.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;
/// Values are compared by their `PartialEq`.
#[derive(Clone, Copy, Debug)]
pub struct ByPartialEq;

/// Comparison of values.
pub trait Comparison<V: ?Sized> {
    /// Return whether two values are equal; `None` if that can't be determined.
    fn equal(one: &V, other: &V) -> Option<bool>;
}

impl<V: ?Sized> Comparison<V> for Unknown {
    fn equal(_: &V, _: &V) -> Option<bool> {
        None
    }
}

impl<V: PartialEq + ?Sized> Comparison<V> for ByPartialEq {
    fn equal(one: &V, other: &V) -> Option<bool> {
        let same = one;
        match one == other {
            true => Some(true),
            // A value that contains a NaN isn't even equal to itself.
            false => (one == same).then_some(false),
        }
    }
}

/// A shape with a counterpart that compares values by `PartialEq`.
pub trait Comparable {
    /// The same shape, with comparison.
    type Compared;
}

macro_rules! comparable {
    ($($(#[$attr:meta])* [$($inner:ident)?] $shape:ty => $compared:ty;)*) => {$(
        $(#[$attr])*
        impl$(<$inner: Comparable>)? Comparable for $shape {
            type Compared = $compared;
        }
    )*};
}

comparable! {
    [] Whole => Whole<ByPartialEq>;
    [] InArc => InArc<ByPartialEq>;
    #[cfg(feature = "axum")]
    [] InJson => InJson<ByPartialEq>;
    [S] InOption<S> => InOption<S::Compared>;
    [S] InResult<S> => InResult<S::Compared>;
}

/// The stored value as seen in a returned one.
#[derive(Debug, PartialEq)]
pub enum Peek<'a, V: ?Sized> {
    /// This value.
    Value(&'a V),
    /// A `None`.
    None,
    /// An `Err`.
    Err,
}

/// A return type, seen through its wrappers.
pub trait Shape<S> {
    /// The innermost type.
    type Value: ?Sized;
    /// The type without an `Err`, which may not be `Send`.
    type Kept;
    /// Return the value in it.
    fn peek(&self) -> Peek<'_, Self::Value>;
    /// Take the part that is kept.
    ///
    /// # Errors
    ///
    /// Itself, if it is an `Err`.
    fn keep(self) -> Result<Self::Kept, Self>
    where
        Self: Sized;
    /// Restore the return type.
    fn restore(kept: Self::Kept) -> Self
    where
        Self: Sized;
}

/// Implementation of `keep` and `restore` for types that contain no `Result`.
macro_rules! kept_whole {
    () => {
        type Kept = Self;
        fn keep(self) -> Result<Self, Self> {
            Ok(self)
        }
        fn restore(kept: Self) -> Self {
            kept
        }
    };
}
pub(super) use kept_whole;

impl<T, C> Shape<Whole<C>> for T {
    type Value = T;
    kept_whole!();
    fn peek(&self) -> Peek<'_, T> {
        Peek::Value(self)
    }
}

impl<T: ?Sized, C> Shape<InArc<C>> for Arc<T> {
    type Value = T;
    kept_whole!();
    fn peek(&self) -> Peek<'_, T> {
        Peek::Value(self)
    }
}

#[cfg(feature = "axum")]
impl<T, C> Shape<InJson<C>> for axum::Json<T> {
    type Value = T;
    kept_whole!();
    fn peek(&self) -> Peek<'_, T> {
        Peek::Value(&self.0)
    }
}

impl<T: Shape<S>, S> Shape<InOption<S>> for Option<T> {
    type Value = T::Value;
    kept_whole!();
    fn peek(&self) -> Peek<'_, T::Value> {
        self.as_ref().map_or(Peek::None, T::peek)
    }
}

impl<T: Shape<S>, S, E> Shape<InResult<S>> for Result<T, E> {
    type Value = T::Value;
    // Only the outermost wrapper can be a `Result`.
    type Kept = T;
    fn keep(self) -> Result<T, Self> {
        self.map_err(Err)
    }
    fn restore(kept: T) -> Self {
        Ok(kept)
    }
    fn peek(&self) -> Peek<'_, T::Value> {
        self.as_ref().map_or(Peek::Err, T::peek)
    }
}

/// A return type that can be stored and rebuilt from the stored value.
pub trait Cached<S>: Shape<S, Value = Self::Stored> + Sized {
    /// The innermost type, as it is stored.
    type Stored: Storable;
    /// Return the value for sharing; `None` if [`Shape::peek`] finds none.
    fn share(&self) -> Option<Arc<Self::Stored>>;
    /// Wrap a stored value in the return type.
    fn wrap(value: Arc<Self::Stored>) -> Self;
    /// Return the return type for a stored `None`. A type that has no `None` never stores one.
    fn none() -> Option<Self> {
        None
    }
    /// Return whether two stored values are equal; `None` if that can't be determined.
    fn equal(_: &Self::Stored, _: &Self::Stored) -> Option<bool> {
        None
    }
    /// Return the part that may be stored. Examines a type parameter that turned out to be a
    /// `Result` or an `Option`.
    fn verdict(&self) -> Peek<'_, Self::Stored> {
        match self.peek() {
            Peek::Value(value) => match hidden::case_of(value) {
                Hidden::Value => Peek::Value(value),
                Hidden::None => Peek::None,
                Hidden::Err => Peek::Err,
            },
            other => other,
        }
    }
}

impl<T: Storable, C: Comparison<T>> Cached<Whole<C>> for T {
    type Stored = T;
    fn share(&self) -> Option<Arc<T>> {
        Some(Arc::new(self.clone()))
    }
    fn wrap(value: Arc<T>) -> Self {
        // Nearly always the store holds a reference too. Trying to unwrap the `Arc` would cost a
        // locked instruction, so read the count first.
        match Arc::strong_count(&value) {
            1 => Arc::unwrap_or_clone(value),
            _ => T::clone(&value),
        }
    }
    fn equal(one: &T, other: &T) -> Option<bool> {
        C::equal(one, other)
    }
}

impl<T: Storable, C: Comparison<T>> Cached<InArc<C>> for Arc<T> {
    type Stored = T;
    fn share(&self) -> Option<Arc<T>> {
        Some(Self::clone(self))
    }
    fn wrap(value: Arc<T>) -> Self {
        value
    }
    fn equal(one: &T, other: &T) -> Option<bool> {
        C::equal(one, other)
    }
}

#[cfg(feature = "axum")]
impl<T: Storable, C: Comparison<T>> Cached<InJson<C>> for axum::Json<T> {
    type Stored = T;
    fn share(&self) -> Option<Arc<T>> {
        Some(Arc::new(self.0.clone()))
    }
    fn wrap(value: Arc<T>) -> Self {
        Self(<T as Cached<Whole>>::wrap(value))
    }
    fn equal(one: &T, other: &T) -> Option<bool> {
        C::equal(one, other)
    }
}

impl<T: Cached<S>, S> Cached<InOption<S>> for Option<T> {
    type Stored = T::Stored;
    fn share(&self) -> Option<Arc<T::Stored>> {
        self.as_ref().and_then(T::share)
    }
    fn wrap(value: Arc<T::Stored>) -> Self {
        Some(T::wrap(value))
    }
    fn none() -> Option<Self> {
        Some(None)
    }
    fn equal(one: &T::Stored, other: &T::Stored) -> Option<bool> {
        T::equal(one, other)
    }
}

impl<T: Cached<S>, S, E> Cached<InResult<S>> for Result<T, E> {
    type Stored = T::Stored;
    fn share(&self) -> Option<Arc<T::Stored>> {
        self.as_ref().ok().and_then(T::share)
    }
    fn wrap(value: Arc<T::Stored>) -> Self {
        Ok(T::wrap(value))
    }
    fn none() -> Option<Self> {
        T::none().map(Ok)
    }
    fn equal(one: &T::Stored, other: &T::Stored) -> Option<bool> {
        T::equal(one, other)
    }
}

/// A return type and its shape.
#[derive(Debug)]
pub struct Returns<R, S>(pub(super) PhantomData<fn() -> (R, S)>);

/// Types whose methods find the shape of `R`, each dereferencing to the one for fewer wrappers. The
/// method has underscores, since a user's trait that is implemented for every type could also have
/// a method `shape`.
macro_rules! probes {
    ($($(#[$doc:meta])* $probe:ident $(=> $next:ident)? {
        $($(#[$attr:meta])* [$($generics:ident),*] $returned:ty => $shape:ty;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $probe<R>(PhantomData<fn() -> R>);

        impl<R> $probe<R> {
            /// The only instance.
            pub const NEW: Self = Self(PhantomData);
        }

        $($(#[$attr])* impl<$($generics),*> $probe<$returned> {
            /// Return the return type with its shape.
            pub fn __shape(&self) -> Returns<$returned, $shape> {
                Returns(PhantomData)
            }
        })*

        $(impl<R> Deref for $probe<R> {
            type Target = $next<R>;
            fn deref(&self) -> &$next<R> {
                &$next::NEW
            }
        })?
    )*};
}

probes! {
    /// Captures a return type for method resolution, starting with three wrappers.
    ShapeProbe => Twice {
        [T, E] Result<Option<Arc<T>>, E> => InResult<InOption<InArc>>;
        #[cfg(feature = "axum")]
        [T, E] Result<Option<axum::Json<T>>, E> => InResult<InOption<InJson>>;
    }
    /// Two wrappers.
    Twice => Once {
        [T, E] Result<Option<T>, E> => InResult<InOption<Whole>>;
        [T, E] Result<Arc<T>, E> => InResult<InArc>;
        [T] Option<Arc<T>> => InOption<InArc>;
        #[cfg(feature = "axum")]
        [T, E] Result<axum::Json<T>, E> => InResult<InJson>;
        #[cfg(feature = "axum")]
        [T] Option<axum::Json<T>> => InOption<InJson>;
    }
    /// One wrapper.
    Once => Bare {
        [T, E] Result<T, E> => InResult<Whole>;
        [T] Option<T> => InOption<Whole>;
        [T] Arc<T> => InArc;
        #[cfg(feature = "axum")]
        [T] axum::Json<T> => InJson;
    }
    /// No wrapper that is known.
    Bare {
        [T] T => Whole;
    }
}
