//! `Cache::health_check`: a round trip through the store.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::ops::encode;
use crate::core::Cache;
use crate::entry::Encoding;
use crate::error::CacheError;
use crate::store::Store;

/// State of a cache. Returned by [`Cache::health`] and [`Cache::health_check`].
///
/// Times are serialized as seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// `memory` or `redis`.
    pub store: &'static str,
    /// Whether a value could be stored, read and deleted.
    pub healthy: bool,
    /// Why the cache isn't healthy.
    pub cause: Option<String>,
    /// How long storing a value took; zero if the cache isn't healthy.
    #[serde(serialize_with = "seconds")]
    pub set: Duration,
    /// How long reading it took; zero if the cache isn't healthy.
    #[serde(serialize_with = "seconds")]
    pub get: Duration,
    /// How long deleting it took; zero if the cache isn't healthy.
    #[serde(serialize_with = "seconds")]
    pub delete: Duration,
}

fn seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

impl Cache {
    /// Whether the store is taken to be reachable: the circuit breaker is closed. Asks nobody, and
    /// the memory store always is.
    ///
    /// While the breaker is open, cached functions run their bodies, and invalidations are queued in
    /// this process. [`health`](Cache::health) asks the store, and tells the cause.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// assert!(Cache::builder().build()?.is_available());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn is_available(&self) -> bool {
        match &self.inner().store {
            Store::Memory(_) => true,
            #[cfg(feature = "redis")]
            Store::Redis(store) => !store.is_down(),
        }
    }

    /// Return whether the cache works, and why not: a [`health_check`](Cache::health_check) whose
    /// error is part of the result.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let health = Cache::builder().build()?.health().await;
    /// assert!(health.healthy);
    /// assert_eq!((health.store, health.cause), ("memory", None));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As for [`health_check`](Cache::health_check).
    pub async fn health(&self) -> Health {
        self.health_check().await.unwrap_or_else(|error| Health {
            store: self.inner().store.name(),
            healthy: false,
            cause: Some(error.to_string()),
            set: Duration::ZERO,
            get: Duration::ZERO,
            delete: Duration::ZERO,
        })
    }

    /// Store, read and delete a value, and measure how long each takes.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let health = Cache::builder().build()?.health_check().await?;
    /// assert_eq!(health.store, "memory");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`]: report its text, which names the cause. `CacheError::Store` also
    /// says that the memory store has no room for a value. Counters don't change.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, a key `<prefix>:cache-health:..` may remain
    /// for at most ten seconds.
    pub async fn health_check(&self) -> Result<Health, CacheError> {
        // Each check has a key of its own, so that concurrent checks don't read each other's value.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = format!("cache-health:{}-{number}", std::process::id());
        // The default encoding: the cache's options for values don't apply to this one.
        let bytes = encode(&number, &Encoding::default())?;
        let ((), set) = timed(self.store_bytes(&key, bytes, Duration::from_secs(10))).await?;
        let (found, get) = timed(self.load_value::<u64>(&key)).await?;
        let (deleted, delete) = timed(self.remove_value(&key)).await?;
        if found != Some(number) || !deleted {
            let reason = match self.inner().store.memory() {
                Some(_) => {
                    "the memory store has no room for a single value; raise `memory_capacity`, or disable the cache with `enabled(false)`"
                }
                None => "the store didn't return the value that was just stored",
            };
            return Err(CacheError::Store {
                source: std::sync::Arc::from(Box::from(reason)),
            });
        }
        Ok(Health {
            store: self.inner().store.name(),
            healthy: true,
            cause: None,
            set,
            get,
            delete,
        })
    }
}

async fn timed<T>(
    operation: impl Future<Output = Result<T, CacheError>>,
) -> Result<(T, Duration), CacheError> {
    let started = Instant::now();
    let output = operation.await?;
    Ok((output, started.elapsed()))
}
