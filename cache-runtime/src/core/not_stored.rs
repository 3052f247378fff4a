//! Values that aren't stored: values that are too large, that no codec can represent, or that would
//! read back changed. Each problem is logged once for each function, since the next call's value is
//! likely to have it too.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::core::Cache;
use crate::error::CacheError;
use crate::events;
use crate::site::Origin;
use crate::stats::Counter;
use crate::store::Store;

/// The problems already logged, or checked for, by call site: call sites are known by number, and
/// explicit operations, which share a number, by name. Its size is bounded by the number of call
/// sites.
#[derive(Default)]
pub(crate) struct Logged(Mutex<HashSet<(usize, &'static str, Problem)>>);

/// A problem that is logged once.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) enum Problem {
    TooLarge,
    NotStored,
    NoKey,
    UnknownPreset,
    /// Not logged: a check that is done once.
    RoundTrip,
}

impl Logged {
    /// Whether this is the call site's first problem of this kind.
    pub(crate) fn is_first(&self, origin: Origin, problem: Problem) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.insert((origin.number, origin.function, problem))
    }
}

impl Cache {
    /// Whether the error is that a value is too large. If so, count it, and log the call site's
    /// first. A list that has grown too long would otherwise be logged at every call.
    pub(crate) fn is_too_large(&self, origin: Origin, key: &str, error: &CacheError) -> bool {
        let &CacheError::TooLarge { bytes, limit } = error else {
            return false;
        };
        self.inner.counters.add(origin.number, Counter::TooLarge, 1);
        // Hold no lock while user code, the subscriber, runs. Without a subscriber the problem
        // doesn't count as logged.
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::TooLarge) {
            let (key, fix) = (self.full_key(key), self.fix_for(limit));
            events::too_large(origin.function, &key, (bytes, limit), fix);
        }
        true
    }

    /// Log why a value isn't stored, if it is the call site's first.
    pub(crate) fn log_not_stored(&self, origin: Origin, key: &str, error: &CacheError) {
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::NotStored) {
            events::not_stored(origin.function, &self.full_key(key), error);
        }
    }

    /// Log why a call has no key, if it is the call site's first.
    pub(crate) fn log_no_key(&self, origin: Origin, template: &str, reason: &str) {
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::NoKey) {
            events::no_key(origin.function, template, reason);
        }
    }

    /// Whether the round trip of the call site's values hasn't been checked yet, and a subscriber
    /// would receive the result.
    pub(crate) fn needs_round_trip_check(&self, origin: Origin) -> bool {
        events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::RoundTrip)
    }

    /// Return the fix for a limit.
    fn fix_for(&self, limit: usize) -> &'static str {
        match &self.inner.store {
            _ if self.inner.encoding.max_value_bytes == Some(limit) => {
                "store a smaller value, or raise `max_value_bytes`"
            }
            Store::Memory(_) => {
                "store a smaller value, or raise `memory_capacity` (the limit of one value is a part of it)"
            }
            #[cfg(feature = "redis")]
            Store::Redis(_) if self.inner.encoding.compress_over.is_none() => {
                "store a smaller value, or try `compress_over`: the limit of an entry in Redis is fixed"
            }
            #[cfg(feature = "redis")]
            Store::Redis(_) => "store a smaller value: the limit of an entry in Redis is fixed",
        }
    }
}
