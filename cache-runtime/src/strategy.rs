//! `CacheStrategy`: an entry as a type, for those who like classes.

use std::borrow::Borrow;
use std::future::Future;
use std::time::Duration;

use crate::core::Cache;
use crate::error::CacheError;
use crate::value::Storable;

/// An entry that the fields of a struct identify. Implemented by
/// [`#[derive(CacheStrategy)]`](derive@crate::CacheStrategy), which shows it in use.
///
/// All operations use [`Cache::current`].
pub trait CacheStrategy: Sync {
    /// The type of the value.
    type Value: Storable;

    /// Return the path of the entry, for [`Cache::get`] and its kin.
    fn path(&self) -> String;

    /// Return the TTL of the entry; `None` for the cache's default.
    fn time_to_live(&self) -> Option<Duration>;

    /// Return the value, if it is cached.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::get`]: treat the entry as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    fn get(&self) -> impl Future<Output = Result<Option<Self::Value>, CacheError>> + Send {
        let path = self.path();
        async move { Cache::current().get(&path).await }
    }

    /// Store the value, replacing any other.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    fn set(&self, value: &Self::Value) -> impl Future<Output = Result<(), CacheError>> + Send {
        let (path, ttl) = (self.path(), self.time_to_live());
        async move { Cache::current().set(&path, value, ttl).await }
    }

    /// Remove the entry. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::delete`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    fn invalidate(&self) -> impl Future<Output = Result<bool, CacheError>> + Send {
        let path = self.path();
        async move { Cache::current().delete(&path).await }
    }

    /// Return the value, or compute and store it (cache-aside). Many callers of a missing entry
    /// share one computation.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it computes, another waiting caller takes over.
    fn fetch<F, Fut>(&self, compute: F) -> impl Future<Output = Self::Value> + Send
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Self::Value> + Send,
    {
        let (path, ttl) = (self.path(), self.time_to_live());
        async move { Cache::current().get_or_set(&path, ttl, compute).await }
    }

    /// Persist the value, and store it once the source has it (write-through). Returns the result
    /// of `persist`. See [`Cache::write`].
    ///
    /// # Errors
    ///
    /// The error of `persist`. The entry is removed then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped once it has been polled, the entry is removed.
    fn write<T, E, F, Fut>(
        &self,
        value: impl Borrow<Self::Value> + Send,
        persist: F,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: Send,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        let (path, ttl) = (self.path(), self.time_to_live());
        async move {
            // Cloned, so that the caller's value needn't be `Sync` in the future.
            let value = value.borrow().clone();
            Cache::current().write(&path, &value, ttl, persist).await
        }
    }
}
