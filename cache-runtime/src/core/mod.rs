//! The handle's type and the state that its clones share: the core that every call needs.

pub(crate) mod above;
pub(crate) mod audits;
pub(crate) mod instance;
mod not_stored;
pub(crate) mod owners;
pub(crate) mod prefix;
pub(crate) mod presets;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::entry::Encoding;
use crate::error::CacheError;
use crate::events;
use crate::flight::Flights;
use crate::pattern::Pattern;
use crate::site::Origin;
use crate::stats::{Counter, Counters, Stats};
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::{PendingReply, RedisStore, Target};
use above::Above;
use audits::Audits;
use instance::Instance;
pub(crate) use not_stored::Logged;
use owners::Owners;
use prefix::Prefix;

/// Handle of a cache: cheap to clone, and all clones are one cache.
///
/// Annotated functions use [`Cache::current`]. The operations here are for code without an
/// attribute.
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Cache;
///
/// # async fn run() -> Result<(), cache_runtime::CacheError> {
/// let cache = Cache::builder().prefix("quickpost").build()?;
/// cache.set("greeting", "hello", Duration::from_secs(60)).await?;
/// assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
/// assert_eq!(cache.delete_pattern("greet*").await?, 1);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Clone)]
pub struct Cache {
    pub(crate) inner: Arc<CacheInner>,
}

/// The state that all clones of a handle share.
pub(crate) struct CacheInner {
    pub(crate) prefix: Prefix,
    pub(crate) enabled: bool,
    pub(crate) default_ttl: Duration,
    pub(crate) presets: HashMap<String, Duration>,
    pub(crate) wait_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) encoding: Encoding,
    /// Whether entries in memory are bytes, as in Redis.
    pub(crate) memory_as_bytes: bool,
    pub(crate) logged: Logged,
    pub(crate) store: Store,
    pub(crate) flights: Arc<Flights>,
    pub(crate) counters: Counters,
    pub(crate) owners: Owners,
    pub(crate) instance: Instance,
    /// State of the modules above this one.
    pub(crate) above: Above,
    pub(crate) audits: Audits,
}

impl Cache {
    pub(crate) fn inner(&self) -> &CacheInner {
        &self.inner
    }

    /// Return the TTL of entries that are stored without one of their own.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().default_ttl(Duration::from_secs(60)).build()?;
    /// assert_eq!(cache.default_ttl(), Duration::from_secs(60));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn default_ttl(&self) -> Duration {
        self.inner.default_ttl
    }

    /// Return the prefix of every key of this cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("quickpost").build()?;
    /// assert_eq!(cache.prefix(), "quickpost");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn prefix(&self) -> &str {
        self.inner.prefix.as_str()
    }

    /// Return the key as it appears in Redis and in logs.
    pub(crate) fn full_key(&self, key: &str) -> String {
        format!("{}:{key}", self.inner.prefix)
    }

    /// Return the path and variant that a key of an explicit operation names. A key that begins
    /// with this cache's prefix and `:` is a full key.
    pub(crate) fn stored_key<'k>(&self, key: &'k str) -> &'k str {
        self.inner.prefix.strip(key).unwrap_or(key)
    }

    /// Return the encoding for the value of this key.
    pub(crate) fn encoding_of(&self, key: &str) -> Encoding {
        self.encoding_for(key, None)
    }

    /// Return the encoding for the value of this key, an entry of this owner.
    pub(crate) fn encoding_for(&self, key: &str, owner: Option<&str>) -> Encoding {
        let encoding = self.inner.encoding;
        let limit = owner.and(self.inner.owners.capacity);
        match &self.inner.store {
            Store::Memory(store) => encoding.in_memory(store.room(key, limit)),
            #[cfg(feature = "redis")]
            Store::Redis(_) => {
                // An entry ends with its owner.
                let besides = self.prefix().len() + 1 + key.len() + owner.map_or(0, str::len);
                encoding.in_redis(limit.map(|limit| limit.saturating_sub(besides)))
            }
        }
    }

    /// Return the clock that entries of the memory store expire by. A test moves a
    /// [manual](Clock::manual) one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let cache = cache_runtime::testing::cache(); // with a manual clock
    /// cache.blocking().set("answer", &42, 60)?;
    /// cache.clock().advance(Duration::from_secs(61));
    /// assert!(!cache.blocking().exists("answer")?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }

    /// Return the counters of this cache, in total and for each annotated function.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// assert_eq!((cache.stats().misses, cache.stats().fills), (1, 1));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.inner.counters.snapshot(self.inner.store.size())
    }

    /// Set the counters of [`stats`](Self::stats) to zero. The totals that a metrics system reads
    /// ([`observe`](Self::observe)) go on, since a counter that goes back would be taken for a
    /// restart.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// cache.reset_stats();
    /// assert_eq!((cache.stats().misses, cache.stats().entries), (0, 1));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn reset_stats(&self) {
        self.inner.counters.reset();
        self.inner.owners.calls.reset();
    }

    /// Remove the entries that the patterns match, and return their number. The work begins now,
    /// whether or not the returned future is polled: in memory it is then done, on Redis it is
    /// under way on the cache's thread. Equal patterns are one: two placeholders of a write often
    /// have the same value.
    pub(crate) fn invalidate(
        &self,
        origin: Origin,
        patterns: Vec<Pattern>,
    ) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let patterns = without_repeats(patterns).into_iter();
        let patterns = patterns.map(|pattern| (origin, pattern)).collect();
        self.invalidate_distinct(patterns)
    }

    /// [`invalidate`](Self::invalidate) for patterns of several origins, without a repeated one.
    pub(crate) fn invalidate_distinct(
        &self,
        patterns: Vec<(Origin, Pattern)>,
    ) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let begun = match &self.inner.store {
            Store::Memory(_) => Invalidation::Done(self.invalidate_memory(&patterns)),
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let patterns = patterns.into_iter();
                let targets = patterns.map(|(origin, pattern)| (origin, Target::Pattern(pattern)));
                self.invalidate_redis(store, targets.unzip())
            }
        };
        begun.finish()
    }

    /// Flights first: a flight that stores its value before is found in the store, and one that
    /// ends later can't fill any more.
    fn invalidate_memory(&self, patterns: &[(Origin, Pattern)]) -> u64 {
        let mut total = 0;
        for (origin, pattern) in patterns {
            self.inner.flights.invalidate_matching(pattern);
            let now = self.inner.clock.now();
            let count = self
                .inner
                .store
                .memory()
                .map_or(0, |store| store.remove_matching(pattern, now));
            self.invalidated(*origin, pattern.text(), count);
            total += count;
        }
        total
    }

    /// Remove entries by their keys, and return the number of those that existed. Begins now, like
    /// [`invalidate`](Self::invalidate).
    pub(crate) fn delete_entries(
        &self,
        origin: Origin,
        keys: Vec<Arc<str>>,
    ) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let begun = match &self.inner.store {
            Store::Memory(store) => {
                let now = self.inner.clock.now();
                let removals = keys.iter().map(|key| {
                    // `take`, not `remove`: the value is dropped after the table's lock is released.
                    let taken = self.inner.flights.invalidate_key(key, || store.take(key));
                    let removed = u64::from(taken.is_some_and(|entry| entry.expires > now));
                    self.invalidated(origin, key, removed);
                    removed
                });
                Invalidation::Done(removals.sum())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let targets = keys.into_iter().map(|key| (origin, Target::Key(key)));
                self.invalidate_redis(store, targets.unzip())
            }
        };
        begun.finish()
    }

    /// Remove all entries of an owner, and return their number. Begins now, like
    /// [`invalidate`](Self::invalidate).
    pub(crate) fn delete_owned(
        &self,
        origin: Origin,
        owner: &str,
    ) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let patterns = Self::owner_patterns(owner);
        let begun = match &self.inner.store {
            Store::Memory(store) => {
                // Flights first, as for a pattern. The table doesn't know their owners.
                for pattern in &patterns {
                    self.inner.flights.invalidate_matching(pattern);
                }
                let count = store.remove_owned(owner, self.inner.clock.now());
                self.invalidated(origin, owner, count);
                Invalidation::Done(count)
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let target = Target::Owner(owner.into(), patterns.into());
                self.invalidate_redis(store, (vec![origin], vec![target]))
            }
        };
        begun.finish()
    }

    #[cfg(feature = "redis")]
    fn invalidate_redis(
        &self,
        store: &RedisStore,
        (origins, targets): (Vec<Origin>, Vec<Target>),
    ) -> Invalidation {
        if targets.is_empty() {
            return Invalidation::Done(0);
        }
        let cache = self.clone();
        let begun = store.invalidate(targets, move |number, target, removed| {
            let origin = origins[number];
            match removed {
                Ok(count) => cache.invalidated(origin, target.text(), count),
                Err(error) => {
                    let counters = &cache.inner.counters;
                    counters.add(origin.number, Counter::of(error), 1);
                    counters.add(origin.number, Counter::Postponed, 1);
                    events::postponed(origin, &cache.full_key(target.text()), error);
                }
            }
        });
        Invalidation::Sent(begun)
    }

    fn invalidated(&self, origin: Origin, pattern: &str, count: u64) {
        let counters = &self.inner.counters;
        counters.add(origin.number, Counter::Invalidations, 1);
        counters.add(origin.number, Counter::Invalidated, count);
        if events::wanted(origin.debug) {
            events::invalidate(origin, &self.full_key(pattern), count);
        }
    }
}

/// An invalidation that has begun. Dropping it doesn't stop it.
enum Invalidation {
    Done(u64),
    #[cfg(feature = "redis")]
    Sent(PendingReply<u64>),
}

impl Invalidation {
    async fn finish(self) -> Result<u64, CacheError> {
        match self {
            Self::Done(count) => Ok(count),
            #[cfg(feature = "redis")]
            Self::Sent(reply) => reply.await,
        }
    }
}

/// Return the patterns without those that repeat an earlier one.
pub(crate) fn without_repeats(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    // Nearly always a few: comparing each with the ones before costs less than hashing.
    if patterns.len() <= 16 {
        let mut at = 1;
        while at < patterns.len() {
            let (before, rest) = patterns.split_at(at);
            if before.iter().any(|known| known.text() == rest[0].text()) {
                patterns.remove(at);
            } else {
                at += 1;
            }
        }
        return patterns;
    }
    let mut seen = HashSet::with_capacity(patterns.len());
    patterns.retain(|pattern| seen.insert(pattern.text().to_owned()));
    patterns
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("prefix", &self.prefix())
            .field("store", &self.inner.store.name())
            .field("enabled", &self.inner.enabled)
            .finish_non_exhaustive()
    }
}

/// Return a preset's name in the form that variables have, in lower case: letters may be of either
/// case, and other characters than letters and digits become `_`.
pub(crate) fn preset_key(preset: &str) -> String {
    preset
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, without_repeats};

    #[test]
    fn patterns_that_repeat_an_earlier_one_are_dropped() {
        for copies in [1, 20] {
            let texts = [
                "posts:a:*",
                "posts:b:*",
                "posts:a:*",
                "posts:a",
                "posts:b:*",
            ];
            let patterns = texts.repeat(copies).into_iter().map(Pattern::new).collect();
            let left = without_repeats(patterns);
            let left: Vec<&str> = left.iter().map(Pattern::text).collect();
            assert_eq!(left, ["posts:a:*", "posts:b:*", "posts:a"]);
        }
    }
}
