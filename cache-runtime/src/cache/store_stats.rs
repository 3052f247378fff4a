//! Figures of the store itself.

use serde::Serialize;

use crate::core::Cache;
use crate::error::CacheError;
use crate::store::Store;

/// Figures of the store. Returned by [`Cache::store_stats`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreStats {
    /// `memory` or `redis`.
    pub store: &'static str,
    /// Number of entries of this cache's prefix. Entries that have expired may be included for a
    /// while.
    pub entries: u64,
    /// Memory store: approximate bytes that the entries take. Redis: bytes that the server has
    /// allocated in all, its `used_memory`; in a cluster the sum of all masters.
    pub bytes: u64,
    /// Entries evicted to make room. Redis: keys of all programs since the server started, its
    /// `evicted_keys`.
    pub evictions: u64,
}

impl Cache {
    /// Return figures of the store, which on Redis the server knows.
    ///
    /// On Redis this sends some twenty read-only commands, one after the other: it is meant for
    /// dashboards, not for each request. The user needs `INFO` and `ZLEXCOUNT`, which no cached call
    /// needs.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("a", &1, 60).await?;
    /// let stats = cache.store_stats().await?;
    /// assert_eq!((stats.store, stats.entries, stats.evictions), ("memory", 1, 0));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The store's failure: [`CacheError::Store`] if the user lacks a permission (which is
    /// no outage), [`CacheError::Unavailable`] or [`CacheError::Timeout`] during an outage.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn store_stats(&self) -> Result<StoreStats, CacheError> {
        let store = self.inner().store.name();
        match &self.inner().store {
            Store::Memory(memory) => {
                let (entries, bytes) = memory.size();
                Ok(StoreStats {
                    store,
                    entries,
                    bytes,
                    evictions: memory.evicted(),
                })
            }
            #[cfg(feature = "redis")]
            Store::Redis(redis) => {
                let server = redis.server_stats().await?;
                Ok(StoreStats {
                    store,
                    entries: server.entries,
                    bytes: server.used_memory,
                    evictions: server.evicted_keys,
                })
            }
        }
    }
}
