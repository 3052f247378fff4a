//! How an argument, or a field of a `CacheKey`, is hashed: through its `CacheKey` where it has one, otherwise through `Serialize`.
//! Method resolution chooses, as in `part.rs`.

use std::marker::PhantomData;
use std::ops::Deref;

use super::cache_key::{CacheKey, KeyWriter};
use super::writer::{HashArgument, Writer};

/// First choice: the type has a `CacheKey`.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(PhantomData<&'a T>);

/// Last choice: it has none.
#[derive(Debug)]
pub struct Without;

/// Hashes a value through its `CacheKey`.
#[derive(Clone, Copy, Debug)]
pub struct ThroughCacheKey;

/// Hashes a value through its `Serialize`.
#[derive(Clone, Copy, Debug)]
pub struct ThroughSerialize;

/// Hashes nothing: `Serialize` would not do, and there is no `CacheKey`.
#[derive(Clone, Copy, Debug)]
pub struct OnlyThroughCacheKey;

impl<'a, T: ?Sized> Probe<'a, T> {
    /// Holds the type of a value while its way is looked up.
    pub fn of(_: &'a T) -> Self {
        Self(PhantomData)
    }
}

impl<T: CacheKey + ?Sized> Probe<'_, T> {
    /// The way of a type that may be hashed through `Serialize`.
    pub fn __way(&self) -> ThroughCacheKey {
        ThroughCacheKey
    }

    /// The way of a type that may not.
    pub fn __strict_way(&self) -> ThroughCacheKey {
        ThroughCacheKey
    }
}

impl Without {
    /// The way of a type that may be hashed through `Serialize`.
    pub fn __way(&self) -> ThroughSerialize {
        ThroughSerialize
    }

    /// The way of a type that may not.
    pub fn __strict_way(&self) -> OnlyThroughCacheKey {
        OnlyThroughCacheKey
    }
}

impl<T: ?Sized> Deref for Probe<'_, T> {
    type Target = Without;
    fn deref(&self) -> &Without {
        &Without
    }
}

/// A way to hash a `T`.
pub trait Way<T: ?Sized> {
    /// Lets an argument enter the variant.
    fn argument(self, writer: &mut Writer<'_>, name: &'static str, value: &T);
    /// Writes a field.
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
