//! Reports once that a return type can't be stored, and determines whether stored values can be
//! compared.
//!
//! Every call in generated code requires `R: Cached<S>`, and would be an error of its own for a
//! type that isn't `Storable`. Method resolution therefore checks first: [`Returns::__fit`] and
//! [`Plain::__fit`] pass the shape on. Otherwise [`Unfit::__fit`] is the only call that doesn't
//! compile, and the shape it returns, [`Misfit`], is one that every type has.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Storable;
use super::shape::{
    Cached, Comparable, InOption, InResult, InSharedWrapper, InWrapper, Peek, Returns, Shape,
    kept_whole, opened_as_is,
};

impl<R: Shape<S, Value: Storable + PartialEq>, S: Comparable> Returns<R, S> {
    /// Return the shape of a stored value that can be compared.
    pub fn __fit(self) -> Returns<R, S::Compared> {
        Returns(PhantomData)
    }
}

/// A return type whose values can't be compared.
#[derive(Debug)]
pub struct Plain<R, S>(PhantomData<fn() -> (R, S)>);

impl<R: Shape<S, Value: Storable>, S> Plain<R, S> {
    /// Return the shape of the stored value.
    pub fn __fit(&self) -> Returns<R, S> {
        Returns(PhantomData)
    }
}

/// A return type that contains nothing storable.
#[derive(Debug)]
pub struct Unfit<R, S>(PhantomData<fn() -> (R, S)>);

impl<R, S> Deref for Returns<R, S> {
    type Target = Plain<R, S>;
    fn deref(&self) -> &Plain<R, S> {
        &Plain(PhantomData)
    }
}

impl<R, S> Deref for Plain<R, S> {
    type Target = Unfit<R, S>;
    fn deref(&self) -> &Unfit<R, S> {
        &Unfit(PhantomData)
    }
}

impl<R: Shape<S>, S> Unfit<R, S> {
    /// Fail to compile: only `Storable` values are stored.
    pub fn __fit(&self) -> Returns<R, Misfit<R::Value>>
    where
        R::Value: Storable,
    {
        Returns(PhantomData)
    }
}

/// A shape that contains a [`Wrapper`](crate::Wrapper).
pub trait Wrapped {}

impl<S> Wrapped for InWrapper<S> {}
impl<S> Wrapped for InSharedWrapper<S> {}
impl<S: Wrapped> Wrapped for InOption<S> {}
impl<S: Wrapped> Wrapped for InResult<S> {}

impl<R, S: Wrapped> Returns<R, S> {
    /// Pass the shape on: this response is known.
    pub fn __known(self) -> Self {
        self
    }
}

impl<R: Shape<S, Value: Storable>, S> Plain<R, S> {
    /// Pass the shape on: this type only has the name of a response.
    pub fn __known(&self) -> Returns<R, S> {
        Returns(PhantomData)
    }
}

impl<R: Shape<S>, S> Unfit<R, S> {
    /// Fail to compile: this response isn't known.
    pub fn __known(&self) -> Returns<R, Misfit<R::Value>>
    where
        R::Value: KnownResponse,
    {
        Returns(PhantomData)
    }
}

/// A response of a web framework. Implemented for no type: it has the message for a response whose
/// feature is off.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be cached: no feature of `cache-runtime` that is on knows it",
    label = "a response of a web framework is known with the framework's feature",
    note = "the features are `axum` (axum 0.8), `actix-web` (actix-web 4), `poem` (poem 3) and `rocket` (Rocket 0.5): `cache-runtime = {{ version = \"..\", features = [\"axum\"] }}`",
    note = "for another framework or version, write `value = |returned| ..` and `response = |value| ..` in the attribute, which make a value of it and make it again",
    note = "for a type of yours, implement `cache_runtime::Wrapper`, or derive `Clone`, `serde::Serialize` and `serde::Deserialize`"
)]
pub trait KnownResponse {}

/// The shape of any type, and its "stored" value. It is never constructed: see [`Unfit::__fit`].
/// Closures over the value access the value through it.
#[derive(Debug)]
pub struct Misfit<V: ?Sized>(PhantomData<fn() -> Box<V>>);

impl<V: ?Sized> Clone for Misfit<V> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<V: ?Sized> Deref for Misfit<V> {
    type Target = V;
    fn deref(&self) -> &V {
        unreachable!("a misfit is never constructed")
    }
}

impl<V: ?Sized> Serialize for Misfit<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, V: ?Sized> Deserialize<'de> for Misfit<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Self(PhantomData))
    }
}

impl<R, V: ?Sized> Shape<Misfit<V>> for R {
    type Value = Misfit<V>;
    kept_whole!();
    opened_as_is!();
    fn outcome(&self) -> Peek<'static, ()> {
        Peek::None
    }
    fn peek(_: &R) -> Peek<'_, Misfit<V>> {
        Peek::None
    }
}

impl<R, V: ?Sized + 'static> Cached<Misfit<V>> for R {
    type Stored = Misfit<V>;
    fn share(_: &R) -> Option<Arc<Misfit<V>>> {
        None
    }
    fn wrap(_: Arc<Misfit<V>>) -> Self {
        unreachable!("a misfit is never constructed")
    }
}
