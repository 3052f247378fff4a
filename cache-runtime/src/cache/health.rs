use std::time::{Duration, Instant};

use super::ops::encode;
use crate::core::Cache;
use crate::entry::Encoding;
use crate::error::CacheError;

/// What [`Cache::health_check`] measured.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// `memory` or `redis`.
    pub store: &'static str,
    /// How long storing a value took.
    pub set: Duration,
    /// How long reading it took.
    pub get: Duration,
    /// How long deleting it took.
    pub delete: Duration,
}

impl Cache {
    /// Stores, reads and deletes a value, and tells how long each took.
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
    /// What the store failed with. Counters aren't touched.
    ///
    /// # Cancel safety
    ///
    /// Dropped in between, it may leave a key `<prefix>:cache-health:..` for at most ten seconds.
    pub async fn health_check(&self) -> Result<Health, CacheError> {
        // A name of its own for each check, so that two don't read each other's.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = format!("cache-health:{}-{number}", std::process::id());
        // Whatever the cache says of its values: this is none of them.
        let bytes = encode(&number, &Encoding::default())?;
        let ((), set) = timed(self.store_bytes(&key, bytes, Duration::from_secs(10))).await?;
        let (found, get) = timed(self.load_value::<u64>(&key)).await?;
        let (deleted, delete) = timed(self.remove_value(&key)).await?;
        if found != Some(number) || !deleted {
            let reason = match self.inner().store.memory() {
                Some(_) => {
                    "the store has no room for a value; raise `memory_capacity`, or use `enabled(false)`"
                }
                None => "the store didn't give back the value that was stored in it",
            };
            return Err(CacheError::Store {
                source: std::sync::Arc::from(Box::from(reason)),
            });
        }
        Ok(Health {
            store: self.inner().store.name(),
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
