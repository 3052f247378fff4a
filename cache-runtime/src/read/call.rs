//! What a call that missed does until it knows whether to take a value, to compute one, or to do without the
//! cache. Not generic: one copy for all annotated functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::core::Cache;
use crate::events;
use crate::flight::{Boarding, Flight, Leader, Outcome, Stance, Wait};
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
pub(crate) enum Step {
    /// Nothing: the payload was accepted.
    Taken,
    /// The same; and it may enter the near store.
    #[cfg(feature = "redis")]
    Arrived(crate::store::redis::Arrival),
    /// It computes the entry, and everyone else waits.
    Lead(Lead),
    /// It computes a value anew that was accepted and still stands.
    Refresh(Lead, Reason),
    /// It runs the body, and stores nothing.
    Run,
}

/// The right, and the duty, to compute an entry.
pub(crate) struct Lead {
    /// The lease in Redis, given back when dropped; first, so that whoever takes over finds it gone.
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

    /// Finds out what to do. Cancel safe: what was begun is given back when dropped.
    pub(crate) async fn approach(&self, accept: &mut Accept<'_>) -> Step {
        let step = match &self.cache.inner().store {
            Store::Memory(store) if self.options.refresh() && !self.refresh => {
                self.approach_memory_closely(store, accept).await
            }
            Store::Memory(store) => self.approach_memory(store, accept).await,
            #[cfg(feature = "redis")]
            Store::Redis(store) => self.approach_redis(store, accept).await,
        };
        self.counted(&step);
        step
    }

    /// What to do, where that is known without waiting: in memory it is, unless another caller computes the entry. So few calls
    /// that miss there are ever a future that somebody must poll.
    pub(crate) fn approach_at_once(&self, accept: &mut Accept<'_>) -> Option<Step> {
        match &self.cache.inner().store {
            Store::Memory(store) if !self.options.refresh() || self.refresh => {
                let step = self.board_in_memory(store, &mut false, accept).ok()?;
                self.counted(&step);
                Some(step)
            }
            _ => None,
        }
    }

    fn counted(&self, step: &Step) {
        if matches!(step, Step::Lead(_) | Step::Run) {
            self.count(Counter::Misses);
            self.event(events::miss);
        }
    }

    async fn approach_memory(&self, store: &MemoryStore, accept: &mut Accept<'_>) -> Step {
        let mut limit = None;
        let mut unusable = false;
        loop {
            let flight = match self.board_in_memory(store, &mut unusable, accept) {
                Ok(step) => return step,
                Err(flight) => flight,
            };
            let limit = limit.get_or_insert_with(|| Limit::new(self.cache.inner().flight_limit));
            if let Some(step) = self.wait(flight, limit, accept).await {
                return step;
            }
        }
    }

    /// What to do, or the flight to wait for. `unusable` remembers that another type's or version's value stands there: it is
    /// computed anew, and overwritten.
    fn board_in_memory(
        &self,
        store: &MemoryStore,
        unusable: &mut bool,
        accept: &mut Accept<'_>,
    ) -> Result<Step, Arc<Flight>> {
        let inner = self.cache.inner();
        if self.refresh {
            let leader = inner.flights.supersede(&self.key, !self.blocking);
            return Ok(Step::Lead(Lead::in_memory(leader)));
        }
        loop {
            // Nearly always there is none: then the clock isn't asked whether it lives.
            let recheck = || {
                let looks = !*unusable && store.holds(&self.key);
                looks.then(|| store.get(&self.key, inner.clock.now()))?
            };
            match inner
                .flights
                .board(&self.key, !self.blocking, |_| Stance::Join, recheck)
            {
                Boarding::Found(hit) if accept(&hit.payload, hit.version) => {
                    self.hit();
                    return Ok(Step::Taken);
                }
                Boarding::Found(_) => *unusable = true,
                Boarding::Nested => return Ok(Step::Run),
                Boarding::Lead(leader) => return Ok(Step::Lead(Lead::in_memory(leader))),
                #[cfg(feature = "redis")]
                Boarding::LookAgain => {}
                Boarding::Join(flight) => return Err(flight),
            }
        }
    }

    /// Waits for another caller's flight. `None`: it failed, look again.
    pub(crate) async fn wait(
        &self,
        flight: Arc<Flight>,
        limit: &mut Limit,
        accept: &mut Accept<'_>,
    ) -> Option<Step> {
        match Wait::new(flight, limit.left(), self.blocking).await {
            Outcome::Landed(payload, version) if accept(&payload, version) => {
                self.count(Counter::Waits);
                self.event(events::wait);
                Some(Step::Taken)
            }
            // A function of another return type or version has the same key.
            Outcome::Landed(..) => Some(Step::Run),
            Outcome::Failed if limit.left().is_zero() => Some(Step::Run),
            Outcome::Failed => None,
            Outcome::GaveUp => Some(Step::Run),
        }
    }

    /// The lifetime of a value: what is known of it, or of the call, or the cache's default, shortened by chance where that
    /// is asked for. `None`: it isn't stored.
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
pub(crate) struct Limit {
    limit: Duration,
    since: Instant,
}

impl Limit {
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
