//! Recomputing values that are still cached: stale-while-revalidate, stale-if-error and early
//! refresh.
//!
//! An entry outlives its TTL by a *grace*: the longest time for which its function's options could
//! still use it. Each reader decides by its own options, so two functions that share a key needn't
//! agree. One caller of the whole cluster holds the *claim* to recompute it: in memory the key's
//! place in the flight table, in Redis a token in the entry's header. An invalidation deletes the
//! very object that holds the claim. So a refresh that began before an invalidation can't fill
//! after it, and a deleted value is not served.

mod begin;
pub(crate) mod early;
pub mod mode;
mod pause;
mod run;
mod spawn;

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::read::call::Call;
use crate::read::decision::Decision;
use crate::read::freshness::Reason;
use crate::stats::Counter;
use crate::store::Store;

pub use begin::begin_refreshing;
pub(crate) use begin::fresh;
pub(crate) use run::is_err;
pub(crate) use spawn::{CallContext, Spawner};

impl Call {
    /// Return how long past its TTL an entry stays cached. In Redis it stays for a lease's TTL
    /// longer: the claim of a refresh is part of the entry, and would expire with it. Callers that
    /// then find the value too old wait for the claim.
    pub(crate) fn grace(&self) -> Duration {
        match &self.cache.inner().store {
            _ if !self.may_refresh() => Duration::ZERO,
            Store::Memory(_) => self.options.grace(),
            #[cfg(feature = "redis")]
            Store::Redis(store) => self.options.grace().saturating_add(store.lease_ttl()),
        }
    }

    /// Start measuring the body, by the clock that governs the entry's TTL.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        let inner = self.cache.inner();
        match &inner.store {
            Store::Memory(_) => inner.clock.stopwatch(),
            #[cfg(feature = "redis")]
            Store::Redis(_) => Stopwatch::real(),
        }
    }

    /// Count that a cached value is served while it is recomputed, or instead of an error.
    pub(crate) fn served(&self, reason: Reason) {
        match reason {
            Reason::Early => self.hit(),
            Reason::Stale | Reason::Expired => {
                self.count(Counter::Stale);
                self.event(crate::events::stale);
            }
        }
    }

    /// Count that a cached value is served because its body has failed.
    pub(crate) fn served_on_error(&self, reason: Reason) {
        match reason {
            Reason::Early => self.hit(),
            Reason::Stale | Reason::Expired => {
                self.count(Counter::StaleOnError);
                self.event(crate::events::stale);
            }
        }
    }

    /// Count a served value, for a caller that doesn't refresh it.
    pub(crate) fn hit_meanwhile(&self, reason: Reason) -> Decision {
        match reason {
            // Only a body that failed a moment ago lets a value be served at this age.
            Reason::Expired => self.served_on_error(reason),
            Reason::Early | Reason::Stale => self.served(reason),
        }
        Decision::Hit
    }
}

#[cfg(test)]
mod tests;
