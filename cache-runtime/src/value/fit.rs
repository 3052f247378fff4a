//! Says once that a return type can't be stored, and finds out whether what is stored can be compared.
//!
//! Every call that generated code makes needs `R: Cached<S>`, and for a type that isn't `Storable` each of them
//! would be an error. So method resolution looks first: [`Returns::__fit`] and [`Plain::__fit`] give the shape on, and
//! otherwise [`Unfit::__fit`] is the one call that doesn't compile; the shape that it gives, [`Misfit`], is one that
//! every type has.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Storable;
use super::shape::{Cached, Comparable, Peek, Returns, Shape, kept_whole};

impl<R: Shape<S, Value: Storable + PartialEq>, S: Comparable> Returns<R, S> {
    /// The shape of what is stored and can be compared.
    pub fn __fit(self) -> Returns<R, S::Compared> {
        Returns(PhantomData)
    }
}

/// A return type of which no comparison is known.
#[derive(Debug)]
pub struct Plain<R, S>(PhantomData<fn() -> (R, S)>);

impl<R: Shape<S, Value: Storable>, S> Plain<R, S> {
    /// The shape of what is stored.
    pub fn __fit(&self) -> Returns<R, S> {
        Returns(PhantomData)
    }
}

/// A return type of which nothing can be stored.
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
    /// Doesn't compile: nothing but what is `Storable` is stored.
    pub fn __fit(&self) -> Returns<R, Misfit<R::Value>>
    where
        R::Value: Storable,
    {
        Returns(PhantomData)
    }
}

/// The shape of anything, and what is "stored" of it. It is never made: see [`Unfit::__fit`]. Closures over the value
/// see the value through it.
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
        unreachable!("a misfit is never made")
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
    fn peek(&self) -> Peek<'_, Misfit<V>> {
        Peek::None
    }
}

impl<R, V: ?Sized + 'static> Cached<Misfit<V>> for R {
    type Stored = Misfit<V>;
    fn share(&self) -> Option<Arc<Misfit<V>>> {
        None
    }
    fn wrap(_: Arc<Misfit<V>>) -> Self {
        unreachable!("a misfit is never made")
    }
}
