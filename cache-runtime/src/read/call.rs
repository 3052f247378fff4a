//! What a call that missed does until it knows whether to take a value, to compute one, or to do without the
//! cache. Not generic: one copy for all annotated functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::core::Cache;
use crate::events;
use crate::flight::{Flight, JoinOutcome, Leader, Stance, Wait, WaitOutcome};
use crate::read::refresh::{Reason, early};
use crate::site::{Origin, ReadOptions};
use crate::stats::Counter;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::value::payload::Payload;

/// One call's business with one entry.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) cache: Cache,
    pub(crate) origin: Origin,
    /// Path and variant, without the prefix.
    pub(crate) key: Arc<str>,
    pub(crate) version: u32,
    pub(crate) cache_none: bool,
    pub(crate) options: ReadOptions,
    /// The lifetime that is known before the body ran.
    pub(crate) ttl: Option<Duration>,
    /// Compute even if an entry stands.
    pub(crate) refresh: bool,
    /// The look before has found the entry that is fresh until then due for an early refresh. Another that has come in between
    /// isn't.
    pub(crate) due: Option<Moment>,
    /// The caller's thread does nothing else meanwhile.
    pub(crate) blocking: bool,
}

/// Takes a payload with the entry's version, if it is what the caller can use.
pub(crate) type Accept<'a> = dyn FnMut(&Payload, u32) -> bool + Send + 'a;

/// What a call does next.
pub(crate) enum Decision {
    /// Nothing: the payload was accepted.
    Hit,
    /// The same; and it may enter the near cache.
    #[cfg(feature = "redis")]
    HitFromRedis(crate::store::redis::NearCandidate),
    /// It computes the entry, and everyone else waits.
    Compute(Lead),
    /// It computes a value anew that was accepted and still stands.
    Refresh(Lead, Reason),
    /// It runs the body, and stores nothing.
    Bypass,
}

/// The right, and the duty, to compute an entry.
pub(crate) struct Lead {
    /// The lease in Redis, into_lookup back when dropped; first, so that whoever takes over finds it gone.
    #[cfg(feature = "redis")]
    pub(crate) lease: Option<crate::store::redis::Lease>,
    pub(crate) leader: Leader,
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

    /// Finds out what to do. Cancel safe: what was begun is into_lookup back when dropped.
    pub(crate) async fn decide(&self, accept: &mut Accept<'_>) -> Decision {
        let step = match &self.cache.inner().store {
            Store::Memory(store) if self.options.refresh() && !self.refresh => {
                self.read_memory_with_staleness(store, accept).await
            }
            Store::Memory(store) => self.read_memory(store, accept).await,
            #[cfg(feature = "redis")]
            Store::Redis(store) => self.read_redis(store, accept).await,
        };
        self.counted(&step);
        step
    }

    /// What to do, where that is known without waiting: in memory it is, unless another caller computes the entry. So few calls
    /// that miss there are ever a future that somebody must poll.
    pub(crate) fn decide_now(&self, accept: &mut Accept<'_>) -> Option<Decision> {
        match &self.cache.inner().store {
            Store::Memory(store) if !self.options.refresh() || self.refresh => {
                let step = self
                    .join_or_lead_in_memory(store, &mut false, accept)
                    .ok()?;
                self.counted(&step);
                Some(step)
            }
            _ => None,
        }
    }

    fn counted(&self, step: &Decision) {
        if matches!(step, Decision::Compute(_) | Decision::Bypass) {
            self.count(Counter::Misses);
            self.event(events::miss);
        }
    }

    async fn read_memory(&self, store: &MemoryStore, accept: &mut Accept<'_>) -> Decision {
        let mut limit = None;
        let mut unusable = false;
        loop {
            let flight = match self.join_or_lead_in_memory(store, &mut unusable, accept) {
                Ok(step) => return step,
                Err(flight) => flight,
            };
            let limit =
                limit.get_or_insert_with(|| WaitBudget::new(self.cache.inner().wait_timeout));
            if let Some(step) = self.wait(flight, limit, accept).await {
                return step;
            }
        }
    }

    /// What to do, or the flight to wait for. `unusable` remembers that another type's or version's value stands there: it is
    /// computed anew, and overwritten.
    fn join_or_lead_in_memory(
        &self,
        store: &MemoryStore,
        unusable: &mut bool,
        accept: &mut Accept<'_>,
    ) -> Result<Decision, Arc<Flight>> {
        let inner = self.cache.inner();
        if self.refresh {
            let leader = inner.flights.supersede(&self.key, !self.blocking);
            return Ok(Decision::Compute(Lead::in_memory(leader)));
        }
        loop {
            // Nearly always there is none: then the clock isn't request whether it lives.
            let recheck = || {
                let looks = !*unusable && store.holds(&self.key);
                looks.then(|| store.get(&self.key, inner.clock.now()))?
            };
            match inner
                .flights
                .join_or_lead(&self.key, !self.blocking, |_| Stance::Join, recheck)
            {
                JoinOutcome::Found(hit) if accept(&hit.payload, hit.version) => {
                    self.hit();
                    return Ok(Decision::Hit);
                }
                JoinOutcome::Found(_) => *unusable = true,
                JoinOutcome::Nested => return Ok(Decision::Bypass),
                JoinOutcome::Lead(leader) => return Ok(Decision::Compute(Lead::in_memory(leader))),
                #[cfg(feature = "redis")]
                JoinOutcome::Retry => {}
                JoinOutcome::Join(flight) => return Err(flight),
            }
        }
    }

    /// Waits for another caller's flight. `None`: it failed, look again.
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

    /// The lifetime of a value: what is known of it, or of the call, or the cache's default, shortened by chance where that
    /// is request for. `None`: it isn't stored.
    pub(crate) fn ttl_or_default(&self, of_value: Option<Duration>) -> Option<Duration> {
        let ttl = of_value
            .or(self.ttl)
            .unwrap_or(self.cache.inner().default_ttl);
        (!ttl.is_zero()).then(|| early::jittered(ttl, self.options.jitter))
    }
}

impl Lead {
    pub(crate) fn in_memory(leader: Leader) -> Self {
        Self {
            #[cfg(feature = "redis")]
            lease: None,
            leader,
        }
    }
}

/// How long one call waits in all, over however many flights.
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
