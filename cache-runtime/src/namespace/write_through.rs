//! Write-through to a key of a namespace.

use std::future::Future;

use super::{BlockingNamespace, KeyParts, Namespace};
use crate::value::{Settable, Storable};

/// Write-through: after the source has a value, the cache has it. See
/// [`Cache::write_through`](crate::Cache::write_through).
impl Namespace {
    /// Persist a value by `persist`, and store it for the namespace's TTL, as
    /// [`Cache::write`](crate::Cache::write).
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let persist = || async { Ok::<_, std::io::Error>(()) }; // INSERT ..
    /// chat.write(("conversation", 123, "title"), "Lunch", persist).await.expect("persisted");
    /// let title = chat.get::<String, _>(("conversation", 123, "title")).await?;
    /// assert_eq!(title.as_deref(), Some("Lunch"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `persist`. The key is then invalidated.
    ///
    /// # Cancel safety
    ///
    /// That of [`Cache::write_through`](crate::Cache::write_through).
    pub async fn write<V, T, E, F, Fut>(
        &self,
        parts: impl KeyParts,
        value: &V,
        persist: F,
    ) -> Result<T, E>
    where
        V: Settable + ?Sized,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let key = self.key(parts);
        self.cache.write(&key, value, self.ttl, persist).await
    }

    /// Persist a value, and store the value that `persist` returns for the namespace's TTL, as
    /// [`Cache::write_through`](crate::Cache::write_through).
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let saved: Result<u32, std::io::Error> = chat
    ///     .write_through(("unread", 42), || async { Ok(7) }) // UPDATE .. RETURNING ..
    ///     .await;
    /// assert_eq!(chat.get::<u32, _>(("unread", 42)).await?, saved.ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `persist`. The key is then invalidated.
    ///
    /// # Cancel safety
    ///
    /// That of [`Cache::write_through`](crate::Cache::write_through).
    pub async fn write_through<T, E, F, Fut>(
        &self,
        parts: impl KeyParts,
        persist: F,
    ) -> Result<T, E>
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let key = self.key(parts);
        self.cache.write_through(&key, self.ttl, persist).await
    }
}

/// Write-through for callers that don't await.
impl BlockingNamespace {
    /// See [`Namespace::write`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// let id: Result<u32, std::io::Error> = chat.write(("unread", 42), &7, || Ok(1));
    /// assert_eq!((id.ok(), chat.get::<i32, _>(("unread", 42))?), (Some(1), Some(7)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::write`].
    pub fn write<V: Settable + ?Sized, T, E>(
        &self,
        parts: impl KeyParts,
        value: &V,
        persist: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let Namespace { cache, ttl, .. } = self.namespace();
        let key = self.namespace().key(parts);
        cache.blocking().write(&key, value, *ttl, persist)
    }

    /// See [`Namespace::write_through`].
    ///
    /// ```
    /// # let chat = cache_runtime::Cache::builder().build()?.namespace("chat").blocking();
    /// let saved: Result<u32, std::io::Error> = chat.write_through(("unread", 42), || Ok(7));
    /// assert_eq!(chat.get::<u32, _>(("unread", 42))?, saved.ok());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Namespace::write_through`].
    pub fn write_through<T: Storable, E>(
        &self,
        parts: impl KeyParts,
        persist: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let Namespace { cache, ttl, .. } = self.namespace();
        let key = self.namespace().key(parts);
        cache.blocking().write_through(&key, *ttl, persist)
    }
}
