use std::time::Duration;

use super::bulk::KeyAndValue;
use crate::cache::Health;
use crate::core::Cache;
use crate::error::CacheError;
use crate::read::lookup::Lookup;
use crate::read::run;
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::shape::{InResult, Whole};
use crate::value::{Settable, Storable};

/// The explicit operations for callers that don't await, on any thread, inside a runtime or
/// outside. Created by [`Cache::blocking`]. Each blocks its thread for as long as the operation of
/// the same name of [`Cache`] would wait.
///
/// ```
/// use cache_runtime::Cache;
///
/// let cache = Cache::builder().build()?.blocking();
/// cache.set("a", &1, 60)?;
/// assert_eq!(cache.get::<i32>("a")?, Some(1));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockingCache(Cache);

impl Cache {
    /// Return a handle of the same cache with blocking operations.
    pub fn blocking(&self) -> BlockingCache {
        BlockingCache(self.clone())
    }
}

impl BlockingCache {
    /// See [`Cache::get`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn get<T: serde::de::DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<T>, CacheError> {
        block_on(self.0.get(key))
    }

    /// See [`Cache::set`].
    ///
    /// # Errors
    ///
    /// The store's failure, a value that no codec carries, or [`CacheError::TooLarge`].
    pub fn set<T: Settable + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        block_on(self.0.set(key, value, ttl))
    }

    /// See [`Cache::delete`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn delete(&self, key: &str) -> Result<bool, CacheError> {
        block_on(self.0.delete(key))
    }

    /// See [`Cache::delete_pattern`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn delete_pattern(&self, pattern: &str) -> Result<u64, CacheError> {
        block_on(self.0.delete_pattern(pattern))
    }

    /// See [`Cache::clear`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn clear(&self) -> Result<u64, CacheError> {
        block_on(self.0.clear())
    }

    /// See [`Cache::get_or_set`].
    pub fn get_or_set<T: Storable>(
        &self,
        key: &str,
        ttl: impl IntoTtl,
        compute: impl FnOnce() -> T,
    ) -> T {
        let lookup = Lookup::<T, Whole>::pending(self.0.explicit_call("get_or_set", key, ttl));
        run::read_sync(lookup, compute)
    }

    /// See [`Cache::try_get_or_set`].
    ///
    /// # Errors
    ///
    /// The error of `compute`.
    pub fn try_get_or_set<T: Storable, E>(
        &self,
        key: &str,
        ttl: impl IntoTtl,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let call = self.0.explicit_call("try_get_or_set", key, ttl);
        let lookup = Lookup::<Result<T, E>, InResult<Whole>>::pending(call);
        run::read_sync(lookup, compute)
    }

    /// See [`Cache::get_many`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn get_many<T: serde::de::DeserializeOwned + 'static>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        block_on(self.0.get_many(keys))
    }

    /// See [`Cache::set_many`].
    ///
    /// # Errors
    ///
    /// The store's failure, a value that no codec carries, or [`CacheError::TooLarge`].
    pub fn set_many(
        &self,
        entries: impl IntoIterator<Item = impl KeyAndValue>,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        block_on(self.0.set_many(entries, ttl))
    }

    /// See [`Cache::delete_many`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn delete_many(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<u64, CacheError> {
        block_on(self.0.delete_many(keys))
    }

    /// See [`Cache::exists`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn exists(&self, key: &str) -> Result<bool, CacheError> {
        block_on(self.0.exists(key))
    }

    /// See [`Cache::ttl`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        block_on(self.0.ttl(key))
    }

    /// See [`Cache::health_check`].
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub fn health_check(&self) -> Result<Health, CacheError> {
        block_on(self.0.health_check())
    }
}
