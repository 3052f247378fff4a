//! Values that are computed anew while they still stand: stale-while-revalidate, stale-if-error and early refresh.
//!
//! An entry outlives its lifetime by a *grace*: the longest time for which its function's options could still use it.
//! Whoever reads it decides by the options of its own, so two functions that share a key needn't agree. One caller
//! of the whole cluster holds the *claim* to compute it anew: in memory the table of flights, in Redis a token in the
//! entry's header. The claim stands at the very thing that an invalidation deletes. So a refresh from before an
//! invalidation can't fill after it, and what was deleted is served to nobody.

mod begin;
pub(crate) mod early;
pub mod mode;
mod pause;
mod run;
mod spawn;

use std::time::Duration;

use crate::clock::Stopwatch;
pub(crate) use crate::entry::age::Age;
use crate::read::call::Call;
use crate::site::{ReadOptions, registry};
use crate::stats::Counter;
use crate::store::Store;

pub use begin::begin_refreshing;
pub(crate) use run::{Resolution, is_err};
pub(crate) use spawn::Surroundings;

/// Why a standing value is computed anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    /// It is fresh, and may be served meanwhile.
    Early,
    /// It is stale, and may be served meanwhile.
    Stale,
    /// It may be served only if the body errs.
    Expired,
}

/// What a standing value is to a reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Standing {
    Fresh,
    Due(Reason),
    /// As good as absent.
    Gone,
}

impl ReadOptions {
    /// Whether a standing value may be computed anew.
    pub(crate) fn refresh(&self) -> bool {
        self.early || !self.grace().is_zero()
    }

    /// How long past its lifetime an entry may be of use.
    pub(crate) fn grace(&self) -> Duration {
        self.stale.max(self.stale_if_error)
    }

    /// What an entry of this age is; `early` says whether a fresh one is due already.
    pub(crate) fn standing(&self, age: Age, early: impl FnOnce(Duration) -> bool) -> Standing {
        match age {
            Age::Fresh(left) if self.early && early(left) => Standing::Due(Reason::Early),
            Age::Fresh(_) => Standing::Fresh,
            Age::Past(past) if past < self.stale => Standing::Due(Reason::Stale),
            Age::Past(past) if past < self.stale_if_error => Standing::Due(Reason::Expired),
            Age::Past(_) => Standing::Gone,
        }
    }
}

impl Call {
    /// How long past its lifetime an entry stands. In Redis it is a lease's time longer: the claim of a refresh stands at
    /// the entry, and would go with it; those who then find the value too old wait for the claim.
    pub(crate) fn grace(&self) -> Duration {
        match &self.cache.inner().store {
            _ if !self.options.refresh() => Duration::ZERO,
            Store::Memory(_) => self.options.grace(),
            #[cfg(feature = "redis")]
            Store::Redis(store) => self.options.grace().saturating_add(store.lease_time()),
        }
    }

    /// Measures the body, by the clock that the entry's lifetime goes by.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        let inner = self.cache.inner();
        match &inner.store {
            // What it measures is for those who refresh early, and the clock takes longer than all else that a fill does for a flight.
            Store::Memory(_) if !registry::any_early() => Stopwatch::none(),
            Store::Memory(_) => inner.clock.stopwatch(),
            #[cfg(feature = "redis")]
            Store::Redis(_) => Stopwatch::real(),
        }
    }

    /// Counts that a standing value is served while it is computed anew, or instead of an error.
    fn served(&self, reason: Reason) {
        match reason {
            Reason::Early => self.hit(),
            Reason::Stale | Reason::Expired => {
                self.count(Counter::Stale);
                self.event(crate::events::stale);
            }
        }
    }

    /// The same, of a caller that refreshes nothing itself.
    pub(crate) fn taken(&self, reason: Reason) -> crate::read::call::Decision {
        self.served(reason);
        crate::read::call::Decision::Hit
    }
}

#[cfg(test)]
mod tests;
