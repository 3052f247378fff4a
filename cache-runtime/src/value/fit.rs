//! Says once that a return type can't be stored.
//!
//! Every call that generated code makes needs `R: Cached<S>`, and for a type that isn't `Storable` each of them
//! would be an error. So method resolution looks first: [`probe::Fitting`] gives the shape on, and else
//! [`Unfit::checked`] is the one call that doesn't compile; the shape that it gives, [`Misfit`], is one that every
//! type has.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Storable;
use super::shape::{Cached, Peek, Returns, Shape};

/// A return type that can be stored, with its shape.
#[derive(Debug)]
pub struct Fits<R, S>(PhantomData<fn() -> (R, S)>);

impl<R, S> Fits<R, S> {
    /// The same.
    pub fn checked(self) -> Returns<R, S> {
        Returns(PhantomData)
    }
}

/// A return type whose `V` can't be stored.
#[derive(Debug)]
pub struct Unfit<R, V: ?Sized>(PhantomData<fn() -> R>, PhantomData<V>);

impl<R, V: ?Sized> Unfit<R, V> {
    /// Doesn't compile: nothing but what is `Storable` is stored.
    pub fn checked(self) -> Returns<R, Misfit<V>>
    where
        V: Storable,
    {
        Returns(PhantomData)
    }
}

/// The traits whose method resolution tells the two apart.
pub mod probe {
    use super::*;

    /// First choice.
    pub trait Fitting {
        /// The return type with its shape.
        type Fits;
        /// Gives it on.
        fn __fit(self) -> Self::Fits;
    }
    impl<R: Shape<S, Value: Storable>, S> Fitting for Returns<R, S> {
        type Fits = Fits<R, S>;
        fn __fit(self) -> Fits<R, S> {
            Fits(PhantomData)
        }
    }

    /// Last choice.
    pub trait Unfitting {
        /// What can't be stored.
        type Unfit;
        /// Asks for what it lacks.
        fn __fit(self) -> Self::Unfit;
    }
    impl<R: Shape<S>, S> Unfitting for &Returns<R, S> {
        type Unfit = Unfit<R, R::Value>;
        fn __fit(self) -> Self::Unfit {
            Unfit(PhantomData, PhantomData)
        }
    }
}

/// The shape of anything, and what is "stored" of it. It is never made: see [`Unfit::checked`]. Closures over the value
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
