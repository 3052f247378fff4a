//! The path of a call after a miss, until the decision to use a cached value, compute one or bypass
//! the cache. Not generic: one copy serves all annotated functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::core::Cache;
#[cfg(feature = "redis")]
use crate::error::CacheError;
use crate::events;
use crate::flight::{Flight, Wait, WaitOutcome};
use crate::read::decision::{Accept, Decision};
use crate::read::refresh::early;
use crate::site::{Origin, ReadOptions};
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::store::redis::RedisStore;

/// One call for one entry.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) cache: Cache,
    pub(crate) origin: Origin,
    /// Path and variant, without the prefix.
    pub(crate) key: Arc<str>,
    pub(crate) version: u32,
    pub(crate) cache_none: bool,
    pub(crate) options: ReadOptions,
    /// The TTL, where it is known before the body has run.
    pub(crate) ttl: Option<Duration>,
    /// Compute even if an entry is cached.
    pub(crate) refresh: bool,
    /// The `fresh_until` of the entry that the lookup found due for an early refresh. An entry that
    /// was stored since then isn't due.
    pub(crate) due: Option<Moment>,
    /// Whether the caller's thread is blocked until the call returns.
    pub(crate) blocking: bool,
}

impl Call {
    pub(crate) fn count(&self, counter: Counter) {
        self.cache
            .inner()
            .counters
            .add(self.origin.number, counter, 1);
    }

    pub(crate) fn event(&self, emit: impl FnOnce(Origin, &str)) {
        if events::wanted(self.origin.debug) {
            emit(self.origin, &self.cache.full_key(&self.key));
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn failed(&self, error: &dyn std::fmt::Display) {
        self.count(Counter::Errors);
        events::error(self.origin.function, &self.cache.full_key(&self.key), error);
    }

    /// Count and log a failure of the store. A failure during an outage isn't logged as an error:
    /// the outage is logged once, where it is noticed.
    #[cfg(feature = "redis")]
    pub(crate) fn store_failed(&self, store: &RedisStore, error: &CacheError) {
        // The breaker that refused this call may have closed since.
        if matches!(error, CacheError::Unavailable { .. }) || store.is_down() {
            self.count(Counter::Errors);
            tracing::debug!(target: "cache", function = self.origin.function, op = "error", "[Cache] ERROR: {}: {error}", self.cache.full_key(&self.key));
        } else {
            self.failed(error);
        }
    }

    pub(crate) fn hit(&self) {
        self.count(Counter::Hits);
        self.event(events::hit);
    }

    /// Count that a value is computed instead of a stale one.
    pub(crate) fn missed(&self) {
        self.count(Counter::Misses);
        self.event(events::miss);
    }

    /// Wait for another caller's flight. `None`: the flight failed, so look again.
    pub(crate) async fn wait(
        &self,
        flight: Arc<Flight>,
        limit: &mut WaitBudget,
        accept: &mut Accept<'_>,
    ) -> Option<Decision> {
        match Wait::new(flight, limit.left(), self.blocking).await {
            WaitOutcome::Completed(payload, version) if accept(&payload, version) => {
                self.count(Counter::Waits);
                self.event(events::wait);
                Some(Decision::Hit)
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
        (!ttl.is_zero()).then(|| early::jittered(ttl, self.options.jitter))
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
