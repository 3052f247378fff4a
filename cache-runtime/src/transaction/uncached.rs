//! Running without the cache: within a transaction, or for a look at the source.

use std::future::Future;

use crate::core::Cache;
use crate::current::EnteredUncached;
use crate::entered::{Enter, Entered};

/// Running without the cache.
impl Cache {
    /// Run the future without any cache: each cached function that it calls runs its body, reads
    /// nothing from a cache, stores nothing, and doesn't wait for other callers.
    ///
    /// For code within a database transaction, whose reads see rows that aren't committed, or rows
    /// of an older snapshot. `get_or_set` and its kin run uncached, too. Other explicit operations,
    /// such as [`get`](Cache::get) and [`set`](Cache::set), and invalidations work as ever. Tasks
    /// that the future spawns aren't affected.
    ///
    /// ```
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "answer")]
    /// async fn answer() -> u32 {
    ///     42
    /// }
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.scope(async {
    ///     Cache::uncached(answer()).await;
    ///     assert_eq!(cache.stats().entries, 0);
    ///     answer().await;
    ///     assert_eq!(cache.stats().entries, 1);
    /// })
    /// .await;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `future`.
    pub fn uncached<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
        Entered::new(Uncached, future)
    }

    /// [`uncached`](Cache::uncached) for blocking code of this thread.
    ///
    /// ```
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "answer")]
    /// fn answer() -> u32 {
    ///     42
    /// }
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.scope_sync(|| Cache::uncached_sync(answer));
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn uncached_sync<T>(run: impl FnOnce() -> T) -> T {
        let _entered = EnteredUncached::new();
        run()
    }
}

/// The setting of a future whose cached calls run uncached.
struct Uncached;

impl Enter for Uncached {
    type Guard = EnteredUncached;
    fn enter(&self) -> EnteredUncached {
        EnteredUncached::new()
    }
}
