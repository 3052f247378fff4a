//! Hashing of an argument, or of a field of a `CacheKey`: through its `CacheKey` if it has one,
//! otherwise through `Serialize`. Method resolution chooses, as in `part.rs`.

use std::marker::PhantomData;
use std::ops::Deref;

use super::cache_key::{CacheKey, KeyWriter};
use super::hash_argument::HashArgument;
use super::writer::Writer;

/// First choice: the type has a `CacheKey`.
#[derive(Debug)]
pub struct HashProbe<'a, T: ?Sized>(PhantomData<&'a T>);

/// Last choice: the type has none.
#[derive(Debug)]
pub struct Without;

/// Hash a value through its `CacheKey`.
#[derive(Clone, Copy, Debug)]
pub struct ThroughCacheKey;

/// Hash a value through its `Serialize`.
#[derive(Clone, Copy, Debug)]
pub struct ThroughSerialize;

/// Hash nothing: `Serialize` isn't accepted, and there is no `CacheKey`.
#[derive(Clone, Copy, Debug)]
pub struct OnlyThroughCacheKey;

impl<'a, T: ?Sized> HashProbe<'a, T> {
    /// Capture the type of a value for method resolution.
    pub fn of(_: &'a T) -> Self {
        Self(PhantomData)
    }
}

impl<T: CacheKey + ?Sized> HashProbe<'_, T> {
    /// Return the method for a type that may be hashed through `Serialize`.
    pub fn __way(&self) -> ThroughCacheKey {
        ThroughCacheKey
    }

    /// Return the method for a type that may not.
    pub fn __strict_way(&self) -> ThroughCacheKey {
        ThroughCacheKey
    }
}

impl Without {
    /// Return the method for a type that may be hashed through `Serialize`.
    pub fn __way(&self) -> ThroughSerialize {
        ThroughSerialize
    }

    /// Return the method for a type that may not.
    pub fn __strict_way(&self) -> OnlyThroughCacheKey {
        OnlyThroughCacheKey
    }
}

impl<T: ?Sized> Deref for HashProbe<'_, T> {
    type Target = Without;
    fn deref(&self) -> &Without {
        &Without
    }
}

/// A method of hashing a `T`.
pub trait Way<T: ?Sized> {
    /// Add an argument to the variant.
    fn argument(self, writer: &mut Writer<'_>, name: &'static str, value: &T);
    /// Write a field.
    fn field(self, writer: &mut KeyWriter<'_>, value: &T);
}

impl<T: CacheKey + ?Sized> Way<T> for ThroughCacheKey {
    fn argument(self, writer: &mut Writer<'_>, name: &'static str, value: &T) {
        writer.keyed(name, &|key| value.cache_key(key));
    }
    fn field(self, writer: &mut KeyWriter<'_>, value: &T) {
        writer.write(value);
    }
}

impl<T: HashArgument<()> + ?Sized> Way<T> for ThroughSerialize {
    fn argument(self, writer: &mut Writer<'_>, name: &'static str, value: &T) {
        writer.argument::<(), _>(name, value);
    }
    fn field(self, writer: &mut KeyWriter<'_>, value: &T) {
        writer.hashed(value);
    }
}
