//! The path of a call after a miss, until the decision to use a cached value, compute one or bypass
//! the cache. Not generic: one copy serves all annotated functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::core::Cache;
use crate::events;
use crate::flight::{Flight, Wait, WaitOutcome};
use crate::read::decision::{Accept, Decision};
#[cfg(feature = "redis")]
use crate::read::redis;
use crate::read::refresh::early;
use crate::read::{memory, memory_stale};
use crate::site::{Origin, ReadOptions};
use crate::stats::Counter;
use crate::store::Store;

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

    pub(crate) fn hit(&self) {
        self.count(Counter::Hits);
        self.event(events::hit);
    }

    /// Decide the next step. Cancel safe: a flight or lease that was begun is given back on drop.
    pub(crate) async fn decide(&self, accept: &mut Accept<'_>) -> Decision {
        let step = match &self.cache.inner().store {
            Store::Memory(store) if self.options.refresh() && !self.refresh => {
                memory_stale::read(self, store, accept).await
            }
            Store::Memory(store) => memory::read(self, store, accept).await,
            #[cfg(feature = "redis")]
            Store::Redis(store) => redis::read(self, store, accept).await,
        };
        self.count_miss(&step);
        step
    }

    /// Decide the next step where that needs no waiting. In memory only a call that joins another
    /// caller's flight waits, so few misses there become a future that has to be polled.
    pub(crate) fn decide_now(&self, accept: &mut Accept<'_>) -> Option<Decision> {
        match &self.cache.inner().store {
            Store::Memory(store) if !self.options.refresh() || self.refresh => {
                let step = memory::join_or_lead(self, store, &mut false, accept).ok()?;
                self.count_miss(&step);
                Some(step)
            }
            _ => None,
        }
    }

    fn count_miss(&self, step: &Decision) {
        if matches!(step, Decision::Compute(_) | Decision::Bypass) {
            self.count(Counter::Misses);
            self.event(events::miss);
        }
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
