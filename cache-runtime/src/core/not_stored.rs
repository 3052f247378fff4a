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
    Widened,
    UnknownPreset,
    Variants,
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

/// The fix for a value larger than an owner may take.
const OWNER_FIX: &str = "store a smaller value, or raise `owner_capacity`";

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

    /// Log why a pattern matches more than it should, if it is the call site's first.
    pub(crate) fn log_widened(&self, origin: Origin, patterns: &str, reason: &str) {
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::Widened) {
            events::widened(origin.function, patterns, reason);
        }
    }

    /// Log why a write-through invalidates all that its key may match, if it is the call site's
    /// first.
    pub(crate) fn log_unkeyed_write(&self, origin: Origin, template: &str, reason: &str) {
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::NoKey) {
            events::unkeyed_write(origin.function, template, reason);
        }
    }

    /// Log that a write-through can't store its value, because its path has several entries, if it
    /// is the call site's first. `reader`: the function that reads them, where the program has it.
    pub(crate) fn log_variants(&self, origin: Origin, template: &str, reader: Option<&str>) {
        if events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::Variants) {
            match reader {
                Some(reader) => events::variants(origin.function, template, reader),
                None => events::hashed_context(origin.function, template),
            }
        }
    }

    /// Whether the round trip of the call site's values hasn't been checked yet, and a subscriber
    /// would receive the result.
    pub(crate) fn needs_round_trip_check(&self, origin: Origin) -> bool {
        events::warnings_wanted() && self.inner.logged.is_first(origin, Problem::RoundTrip)
    }

    /// Whether the limit of a value is that of an owner, where the store's own limit is `room`.
    fn is_of_owner(&self, limit: usize, room: usize) -> bool {
        let capacity = self.inner.owners.capacity;
        capacity.is_some_and(|capacity| limit <= capacity && capacity <= room)
    }

    /// Return the fix for a limit.
    fn fix_for(&self, limit: usize) -> &'static str {
        match &self.inner.store {
            _ if self.inner.encoding.max_value_bytes == Some(limit) => {
                "store a smaller value, or raise `max_value_bytes`"
            }
            Store::Memory(store) if self.is_of_owner(limit, store.room("", None)) => OWNER_FIX,
            #[cfg(feature = "redis")]
            Store::Redis(_) if self.is_of_owner(limit, usize::MAX) => OWNER_FIX,
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
