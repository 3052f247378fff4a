//! Storage of one entry. A hit reads one cache line of it; the rest is elsewhere, since memory
//! latency is the largest part of a hit's cost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Hit;
use super::key::Key;
use crate::clock::{Moment, NEVER};
use crate::entry::payload::Payload;
use crate::sync::AtomicBool;

/// Bytes that an entry costs besides its key and value: its slot, and its share of map, index and
/// queue.
const OVERHEAD: usize = 192;

/// A stored value.
pub(crate) struct Entry {
    pub(crate) payload: Payload,
    pub(crate) fresh_until: Moment,
    pub(crate) version: u32,
    /// When the entry expires: later than `fresh_until` if it may be served stale.
    pub(crate) expires: Moment,
    /// How long it took to compute.
    pub(crate) compute: Duration,
    /// The entry isn't recomputed before this moment.
    pub(crate) paused_until: Moment,
    /// Size of the value in bytes.
    pub(crate) bytes: usize,
}

/// The part of an entry that a hit reads.
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) payload: Payload,
    pub(super) fresh_until: Moment,
    pub(super) version: u32,
    /// Whether the entry was read since the queue last passed it.
    pub(super) visited: AtomicBool,
}

#[cfg(all(target_pointer_width = "64", not(shuttle)))]
const _: () = assert!(size_of::<Option<Slot>>() == 64);

/// The part that a hit doesn't read.
pub(super) struct ColdSlot {
    pub(super) hash: u64,
    /// [`NEVER`](crate::clock::NEVER) for an empty slot.
    pub(super) expires: Moment,
    pub(super) compute: Duration,
    pub(super) paused_until: Moment,
    /// Bytes of the value and of everything else that the entry costs.
    pub(super) weight: usize,
    bytes: usize,
}

/// Return the cost of an entry of this key, without its value.
pub(super) fn cost_besides(key: &str) -> usize {
    key.len() + OVERHEAD
}

impl Entry {
    /// Split the entry into the parts that a shard stores.
    pub(super) fn into_parts(self, hash: u64, key: &str) -> (Slot, ColdSlot) {
        let cold = ColdSlot {
            hash,
            expires: self.expires,
            compute: self.compute,
            paused_until: self.paused_until,
            weight: self.bytes + cost_besides(key),
            bytes: self.bytes,
        };
        let slot = Slot {
            key: key.into(),
            payload: self.payload,
            fresh_until: self.fresh_until,
            version: self.version,
            visited: AtomicBool::new(false),
        };
        (slot, cold)
    }

    pub(super) fn of_parts(slot: Slot, cold: &ColdSlot) -> Self {
        Self {
            payload: slot.payload,
            fresh_until: slot.fresh_until,
            version: slot.version,
            expires: cold.expires,
            compute: cold.compute,
            paused_until: cold.paused_until,
            bytes: cold.bytes,
        }
    }
}

impl Slot {
    pub(super) fn hit(&self) -> Hit {
        Hit {
            payload: self.payload.clone(),
            version: self.version,
            fresh_until: self.fresh_until,
        }
    }

    /// Write only on a change, otherwise readers of one hot key would contend for the cache line.
    pub(super) fn visit(&self) {
        if !self.visited.load(Ordering::Relaxed) {
            self.visited.store(true, Ordering::Relaxed);
        }
    }
}

impl ColdSlot {
    pub(super) fn clear(&mut self) {
        self.expires = NEVER;
    }
}
