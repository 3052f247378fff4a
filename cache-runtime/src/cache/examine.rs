//! `Cache::examine`: a bounded look at keys and at the index.

use serde::Serialize;

use super::inspect::Inspection;
use crate::core::Cache;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::Examined;

/// Number of large entries that are kept.
const LARGEST: usize = 5;

/// A look at keys and at the index. Returned by [`Cache::examine`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Examination {
    /// Number of keys that were looked at.
    pub keys: u64,
    /// Whether these are all keys of the cache's prefix.
    pub all: bool,
    /// Number of these that are no entry of this release: another program's, or of another format.
    pub unknown: u64,
    /// Some of these.
    pub unknown_keys: Vec<String>,
    /// Number of these that are entries and not in the index. An invalidation by pattern doesn't find
    /// them.
    pub unindexed: u64,
    /// Some of these.
    pub unindexed_keys: Vec<String>,
    /// The largest ones of these, the largest first.
    pub largest: Vec<Inspection>,
    /// Number of the index's members that were looked at, chosen at random.
    pub members: u64,
    /// Number of these whose entry is gone. Fills and a task of each process drop them.
    pub dead_members: u64,
}

impl Cache {
    /// Look at some keys, and at some members of the index, for a person who looks for a problem.
    /// Changes nothing.
    ///
    /// `keys` is the number of keys to look at, approximately. On Redis they are found by `SCAN`,
    /// 500,000 keys of all programs at most, and the server reads the value of each to learn its
    /// length, unless the user may run `STRLEN`. The memory store and its index always agree.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("a", vec![0_u8; 10]), ("b", vec![0; 1_000])], 60).await?;
    /// let seen = cache.examine(1_000).await?;
    /// assert_eq!((seen.keys, seen.all, seen.unindexed), (2, true, 0));
    /// assert_eq!(seen.largest[0].path, "b");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn examine(&self, keys: usize) -> Result<Examination, CacheError> {
        match &self.inner().store {
            Store::Memory(store) => {
                let limit = keys.saturating_add(1);
                let now = self.inner().clock.now();
                let mut found = store.list(&Pattern::new("*"), limit, now);
                let all = found.len() <= keys;
                found.truncate(keys);
                let keys = found.len() as u64;
                found.sort_by_key(|entry| std::cmp::Reverse(entry.bytes));
                let largest = found.into_iter().take(LARGEST);
                Ok(Examination {
                    keys,
                    all,
                    unknown: 0,
                    unknown_keys: Vec::new(),
                    unindexed: 0,
                    unindexed_keys: Vec::new(),
                    largest: largest.map(|entry| self.of_memory(entry, false)).collect(),
                    members: keys,
                    dead_members: 0,
                })
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => Ok(self.examination(store.examine(keys).await?)),
        }
    }

    #[cfg(feature = "redis")]
    fn examination(&self, examined: Examined) -> Examination {
        let full = |keys: Vec<String>| keys.iter().map(|key| self.full_key(key)).collect();
        let largest = examined.largest.iter();
        let largest = largest.map(|entry| self.of_facts(entry));
        Examination {
            keys: examined.keys,
            all: examined.all,
            unknown: examined.unknown,
            unknown_keys: full(examined.unknown_keys),
            unindexed: examined.unindexed,
            unindexed_keys: full(examined.unindexed_keys),
            largest: largest.take(LARGEST).collect(),
            members: examined.members,
            dead_members: examined.dead_members,
        }
    }
}
