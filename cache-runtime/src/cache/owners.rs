//! Explicit operations on the entries of one owner.

use serde::Serialize;

use crate::core::Cache;
use crate::core::owners::is_somebody;
use crate::error::CacheError;
use crate::key::segment::{Segment, segment_text};
use crate::site::Origin;
use crate::stats::hit_rate;
use crate::store::Store;

/// Calls, entries and bytes of one owner. Returned by [`Cache::owner_stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OwnerStats {
    /// Calls answered from the store, with an expired value or by another caller's computation.
    pub hits: u64,
    /// Calls that ran the body.
    pub misses: u64,
    /// The part of calls that are hits, from 0 to 1; 0 before the first call.
    pub hit_rate: f64,
    /// Number of unexpired entries.
    pub entries: u64,
    /// Bytes of these entries and their keys.
    pub bytes: u64,
}

impl OwnerStats {
    fn new((hits, misses): (u64, u64), (entries, bytes): (u64, u64)) -> Self {
        Self {
            hits,
            misses,
            hit_rate: hit_rate(hits, misses),
            entries,
            bytes,
        }
    }
}

impl Cache {
    /// Return the calls, entries and bytes of one owner: calls of functions with `owner`, and the
    /// entries that they have stored for this owner. `id` is the value that `owner` has, such as the
    /// ID of a user.
    ///
    /// A process counts for 65,536 owners; of more, the least active are forgotten. On Redis, the
    /// processes add up their calls every 5 s, this one's are always included, and the sums of an
    /// owner without calls for a week are dropped. [`reset_stats`](Self::reset_stats) resets only
    /// calls that aren't in Redis yet.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "reports:<<user>>", ttl = 600, owner = user)]
    /// async fn report(user: u64) -> String {
    ///     format!("the report of {user}")
    /// }
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// for _ in 0..4 {
    ///     cache.scope(report(7)).await;
    /// }
    /// let stats = cache.owner_stats(7).await?;
    /// assert_eq!((stats.hits, stats.misses, stats.hit_rate), (3, 1, 0.75));
    /// assert_eq!(stats.entries, 1);
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
    pub async fn owner_stats(&self, id: impl Segment) -> Result<OwnerStats, CacheError> {
        let owner = segment_text(&id);
        if !is_somebody(&owner) {
            return Ok(OwnerStats::default());
        }
        let inner = self.inner();
        match &inner.store {
            Store::Memory(store) => {
                let calls = inner.owners.calls.get(&owner);
                let size = store.owned_size(&owner, inner.clock.now());
                Ok(OwnerStats::new((calls.hits, calls.misses), size))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let known = self.owner_in_redis(store, owner.into()).await?;
                let calls = (known.hits, known.misses);
                Ok(OwnerStats::new(calls, (known.entries, known.bytes)))
            }
        }
    }

    /// Remove all entries of an owner, and return their number. `id` is the value that `owner` has.
    /// The cost is proportional to that number. Entries that were stored by an explicit operation have no owner, and stay.
    ///
    /// As after any invalidation, no value that was computed before is served afterwards.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "reports:<<id>>", ttl = 600, owner = user)]
    /// async fn report(user: u64, id: u64) -> String {
    ///     format!("report {id} of {user}")
    /// }
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// for (user, id) in [(7, 1), (7, 2), (8, 1)] {
    ///     cache.scope(report(user, id)).await;
    /// }
    /// assert_eq!(cache.invalidate_owner(7).await?, 2);
    /// assert_eq!(cache.owner_stats(8).await?.entries, 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it. What is queued are patterns: those of a function whose key doesn't
    /// name the owner remove the entries of all owners.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn invalidate_owner(&self, id: impl Segment) -> Result<u64, CacheError> {
        let owner = segment_text(&id);
        if !is_somebody(&owner) {
            return Ok(0);
        }
        self.delete_owned(Origin::explicit("invalidate_owner"), &owner)
            .await
    }
}
