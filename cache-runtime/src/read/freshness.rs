//! Freshness of a cached value, for one reader.

use std::time::Duration;

use crate::entry::age::Age;
use crate::site::ReadOptions;

/// The reason for recomputing a cached value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    /// It is fresh, and may be served meanwhile.
    Early,
    /// It is stale, and may be served meanwhile.
    Stale,
    /// It may be served only if the body returns an error.
    Expired,
}

/// Freshness of a cached value, for one reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Freshness {
    Fresh,
    Due(Reason),
    /// Past its grace: treated as absent.
    Gone,
}

impl ReadOptions {
    /// Whether a cached value may be recomputed.
    pub(crate) fn may_refresh(&self) -> bool {
        self.early || !self.grace().is_zero()
    }

    /// Return how long past its TTL an entry may be used.
    pub(crate) fn grace(&self) -> Duration {
        self.stale.max(self.stale_if_error)
    }

    /// Return the freshness of an entry of this age. `early` says whether a fresh one is due
    /// already.
    pub(crate) fn freshness(&self, age: Age, early: impl FnOnce(Duration) -> bool) -> Freshness {
        match age {
            Age::Fresh(left) if self.early && early(left) => Freshness::Due(Reason::Early),
            Age::Fresh(_) => Freshness::Fresh,
            Age::Past(past) if past < self.stale => Freshness::Due(Reason::Stale),
            Age::Past(past) if past < self.stale_if_error => Freshness::Due(Reason::Expired),
            Age::Past(_) => Freshness::Gone,
        }
    }
}
