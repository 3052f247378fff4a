//! The operations of a namespace for callers without an async runtime.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{KeyParts, Namespace};
use crate::cache::BlockingCache;
use crate::error::CacheError;
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::{Settable, Storable};

/// The operations of a [`Namespace`] for callers that don't await. Created by
/// [`Namespace::blocking`]. Each blocks its thread for as long as the operation of the same name
/// would wait, and has the same errors.
///
/// ```
/// use cache_runtime::Cache;
///
/// let chat = Cache::builder().build()?.namespace("chat").blocking();
/// chat.set(("unread", 42), &7)?;
/// assert_eq!(chat.get::<i32, _>(("unread", 42))?, Some(7));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockingNamespace(Namespace);

impl Namespace {
    /// Return a handle of the same namespace with blocking operations.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.blocking().set("online", &3)?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn blocking(&self) -> BlockingNamespace {
        BlockingNamespace(self.clone())
    }
}

impl BlockingNamespace {
    pub(super) fn namespace(&self) -> &Namespace {
        &self.0
    }

    fn cache(&self) -> BlockingCache {
        self.0.cache.blocking()
    }

    /// See [`Namespace::get`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.get::<i32, _>(("unread", 42))?, None);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::get`].
    pub fn get<T: DeserializeOwned + 'static, P: KeyParts>(
        &self,
        parts: P,
    ) -> Result<Option<T>, CacheError> {
        block_on(self.0.get(parts))
    }

    /// See [`Namespace::get_or`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.get_or(("unread", 42), 0)?, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::get`].
    pub fn get_or<T: DeserializeOwned + 'static>(
        &self,
        parts: impl KeyParts,
        default: T,
    ) -> Result<T, CacheError> {
        block_on(self.0.get_or(parts, default))
    }

    /// See [`Namespace::set`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// chat.set(("unread", 42), &7)?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::set`].
    pub fn set<T: Settable + ?Sized>(
        &self,
        parts: impl KeyParts,
        value: &T,
    ) -> Result<(), CacheError> {
        block_on(self.0.set(parts, value))
    }

    /// See [`Namespace::set_for`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// chat.set_for(("typing", 42), &true, 5)?; // seconds
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::set_for`].
    pub fn set_for<T: Settable + ?Sized>(
        &self,
        parts: impl KeyParts,
        value: &T,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        block_on(self.0.set_for(parts, value, ttl))
    }

    /// See [`Namespace::delete`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert!(!chat.delete(("unread", 42))?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::delete`].
    pub fn delete(&self, parts: impl KeyParts) -> Result<bool, CacheError> {
        block_on(self.0.delete(parts))
    }

    /// See [`Namespace::exists`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert!(!chat.exists(("unread", 42))?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::get`].
    pub fn exists(&self, parts: impl KeyParts) -> Result<bool, CacheError> {
        block_on(self.0.exists(parts))
    }

    /// Return the remaining TTL of a key; `None` if it isn't cached.
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.ttl(("unread", 42))?, None);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::get`].
    pub fn ttl(&self, parts: impl KeyParts) -> Result<Option<Duration>, CacheError> {
        self.cache().ttl(&self.0.key(parts))
    }

    /// See [`Namespace::get_many`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// let unread = chat.get_many::<i32, _>([("unread", 1), ("unread", 2)])?;
    /// assert_eq!(unread, [None, None]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::get_many`].
    pub fn get_many<T: DeserializeOwned + 'static, P: KeyParts>(
        &self,
        keys: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        block_on(self.0.get_many(keys))
    }

    /// See [`Namespace::set_many`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// chat.set_many([(("unread", 1), 7), (("unread", 2), 9)])?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::set_many`].
    pub fn set_many<P: KeyParts, V: Settable>(
        &self,
        entries: impl IntoIterator<Item = (P, V)>,
    ) -> Result<(), CacheError> {
        block_on(self.0.set_many(entries))
    }

    /// See [`Namespace::get_or_set`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.get_or_set(("unread", 42), || 7), 7);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn get_or_set<T: Storable>(&self, parts: impl KeyParts, compute: impl FnOnce() -> T) -> T {
        self.cache()
            .get_or_set(&self.0.key(parts), self.0.ttl, compute)
    }

    /// See [`Namespace::try_get_or_set`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.try_get_or_set(("unread", 42), || "7".parse::<u32>()), Ok(7));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `compute`.
    pub fn try_get_or_set<T: Storable, E>(
        &self,
        parts: impl KeyParts,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.cache()
            .try_get_or_set(&self.0.key(parts), self.0.ttl, compute)
    }

    /// See [`Namespace::fetch`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.fetch(("unread", 42), || 7), 7);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn fetch<T: Storable>(&self, parts: impl KeyParts, compute: impl FnOnce() -> T) -> T {
        self.get_or_set(parts, compute)
    }

    /// See [`Namespace::invalidate`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.invalidate("unread:*")?, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::invalidate`].
    pub fn invalidate(&self, pattern: impl AsRef<str>) -> Result<u64, CacheError> {
        block_on(self.0.invalidate(pattern))
    }

    /// See [`Namespace::clear`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// assert_eq!(chat.clear()?, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::clear`].
    pub fn clear(&self) -> Result<u64, CacheError> {
        block_on(self.0.clear())
    }
}
