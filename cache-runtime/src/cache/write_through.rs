//! Write-through without an attribute.

use std::future::Future;

use crate::cache::BlockingCache;
use crate::cache::ops;
use crate::core::Cache;
use crate::read::fill::conclude::{ttl_unset, unless_unset};
use crate::ttl::IntoTtl;
use crate::value::shape::{InResult, Returns, Whole};
use crate::value::{Settable, Storable};
use crate::write_through::{
    self, WriteThrough, WriteThroughFuture, write_through_async, write_through_sync,
};

/// Write-through: after the source has a value, the cache has it, and the next read is a hit.
///
/// The key's entry is gone from the moment the write begins. Calls that read the key meanwhile run
/// their body, and store nothing. An invalidation that comes in between wins, and so does another
/// write-through of the key: two that overlap commit in an order that the cache can't know, so
/// neither stores its value, and the key is invalidated.
impl Cache {
    /// Persist a value, and store the value that `persist` returns.
    ///
    /// A failure of the cache isn't returned. If Redis is away, the key's invalidation is queued,
    /// as for [`delete`](Cache::delete).
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let saved: Result<String, std::io::Error> = cache
    ///     .write_through("posts:1:title", 60, || async {
    ///         Ok("new".to_owned()) // UPDATE posts .. RETURNING title
    ///     })
    ///     .await;
    /// assert_eq!(saved.expect("persisted"), "new");
    /// assert_eq!(cache.get::<String>("posts:1:title").await?.as_deref(), Some("new"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `persist`. Whether it has persisted anything isn't known, so the key is
    /// invalidated.
    ///
    /// # Panics
    ///
    /// If `persist` panics, after the key is invalidated.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is polled, nothing has happened. After that, the outcome is unknown, and
    /// the key is invalidated: in memory at once, in Redis by work that has begun and finishes
    /// without its caller.
    pub fn write_through<T, E, F, Fut>(
        &self,
        key: &str,
        ttl: impl IntoTtl,
        persist: F,
    ) -> impl Future<Output = Result<T, E>>
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let plan = WriteThrough::of_call(self.explicit_call("write_through", key, ttl));
        let returns = Returns::<Result<T, E>, InResult<Whole>>::NEW;
        write_through_async(plan, returns, ttl_unset, unless_unset, async move {
            persist().await
        })
    }

    /// Persist a value by `persist`, and store it. Unlike with
    /// [`write_through`](Cache::write_through), the value is known before; it is encoded now.
    ///
    /// A value that can't be stored, because it is too large for instance, is counted and logged,
    /// and persisted all the same. The key is then invalidated.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let persist = || async { Ok::<_, std::io::Error>(1) }; // INSERT .., which returns its id
    /// let id = cache.write("posts:1:title", "new", 60, persist).await;
    /// assert_eq!(id.expect("persisted"), 1);
    /// assert_eq!(cache.get::<String>("posts:1:title").await?.as_deref(), Some("new"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`write_through`](Cache::write_through).
    ///
    /// # Panics
    ///
    /// As for [`write_through`](Cache::write_through).
    ///
    /// # Cancel safety
    ///
    /// As for [`write_through`](Cache::write_through).
    pub fn write<V, T, E, F, Fut>(
        &self,
        key: &str,
        value: &V,
        ttl: impl IntoTtl,
        persist: F,
    ) -> impl Future<Output = Result<T, E>>
    where
        V: Settable + ?Sized,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let (plan, conclusion) = self.plan_write(key, value, ttl);
        WriteThroughFuture::new(plan, conclusion, async move { persist().await })
    }

    fn plan_write<V: Settable + ?Sized>(
        &self,
        key: &str,
        value: &V,
        ttl: impl IntoTtl,
    ) -> (WriteThrough, write_through::ByValue) {
        let call = self.explicit_call("write", key, ttl);
        let ttl = call.ttl.unwrap_or(self.inner().default_ttl);
        let encoded = self.inner().enabled.then(|| {
            let encoded = ops::encode(value, &self.encoding_of(&call.key));
            encoded.inspect_err(|error| call.not_stored(error)).ok()
        });
        let conclusion = write_through::by_value(encoded.flatten(), ttl);
        (WriteThrough::of_call(call), conclusion)
    }
}

/// Write-through for callers that don't await.
impl BlockingCache {
    /// See [`Cache::write_through`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// let saved: Result<u32, std::io::Error> = cache.write_through("posts:1:likes", 60, || Ok(7));
    /// assert_eq!(saved.expect("persisted"), 7);
    /// assert_eq!(cache.get("posts:1:likes")?, Some(7_u32));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `persist`, after the key is invalidated.
    ///
    /// # Panics
    ///
    /// If `persist` panics, after the key is invalidated.
    pub fn write_through<T: Storable, E>(
        &self,
        key: &str,
        ttl: impl IntoTtl,
        persist: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let plan = WriteThrough::of_call(self.cache().explicit_call("write_through", key, ttl));
        let returns = Returns::<Result<T, E>, InResult<Whole>>::NEW;
        write_through_sync(plan, returns, ttl_unset, unless_unset, persist)
    }

    /// See [`Cache::write`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// let id: Result<u32, std::io::Error> = cache.write("posts:1:title", "new", 60, || Ok(1));
    /// assert_eq!(id.expect("persisted"), 1);
    /// assert_eq!(cache.get::<String>("posts:1:title")?.as_deref(), Some("new"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `persist`, after the key is invalidated.
    ///
    /// # Panics
    ///
    /// If `persist` panics, after the key is invalidated.
    pub fn write<V: Settable + ?Sized, T, E>(
        &self,
        key: &str,
        value: &V,
        ttl: impl IntoTtl,
        persist: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let (plan, conclusion) = self.cache().plan_write(key, value, ttl);
        write_through::run_blocking(plan, conclusion, persist)
    }
}
