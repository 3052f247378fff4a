//! The identity of one cache among the others of its prefix.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::unix_millis;

/// No relay has counted the outbox.
const UNKNOWN: u64 = u64::MAX;

/// Identity of a cache, and what other crates have told about it.
pub(crate) struct Instance {
    token: u64,
    /// Milliseconds since the Unix epoch.
    started: u64,
    outbox_rows: AtomicU64,
}

impl Instance {
    pub(crate) fn new() -> Self {
        // Keyed by the operating system's random numbers.
        let mut hasher = RandomState::new().build_hasher();
        let started = unix_millis();
        hasher.write_u64(started);
        Self {
            token: hasher.finish(),
            started,
            outbox_rows: AtomicU64::new(UNKNOWN),
        }
    }

    /// Return a name that no other cache has. A forked child's differs from its parent's, since its
    /// counters go on without the parent's.
    pub(crate) fn name(&self) -> String {
        format!("{:x}-{:016x}", std::process::id(), self.token)
    }

    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    pub(crate) fn outbox_rows(&self) -> Option<u64> {
        let rows = self.outbox_rows.load(Ordering::Relaxed);
        (rows != UNKNOWN).then_some(rows)
    }

    pub(crate) fn set_outbox_rows(&self, rows: u64) {
        self.outbox_rows.store(rows, Ordering::Relaxed);
    }
}
