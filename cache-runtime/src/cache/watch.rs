//! `Cache::watch`: changes of entries, as they happen.

use std::sync::Arc;

use crate::core::Cache;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::Store;
use crate::watch::{Feed, Watch};

impl Cache {
    /// Watch the entries that a pattern matches: each fill, removal and expiry from now on. The
    /// pattern is that of [`delete_pattern`](Self::delete_pattern).
    ///
    /// On Redis these are the changes that any process makes, learned from `CLIENT TRACKING` in its
    /// broadcasting mode, over a connection of its own (one to each master of a cluster). The server
    /// needs no configuration, its user the right `+client|tracking` (and `+strlen`, for sizes). The
    /// server tells of changed keys, and the kind of the change is found out by a look at what is
    /// stored then. So changes of one key that follow each other closely are told as one. If the
    /// connection ends, the watch [says so](crate::ChangeKind::Interrupted), and goes on with a new
    /// one.
    ///
    /// ```
    /// use cache_runtime::{Cache, ChangeKind};
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let mut watch = cache.watch("posts:*").await?;
    /// cache.set("posts:1", "a post", 60).await?;
    /// cache.delete_pattern("posts:*").await?;
    /// let filled = watch.next().await.expect("the cache exists");
    /// assert_eq!((filled.kind, filled.path.as_deref()), (ChangeKind::Filled, Some("posts:1")));
    /// let removed = watch.next().await.expect("the cache exists");
    /// assert_eq!(removed.kind, ChangeKind::Removed);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis can't
    /// be reached, or refuses to report changes: the text names the cause.
    /// [`CacheError::Background`] if the cache's thread can't be started.
    ///
    /// # Cancel safety
    ///
    /// A dropped call watches nothing.
    pub async fn watch(&self, pattern: &str) -> Result<Watch, CacheError> {
        // It wakes the watcher, and is best started here, under no lock.
        runtime::handle()?;
        let feed = Arc::new(Feed::new(self.prefix(), Pattern::new(pattern)));
        match &self.inner().store {
            Store::Memory(store) => {
                store.watchers.add(&feed);
                Ok(Watch::new(feed, None))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let task = store.watch(&feed).await?;
                Ok(Watch::new(feed, Some(task)))
            }
        }
    }
}
