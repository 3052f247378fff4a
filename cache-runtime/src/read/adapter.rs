//! `value = ..` and `response = ..` of `#[cacheable]`: a function whose return type belongs to
//! another crate.
//!
//! The cached function is one that returns the value: `Result<V, E>` for a `Result<Response, E>`.
//! Generated code converts what the body returns before the cache sees it, and what the cache
//! returns before the caller sees it. So the rest of the cache knows nothing of this.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::value::shape::{InOption, InResult, Returns, ShapeProbe, Whole, probes};

probes! {
    /// Captures a return type for method resolution, starting with two types around the response.
    Outer => OuterOnce {
        [T, E] Result<Option<T>, E> => InResult<InOption<Whole>>;
    }
    /// One type around the response.
    OuterOnce => OuterBare {
        [T, E] Result<T, E> => InResult<Whole>;
        [T] Option<T> => InOption<Whole>;
    }
    /// The response itself.
    OuterBare {
        [T] T => Whole;
    }
}

/// A return type with a response inside.
pub trait Around<S>: Sized {
    /// The response.
    type Response;
    /// The return type with a `V` in the place of the response.
    type With<V>;
    /// Replace the response.
    fn map<V>(self, value: impl FnOnce(Self::Response) -> V) -> Self::With<V>;
    /// Restore the response.
    fn restore<V>(stored: Self::With<V>, response: impl FnOnce(V) -> Self::Response) -> Self;
}

impl<T> Around<Whole> for T {
    type Response = T;
    type With<V> = V;
    fn map<V>(self, value: impl FnOnce(T) -> V) -> V {
        value(self)
    }
    fn restore<V>(stored: V, response: impl FnOnce(V) -> T) -> T {
        response(stored)
    }
}

impl<T: Around<S>, S> Around<InOption<S>> for Option<T> {
    type Response = T::Response;
    type With<V> = Option<T::With<V>>;
    fn map<V>(self, value: impl FnOnce(T::Response) -> V) -> Self::With<V> {
        self.map(|inside| inside.map(value))
    }
    fn restore<V>(stored: Self::With<V>, response: impl FnOnce(V) -> T::Response) -> Self {
        stored.map(|inside| T::restore(inside, response))
    }
}

impl<T: Around<S>, S, E> Around<InResult<S>> for Result<T, E> {
    type Response = T::Response;
    type With<V> = Result<T::With<V>, E>;
    fn map<V>(self, value: impl FnOnce(T::Response) -> V) -> Self::With<V> {
        self.map(|inside| inside.map(value))
    }
    fn restore<V>(stored: Self::With<V>, response: impl FnOnce(V) -> T::Response) -> Self {
        stored.map(|inside| T::restore(inside, response))
    }
}

impl<O: Around<S>, S> Returns<O, S> {
    /// Add the conversion of a response to the stored value.
    pub fn __value<V>(self, value: fn(O::Response) -> V) -> Opening<O, S, V> {
        Opening { value }
    }
}

/// An [`Adapter`] without the way back. In two steps, so that the compiler knows the value's type
/// when it checks the second closure.
pub struct Opening<O: Around<S>, S, V> {
    value: fn(O::Response) -> V,
}

impl<O: Around<S>, S, V> Opening<O, S, V> {
    /// Add the conversion of a stored value to the response.
    pub fn __response(self, response: fn(V) -> O::Response) -> Adapter<O, S, V> {
        let Self { value } = self;
        Adapter { value, response }
    }
}

/// The two conversions. They are function pointers: nothing of one call may enter another one's
/// response.
pub struct Adapter<O: Around<S>, S, V> {
    value: fn(O::Response) -> V,
    response: fn(V) -> O::Response,
}

impl<O: Around<S>, S, V> Clone for Adapter<O, S, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O: Around<S>, S, V> Copy for Adapter<O, S, V> {}

impl<O: Around<S>, S, V> fmt::Debug for Opening<O, S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

impl<O: Around<S>, S, V> fmt::Debug for Adapter<O, S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").finish_non_exhaustive()
    }
}

impl<O: Around<S>, S, V> Adapter<O, S, V> {
    /// Return the probe of the type that the cached function returns.
    pub fn returns(self) -> ShapeProbe<O::With<V>> {
        ShapeProbe::NEW
    }

    /// Convert what the body returned.
    pub fn open(self, returned: O) -> O::With<V> {
        returned.map(self.value)
    }

    /// Convert what the cache returned.
    pub fn close(self, stored: O::With<V>) -> O {
        O::restore(stored, self.response)
    }

    /// Convert what an async body returns.
    pub fn open_async<B>(self, body: B) -> Mapped<B, impl Fn(O) -> O::With<V> + use<B, O, S, V>>
    where
        B: Future<Output = O>,
    {
        Mapped {
            future: body,
            map: move |returned| self.open(returned),
        }
    }

    /// Convert what an async read returns.
    pub fn close_async<B>(self, read: B) -> Mapped<B, impl Fn(O::With<V>) -> O + use<B, O, S, V>>
    where
        B: Future<Output = O::With<V>>,
    {
        Mapped {
            future: read,
            map: move |stored| self.close(stored),
        }
    }
}

pin_project! {
    /// A future whose output is converted. Hand-written, since an async block would keep the
    /// future twice: as a captured variable, and where it is awaited.
    #[derive(Debug)]
    pub struct Mapped<B, F> {
        #[pin]
        future: B,
        map: F,
    }
}

impl<B: Future, T, F: Fn(B::Output) -> T> Future for Mapped<B, F> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        this.future.poll(cx).map(&*this.map)
    }
}
