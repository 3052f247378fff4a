//! `Cache::blocking`: the explicit operations for callers without an async runtime.

use std::time::Duration;

use super::bulk::KeyAndValue;
use crate::cache::{Health, OwnerStats};
use crate::core::Cache;
use crate::error::CacheError;
use crate::key::segment::Segment;
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
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set("answer", &42, 60)?;
    /// assert_eq!(cache.stats().fills, 1);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn blocking(&self) -> BlockingCache {
        BlockingCache(self.clone())
    }
}

impl BlockingCache {
    pub(super) fn cache(&self) -> &Cache {
        &self.0
    }

    /// See [`Cache::get`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// assert_eq!(cache.get::<i32>("answer")?, Some(42));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    pub fn get<T: serde::de::DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<T>, CacheError> {
        block_on(self.0.get(key))
    }

    /// See [`Cache::set`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("greeting", "hello", 60)?; // seconds
    /// assert_eq!(cache.get::<String>("greeting")?.as_deref(), Some("hello"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::TooLarge`], [`CacheError::TooDeep`], [`CacheError::Changed`] or
    /// [`CacheError::Encode`] if the value can't be stored: correct its type or raise the limit.
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: go on without the entry.
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
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// assert!(cache.delete("answer")?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    pub fn delete(&self, key: &str) -> Result<bool, CacheError> {
        block_on(self.0.delete(key))
    }

    /// See [`Cache::delete_pattern`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set_many([("posts:1", 1), ("posts:2", 2), ("users:1", 3)], 60)?;
    /// assert_eq!(cache.delete_pattern("posts:*")?, 2);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    pub fn delete_pattern(&self, pattern: &str) -> Result<u64, CacheError> {
        block_on(self.0.delete_pattern(pattern))
    }

    /// See [`Cache::clear`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set_many([("a", 1), ("b", 2)], 60)?;
    /// assert_eq!(cache.clear()?, 2);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    pub fn clear(&self) -> Result<u64, CacheError> {
        block_on(self.0.clear())
    }

    /// See [`Cache::get_or_set`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// assert_eq!(cache.get_or_set("answer", 60, || 42), 42);
    /// assert_eq!(cache.get::<i32>("answer")?, Some(42));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
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
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// assert!(cache.try_get_or_set("answer", 60, || "x".parse::<u32>()).is_err());
    /// assert_eq!(cache.try_get_or_set("answer", 60, || "42".parse::<u32>()), Ok(42));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
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
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("a", &1, 60)?;
    /// assert_eq!(cache.get_many::<i32>(["a", "b"])?, [Some(1), None]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat all of the keys as not cached.
    pub fn get_many<T: serde::de::DeserializeOwned + 'static>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        block_on(self.0.get_many(keys))
    }

    /// See [`Cache::set_many`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set_many([("a", 1), ("b", 2)], 60)?;
    /// assert_eq!(cache.get::<i32>("b")?, Some(2));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::TooLarge`], [`CacheError::TooDeep`], [`CacheError::Changed`] or
    /// [`CacheError::Encode`] if the value can't be stored: correct its type or raise the limit.
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: go on without the entries.
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
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// assert!(cache.exists("answer")?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    pub fn exists(&self, key: &str) -> Result<bool, CacheError> {
        block_on(self.0.exists(key))
    }

    /// See [`Cache::ttl`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// assert!(cache.ttl("answer")? > Some(Duration::from_secs(50)));
    /// assert_eq!(cache.ttl("question")?, None);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    pub fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        block_on(self.0.ttl(key))
    }

    /// See [`Cache::owner_stats`].
    ///
    /// ```standalone_crate
    /// # use cache_runtime::{Cache, cacheable};
    /// #[cacheable(key = "reports:<<user>>", ttl = 600, owner = user)]
    /// fn report(user: u64) -> String {
    ///     format!("the report of {user}")
    /// }
    ///
    /// # fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.scope_sync(|| report(7));
    /// assert_eq!(cache.blocking().owner_stats(7)?.misses, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::owner_stats`].
    pub fn owner_stats(&self, id: impl Segment) -> Result<OwnerStats, CacheError> {
        block_on(self.0.owner_stats(id))
    }

    /// See [`Cache::invalidate_owner`].
    ///
    /// ```standalone_crate
    /// # use cache_runtime::{Cache, cacheable};
    /// #[cacheable(key = "reports:<<user>>", ttl = 600, owner = user)]
    /// fn report(user: u64) -> String {
    ///     format!("the report of {user}")
    /// }
    ///
    /// # fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.scope_sync(|| report(7));
    /// assert_eq!(cache.blocking().invalidate_owner(7)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::invalidate_owner`].
    pub fn invalidate_owner(&self, id: impl Segment) -> Result<u64, CacheError> {
        block_on(self.0.invalidate_owner(id))
    }

    /// See [`Cache::health_check`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// assert_eq!(cache.health_check()?.store, "memory");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`]: report its text, which names the cause.
    pub fn health_check(&self) -> Result<Health, CacheError> {
        block_on(self.0.health_check())
    }
}
