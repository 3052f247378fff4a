//! The types around a stored value: `Result`, `Option`, `Arc`, and any [`Wrapper`].
//!
//! An alias hides a `Result` from the attribute, so the types decide. The implementation for such a
//! type would overlap with that of "any `T`" (a `Result` of serializable parts is itself
//! serializable), so each carries a marker ([`Whole`], [`InResult`] ..). [`ShapeProbe`] finds the right
//! one by method resolution, as in `key/part.rs`: deeper types are tried first.
//!
//! A [`Wrapper`] gives its value away, and a decision about a value needs a reference. So a
//! returned value is opened once, looked at in its opened form, and closed again. A type without a
//! wrapper is its own opened form, and opening it compiles to nothing.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Storable;
use super::hidden::{self, Hidden};
use super::wrapper::Wrapper;

/// The type itself is the value.
#[derive(Clone, Copy, Debug)]
pub struct Whole<C = Unknown>(PhantomData<C>);
/// The value is in an `Arc`.
#[derive(Clone, Copy, Debug)]
pub struct InArc<C = Unknown>(PhantomData<C>);
/// A [`Wrapper`] around the shape `S`.
#[derive(Clone, Copy, Debug)]
pub struct InWrapper<S = Whole>(PhantomData<S>);
/// An `Arc` around a [`Wrapper`] around the shape `S`.
#[derive(Clone, Copy, Debug)]
pub struct InSharedWrapper<S = Whole>(PhantomData<S>);
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
    ($([$($inner:ident)?] $shape:ty => $compared:ty;)*) => {$(
        impl$(<$inner: Comparable>)? Comparable for $shape {
            type Compared = $compared;
        }
    )*};
}

comparable! {
    [] Whole => Whole<ByPartialEq>;
    [] InArc => InArc<ByPartialEq>;
    [S] InWrapper<S> => InWrapper<S::Compared>;
    [S] InSharedWrapper<S> => InSharedWrapper<S::Compared>;
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

/// A return type, seen through the types around its value.
pub trait Shape<S> {
    /// The innermost type.
    type Value: ?Sized;
    /// The type without an `Err`, which may not be `Send`.
    type Kept;
    /// The type with the value itself in the place of a [`Wrapper`].
    type Opened;
    /// Take the value out of its wrapper.
    fn open(self) -> Self::Opened
    where
        Self: Sized;
    /// Put the value back into its wrapper.
    fn close(opened: Self::Opened) -> Self
    where
        Self: Sized;
    /// Return the value in it.
    fn peek(opened: &Self::Opened) -> Peek<'_, Self::Value>;
    /// Return which of the three it is, without opening it.
    fn outcome(&self) -> Peek<'static, ()>;
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

/// Implementation of `open` and `close` for types that contain no [`Wrapper`].
macro_rules! opened_as_is {
    () => {
        type Opened = Self;
        #[inline]
        fn open(self) -> Self {
            self
        }
        #[inline]
        fn close(opened: Self) -> Self {
            opened
        }
    };
}
pub(super) use opened_as_is;

/// Implementation of `outcome` for types that always have a value.
macro_rules! always_a_value {
    () => {
        fn outcome(&self) -> Peek<'static, ()> {
            Peek::Value(&())
        }
    };
}

impl<T, C> Shape<Whole<C>> for T {
    type Value = T;
    kept_whole!();
    opened_as_is!();
    always_a_value!();
    fn peek(opened: &T) -> Peek<'_, T> {
        Peek::Value(opened)
    }
}

impl<T: ?Sized, C> Shape<InArc<C>> for Arc<T> {
    type Value = T;
    kept_whole!();
    opened_as_is!();
    always_a_value!();
    fn peek(opened: &Self) -> Peek<'_, T> {
        Peek::Value(opened)
    }
}

impl<W: Wrapper<Value: Shape<S>>, S> Shape<InWrapper<S>> for W {
    type Value = <W::Value as Shape<S>>::Value;
    type Opened = <W::Value as Shape<S>>::Opened;
    kept_whole!();
    always_a_value!();
    fn open(self) -> Self::Opened {
        self.into_value().open()
    }
    fn close(opened: Self::Opened) -> Self {
        W::from_value(W::Value::close(opened))
    }
    fn peek(opened: &Self::Opened) -> Peek<'_, Self::Value> {
        W::Value::peek(opened)
    }
}

impl<W: Wrapper<Value: Shape<S>> + Clone, S> Shape<InSharedWrapper<S>> for Arc<W> {
    type Value = <W::Value as Shape<S>>::Value;
    type Opened = <W::Value as Shape<S>>::Opened;
    kept_whole!();
    always_a_value!();
    fn open(self) -> Self::Opened {
        Self::unwrap_or_clone(self).into_value().open()
    }
    fn close(opened: Self::Opened) -> Self {
        Self::new(W::from_value(W::Value::close(opened)))
    }
    fn peek(opened: &Self::Opened) -> Peek<'_, Self::Value> {
        W::Value::peek(opened)
    }
}

impl<T: Shape<S>, S> Shape<InOption<S>> for Option<T> {
    type Value = T::Value;
    type Opened = Option<T::Opened>;
    kept_whole!();
    #[inline]
    fn open(self) -> Self::Opened {
        self.map(T::open)
    }
    #[inline]
    fn close(opened: Self::Opened) -> Self {
        opened.map(T::close)
    }
    fn outcome(&self) -> Peek<'static, ()> {
        self.as_ref().map_or(Peek::None, T::outcome)
    }
    fn peek(opened: &Self::Opened) -> Peek<'_, T::Value> {
        opened.as_ref().map_or(Peek::None, T::peek)
    }
}

impl<T: Shape<S>, S, E> Shape<InResult<S>> for Result<T, E> {
    type Value = T::Value;
    type Opened = Result<T::Opened, E>;
    // Only the outermost type can be a `Result`.
    type Kept = T;
    fn keep(self) -> Result<T, Self> {
        self.map_err(Err)
    }
    fn restore(kept: T) -> Self {
        Ok(kept)
    }
    #[inline]
    fn open(self) -> Self::Opened {
        self.map(T::open)
    }
    #[inline]
    fn close(opened: Self::Opened) -> Self {
        opened.map(T::close)
    }
    fn outcome(&self) -> Peek<'static, ()> {
        self.as_ref().map_or(Peek::Err, T::outcome)
    }
    fn peek(opened: &Self::Opened) -> Peek<'_, T::Value> {
        opened.as_ref().map_or(Peek::Err, T::peek)
    }
}

/// A return type that can be stored and rebuilt from the stored value.
pub trait Cached<S>: Shape<S, Value = Self::Stored> + Sized {
    /// The innermost type, as it is stored.
    type Stored: Storable;
    /// Return the value for sharing; `None` if [`Shape::peek`] finds none.
    fn share(opened: &Self::Opened) -> Option<Arc<Self::Stored>>;
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
    fn verdict(opened: &Self::Opened) -> Peek<'_, Self::Stored> {
        match Self::peek(opened) {
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
    fn share(opened: &T) -> Option<Arc<T>> {
        Some(Arc::new(opened.clone()))
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
    fn share(opened: &Self) -> Option<Arc<T>> {
        Some(Self::clone(opened))
    }
    fn wrap(value: Arc<T>) -> Self {
        value
    }
    fn equal(one: &T, other: &T) -> Option<bool> {
        C::equal(one, other)
    }
}

impl<W: Wrapper<Value: Cached<S>>, S> Cached<InWrapper<S>> for W {
    type Stored = <W::Value as Cached<S>>::Stored;
    fn share(opened: &Self::Opened) -> Option<Arc<Self::Stored>> {
        W::Value::share(opened)
    }
    fn wrap(value: Arc<Self::Stored>) -> Self {
        W::from_value(W::Value::wrap(value))
    }
    fn equal(one: &Self::Stored, other: &Self::Stored) -> Option<bool> {
        W::Value::equal(one, other)
    }
}

impl<W: Wrapper<Value: Cached<S>> + Clone, S> Cached<InSharedWrapper<S>> for Arc<W> {
    type Stored = <W::Value as Cached<S>>::Stored;
    fn share(opened: &Self::Opened) -> Option<Arc<Self::Stored>> {
        W::Value::share(opened)
    }
    fn wrap(value: Arc<Self::Stored>) -> Self {
        Self::new(W::from_value(W::Value::wrap(value)))
    }
    fn equal(one: &Self::Stored, other: &Self::Stored) -> Option<bool> {
        W::Value::equal(one, other)
    }
}

impl<T: Cached<S>, S> Cached<InOption<S>> for Option<T> {
    type Stored = T::Stored;
    fn share(opened: &Self::Opened) -> Option<Arc<T::Stored>> {
        opened.as_ref().and_then(T::share)
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
    fn share(opened: &Self::Opened) -> Option<Arc<T::Stored>> {
        opened.as_ref().ok().and_then(T::share)
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

impl<R, S> Returns<R, S> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

/// Types whose methods find the shape of `R`, each dereferencing to the one for fewer types around the value. The
/// method has underscores, since a user's trait that is implemented for every type could also have
/// a method `shape`.
macro_rules! probes {
    ($($(#[$doc:meta])* $probe:ident $(=> $next:ident)? {
        $([$($generics:tt)*] $returned:ty => $shape:ty;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $probe<R>(::std::marker::PhantomData<fn() -> R>);

        impl<R> $probe<R> {
            /// The only instance.
            pub const NEW: Self = Self(::std::marker::PhantomData);
        }

        $(impl<$($generics)*> $probe<$returned> {
            /// Return the return type with its shape.
            pub fn __shape(&self) -> $crate::value::shape::Returns<$returned, $shape> {
                $crate::value::shape::Returns::NEW
            }
        })*

        $(impl<R> ::std::ops::Deref for $probe<R> {
            type Target = $next<R>;
            fn deref(&self) -> &$next<R> {
                &$next::NEW
            }
        })?
    )*};
}

pub(crate) use probes;

probes! {
    /// Captures a return type for method resolution, starting with two types around an `Arc` or a
    /// wrapper.
    ShapeProbe => Wrapped {
        [T, E, W: Wrapper<Value = Arc<T>>] Result<Option<W>, E> => InResult<InOption<InWrapper<InArc>>>;
        [T, E, W: Wrapper<Value = Arc<T>>] Result<W, E> => InResult<InWrapper<InArc>>;
        [T, W: Wrapper<Value = Arc<T>>] Option<W> => InOption<InWrapper<InArc>>;
        [T, W: Wrapper<Value = Arc<T>>] W => InWrapper<InArc>;
        [E, W: Wrapper + Clone] Result<Option<Arc<W>>, E> => InResult<InOption<InSharedWrapper>>;
        [E, W: Wrapper + Clone] Result<Arc<W>, E> => InResult<InSharedWrapper>;
        [W: Wrapper + Clone] Option<Arc<W>> => InOption<InSharedWrapper>;
        [W: Wrapper + Clone] Arc<W> => InSharedWrapper;
    }
    /// A wrapper, or three types.
    Wrapped => Twice {
        [E, W: Wrapper] Result<Option<W>, E> => InResult<InOption<InWrapper>>;
        [E, W: Wrapper] Result<W, E> => InResult<InWrapper>;
        [W: Wrapper] Option<W> => InOption<InWrapper>;
        [W: Wrapper] W => InWrapper;
        [T, E] Result<Option<Arc<T>>, E> => InResult<InOption<InArc>>;
    }
    /// Two types.
    Twice => Once {
        [T, E] Result<Option<T>, E> => InResult<InOption<Whole>>;
        [T, E] Result<Arc<T>, E> => InResult<InArc>;
        [T] Option<Arc<T>> => InOption<InArc>;
    }
    /// One type.
    Once => Bare {
        [T, E] Result<T, E> => InResult<Whole>;
        [T] Option<T> => InOption<Whole>;
        [T] Arc<T> => InArc;
    }
    /// No type that is known.
    Bare {
        [T] T => Whole;
    }
}
