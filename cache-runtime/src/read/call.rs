//! The path of a call after a miss, until the decision to use a cached value, compute one or bypass
//! the cache. Not generic: one copy serves all annotated functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::{Moment, Stopwatch};
use crate::core::Cache;
use crate::entry::Encoding;
use crate::entry::age::Age;
use crate::entry::payload::Payload;
#[cfg(feature = "redis")]
use crate::error::CacheError;
use crate::events;
use crate::flight::{Flight, Wait, WaitOutcome};
use crate::read::audit::Ticket;
use crate::read::decision::{Accept, Decision};
use crate::read::freshness::Freshness;
use crate::read::presets::Presets;
use crate::read::refresh::early;
use crate::read::staleness::StalenessOf;
use crate::site::{Origin, ReadOptions};
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::stats::looks::Looks;
#[cfg(feature = "redis")]
use crate::store::redis::RedisStore;
use crate::tally;

/// One call for one entry.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) cache: Cache,
    pub(crate) origin: Origin,
    /// Path and variant, without the prefix.
    pub(crate) key: Arc<str>,
    pub(crate) version: u32,
    pub(crate) cache_none: bool,
    /// Whose entry it is, if anybody's.
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) options: ReadOptions,
    /// How long past its TTL an entry may be used, where each value says so itself.
    pub(crate) own_staleness: Option<StalenessOf>,
    /// How long the call waits for other callers, if not for the cache's `wait_timeout`.
    pub(crate) wait_limit: Option<Duration>,
    /// The TTL, where it is known before the body has run.
    pub(crate) ttl: Option<Duration>,
    /// Compute even if an entry is cached.
    pub(crate) refresh: bool,
    /// The `fresh_until` of the entry that the lookup found due for an early refresh. An entry that
    /// was stored since then isn't due.
    pub(crate) due: Option<Moment>,
    /// Where the entry is noted that answers the call, if it is to be audited.
    pub(crate) audit: Option<Arc<Ticket>>,
    /// Whether the caller's thread is blocked until the call returns.
    pub(crate) blocking: bool,
}

impl Call {
    /// Return the presets that the TTL of this call may name.
    pub(crate) fn presets(&self) -> Presets<'_> {
        Presets {
            cache: &self.cache,
            origin: self.origin,
        }
    }

    pub(crate) fn count(&self, counter: Counter) {
        self.cache
            .inner()
            .counters
            .add(self.origin.number, counter, 1);
        if let Some(owner) = &self.owner {
            self.count_owner(owner, counter);
        }
    }

    #[cold]
    fn count_owner(&self, owner: &str, counter: Counter) {
        match counter {
            Counter::Hits
            | Counter::NearHits
            | Counter::Waits
            | Counter::Stale
            | Counter::StaleOnError => self.cache.count_owner(owner, true),
            Counter::Misses | Counter::Bypasses => self.cache.count_owner(owner, false),
            _ => {}
        }
    }

    /// Return the encoding for the call's value.
    pub(crate) fn encoding(&self) -> Encoding {
        let owner = self.owner.as_deref();
        self.cache.encoding_for(&self.key, owner)
    }

    pub(crate) fn event(&self, emit: impl FnOnce(Origin, &str)) {
        if events::wanted(self.origin.debug) {
            emit(self.origin, &self.cache.full_key(&self.key));
        }
    }

    #[cfg(feature = "redis")]
    fn failed(&self, error: &CacheError) {
        events::error(self.origin.function, &self.cache.full_key(&self.key), error);
    }

    /// Count and log a failure of the store. A failure during an outage isn't logged as an error:
    /// the outage is logged once, where it is noticed.
    #[cfg(feature = "redis")]
    pub(crate) fn store_failed(&self, store: &RedisStore, error: &CacheError) {
        self.count(Counter::of(error));
        // The breaker that refused this call may have closed since.
        if matches!(error, CacheError::Unavailable { .. }) || store.is_down() {
            tracing::debug!(target: "cache", function = self.origin.function, op = "error", "[Cache] ERROR: {}: {error}", self.cache.full_key(&self.key));
        } else {
            self.failed(error);
        }
    }

    pub(crate) fn hit(&self) {
        self.count(Counter::Hits);
        self.event(events::hit);
    }

    /// Count a hit in the near cache.
    #[cfg(feature = "redis")]
    pub(crate) fn near_hit(&self) {
        self.count(Counter::NearHits);
        self.event(events::hit);
    }

    /// Return how long the body took, and record it.
    pub(crate) fn took(&self, watch: &Stopwatch) -> Duration {
        let took = watch.elapsed();
        self.computed(took);
        took
    }

    /// Record how long a body took.
    pub(crate) fn computed(&self, took: Duration) {
        let counters = &self.cache.inner().counters;
        counters.computed(self.origin.number, took);
    }

    /// Count that a value is computed.
    pub(crate) fn missed(&self) {
        tally::computed();
        self.count(Counter::Misses);
        self.event(events::miss);
    }

    /// Whether the call probably finds no entry in Redis, judging by the last ones of its function.
    #[cfg(feature = "redis")]
    pub(crate) fn is_miss_likely(&self) -> bool {
        let looks = self.cache.inner().counters.looks(self.origin.number);
        looks.is_some_and(Looks::is_miss_likely)
    }

    /// Note whether the call has found an entry in Redis. A wait or a bypass says nothing about it.
    #[cfg(feature = "redis")]
    pub(crate) fn note_outcome(&self, step: &Decision) {
        let Some(looks) = self.cache.inner().counters.looks(self.origin.number) else {
            return;
        };
        match step {
            Decision::Hit | Decision::HitFromRedis(_) => looks.found(),
            Decision::Compute(_) if !self.refresh => looks.missed(),
            _ => {}
        }
    }

    /// Whether a cached value may be recomputed.
    pub(crate) fn may_refresh(&self) -> bool {
        self.options.may_refresh() || self.own_staleness.is_some()
    }

    /// Return the freshness of an entry of this age.
    pub(crate) fn freshness(
        &self,
        age: Age,
        (payload, version): (&Payload, u32),
        early: impl FnOnce(Duration) -> bool,
    ) -> Freshness {
        let options = match (age, self.own_staleness) {
            (Age::Past(_), Some(staleness_of)) => {
                let own = staleness_of(payload, version, self.version);
                own.unwrap_or_default().within(self.options)
            }
            _ => self.options,
        };
        options.freshness(age, early)
    }

    /// Return how long the call may still wait for other callers.
    pub(crate) fn wait_limit(&self) -> Duration {
        self.wait_limit.unwrap_or(self.cache.inner().wait_timeout)
    }

    /// Record how long the call waited for another caller's computation.
    pub(crate) fn waited(&self, took: Duration) {
        let counters = &self.cache.inner().counters;
        counters.waited(self.origin.number, took);
    }

    /// Wait for another caller's flight. `None`: the flight failed, so look again.
    pub(crate) async fn wait(
        &self,
        flight: Arc<Flight>,
        limit: &mut WaitBudget,
        accept: &mut Accept<'_>,
    ) -> Option<Decision> {
        let begun = Instant::now();
        let outcome = Wait::new(flight, limit.left(), self.blocking).await;
        self.waited(begun.elapsed());
        match outcome {
            WaitOutcome::Completed(payload, version) if accept(&payload, version) => {
                self.count(Counter::Waits);
                self.event(events::wait);
                Some(Decision::Shared)
            }
            // A function of another return type or version has the same key.
            WaitOutcome::Completed(..) => Some(Decision::Bypass),
            WaitOutcome::Failed if limit.left().is_zero() => Some(Decision::Bypass),
            WaitOutcome::Failed => None,
            WaitOutcome::GaveUp => Some(Decision::Bypass),
        }
    }

    /// Return a value's TTL: the value's own, the call's or the cache's default, shortened at
    /// random where the function asks for jitter. `None`: the value isn't stored.
    pub(crate) fn ttl_or_default(&self, of_value: Option<Duration>) -> Option<Duration> {
        let ttl = of_value
            .or(self.ttl)
            .unwrap_or(self.cache.inner().default_ttl);
        // A value with staleness of its own is stored even if it is stale at once: another caller may
        // recompute it from what is known.
        let is_kept =
            !ttl.is_zero() || self.own_staleness.is_some() && !self.options.grace().is_zero();
        is_kept.then(|| early::jittered(ttl, self.options.jitter))
    }
}

/// The time that one call may wait in all, over any number of flights.
pub(crate) struct WaitBudget {
    limit: Duration,
    since: Instant,
}

impl WaitBudget {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            since: Instant::now(),
        }
    }

    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.since.elapsed())
    }
}
