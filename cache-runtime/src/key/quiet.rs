//! Hashes an argument without a compile error if it can't be hashed. The annotated function has
//! reported that error already, and each of its companions would repeat it. Method resolution
//! chooses, as in `part.rs`.

use std::ops::Deref;

use super::cache_key::CacheKey;
use super::hash_argument::HashArgument;
use super::writer::Writer;

/// First choice: an argument with a `CacheKey`.
#[derive(Debug)]
pub struct CompanionProbe<'a, T: ?Sized>(Serialized<'a, T>);

/// Second choice: an argument with a `Serialize`.
#[derive(Debug)]
pub struct Serialized<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> CompanionProbe<'a, T> {
    /// Capture an argument for method resolution.
    pub fn of(argument: &'a T) -> Self {
        Self(Serialized(argument))
    }
}

impl<T: CacheKey + ?Sized> CompanionProbe<'_, T> {
    /// Add the argument to the variant.
    pub fn __hash(&self, writer: &mut Writer<'_>, name: &'static str) {
        let value = self.0.0;
        writer.keyed(name, &|key| value.cache_key(key));
    }
}

impl<T: HashArgument<()> + ?Sized> Serialized<'_, T> {
    /// Add the argument to the variant.
    pub fn __hash(&self, writer: &mut Writer<'_>, name: &'static str) {
        writer.argument::<(), _>(name, self.0);
    }
}

/// Last choice: the error has been reported elsewhere.
#[derive(Debug)]
pub struct Unhashed;

impl Unhashed {
    /// Do nothing.
    pub fn __hash(&self, _: &mut Writer<'_>, _: &'static str) {}
}

impl<'a, T: ?Sized> Deref for CompanionProbe<'a, T> {
    type Target = Serialized<'a, T>;
    fn deref(&self) -> &Serialized<'a, T> {
        &self.0
    }
}

impl<T: ?Sized> Deref for Serialized<'_, T> {
    type Target = Unhashed;
    fn deref(&self) -> &Unhashed {
        &Unhashed
    }
}
