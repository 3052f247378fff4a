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
use super::shape::{Cached, Peek, Probe, Shape};

/// A return type and its shape.
#[derive(Debug)]
pub struct Fit<R, S>(S, PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// The return type with the shape that was found for it.
    pub fn with<S>(self, shape: S) -> Fit<R, S> {
        Fit(shape, PhantomData)
    }
}

/// The shape of a type that can be stored.
#[derive(Debug)]
pub struct Fits<S>(S);

impl<S> Fits<S> {
    /// The shape.
    pub fn checked(self) -> S {
        self.0
    }
}

/// `V` can't be stored.
#[derive(Debug)]
pub struct Unfit<V: ?Sized>(PhantomData<fn() -> Box<V>>);

impl<V: ?Sized> Unfit<V> {
    /// Doesn't compile: nothing but what is `Storable` is stored.
    pub fn checked(self) -> Misfit<V>
    where
        V: Storable,
    {
        Misfit(PhantomData)
    }
}

/// The traits whose method resolution tells the two apart.
pub mod probe {
    use super::*;

    /// First choice.
    pub trait Fitting {
        /// The shape.
        type Shape;
        /// Gives it on.
        fn __fit(self) -> Fits<Self::Shape>;
    }
    impl<R: Shape<S, Value: Storable>, S> Fitting for Fit<R, S> {
        type Shape = S;
        fn __fit(self) -> Fits<S> {
            Fits(self.0)
        }
    }

    /// Last choice.
    pub trait Unfitting {
        /// What can't be stored.
        type Value: ?Sized;
        /// Asks for what it lacks.
        fn __fit(self) -> Unfit<Self::Value>;
    }
    impl<R: Shape<S>, S> Unfitting for &Fit<R, S> {
        type Value = R::Value;
        fn __fit(self) -> Unfit<R::Value> {
            Unfit(PhantomData)
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
