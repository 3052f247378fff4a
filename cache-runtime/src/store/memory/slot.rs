//! Storage of one entry. A hit reads one cache line of it; the rest is elsewhere, since memory
//! latency is the largest part of a hit's cost.

use std::time::Duration;

use super::Hit;
use super::accounts::Owned;
use super::eviction::{Access, fold};
use super::key::Key;
use super::reads::ReadCount;
use crate::clock::Moment;
use crate::entry::payload::Payload;

/// Bytes that an entry costs besides its key and value: its slot, and its share of map, index,
/// queues, timing wheel and sketch.
const OVERHEAD: usize = 184;

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
    /// When it was stored, by the process that computed it.
    pub(crate) stored: Moment,
    /// Size of the value in bytes.
    pub(crate) bytes: usize,
    /// Whose entry it is, if anybody's. Boxed, since few entries have an owner.
    pub(crate) owned: Option<Box<Owned>>,
}

/// The part of an entry that a hit reads.
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) payload: Payload,
    pub(super) fresh_until: Moment,
    pub(super) version: u32,
    pub(super) reads: ReadCount,
}

#[cfg(all(target_pointer_width = "64", not(shuttle)))]
const _: () = assert!(size_of::<Option<Slot>>() == 64);

/// The part that a hit doesn't read.
pub(super) struct ColdSlot {
    pub(super) hash: u64,
    pub(super) expires: Moment,
    pub(super) stored: Moment,
    /// In microseconds, as in the header of an entry in Redis.
    pub(super) compute_micros: u32,
    weight: u32,
    rare: Option<Box<Rare>>,
}

#[cfg(all(target_pointer_width = "64", not(shuttle)))]
const _: () = assert!(size_of::<ColdSlot>() == 40);

/// Fields that few entries use.
#[derive(Default)]
struct Rare {
    paused_until: Moment,
    owned: Option<Box<Owned>>,
}

/// The largest weight of an entry: 4 GiB.
const HEAVIEST: usize = u32::MAX as usize;

/// Return the cost of an entry whose key has this length, without its value.
pub(super) fn cost_besides(key: usize) -> usize {
    key + OVERHEAD
}

impl Entry {
    /// Return the bytes of the key, the value and everything else that the entry costs, if they fit
    /// into this capacity.
    pub(super) fn weight(&self, key: &str, capacity: usize) -> Option<u32> {
        let weight = self.bytes.saturating_add(cost_besides(key.len()));
        (weight <= capacity.min(HEAVIEST)).then_some(weight as u32)
    }

    /// Split the entry into the parts that a shard stores. `logs_reads`: whether its reads are to be
    /// logged.
    pub(super) fn into_parts(
        self,
        hash: u64,
        key: &str,
        weight: u32,
        logs_reads: bool,
    ) -> (Slot, ColdSlot) {
        let rare = Rare {
            paused_until: self.paused_until,
            owned: self.owned,
        };
        let is_used = rare.paused_until > 0 || rare.owned.is_some();
        let cold = ColdSlot {
            hash,
            expires: self.expires,
            stored: self.stored,
            compute_micros: u32::try_from(self.compute.as_micros()).unwrap_or(u32::MAX),
            weight,
            rare: is_used.then(|| Box::new(rare)),
        };
        let slot = Slot {
            key: key.into(),
            payload: self.payload,
            fresh_until: self.fresh_until,
            version: self.version,
            reads: ReadCount::new(logs_reads),
        };
        (slot, cold)
    }

    pub(super) fn of_parts(slot: Slot, cold: &mut ColdSlot) -> Self {
        Self {
            payload: slot.payload,
            fresh_until: slot.fresh_until,
            version: slot.version,
            expires: cold.expires,
            compute: cold.compute(),
            paused_until: cold.paused_until(),
            stored: cold.stored,
            bytes: cold.bytes(slot.key.len()),
            owned: cold.rare.take().and_then(|rare| rare.owned),
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
}

impl ColdSlot {
    /// Return how long the value took to compute, 71 minutes at most.
    pub(super) fn compute(&self) -> Duration {
        Duration::from_micros(self.compute_micros.into())
    }

    /// Return the bytes of the value and of everything else that the entry costs.
    pub(super) fn weight(&self) -> usize {
        self.weight as usize
    }

    pub(super) fn paused_until(&self) -> Moment {
        self.rare.as_ref().map_or(0, |rare| rare.paused_until)
    }

    pub(super) fn pause(&mut self, until: Moment) {
        self.rare.get_or_insert_default().paused_until = until;
    }

    pub(super) fn owned(&self) -> Option<&Owned> {
        self.rare.as_ref()?.owned.as_deref()
    }

    /// Return the size of the value of a key of this length. It isn't stored, so that the slot fills
    /// one cache line.
    pub(super) fn bytes(&self, key: usize) -> usize {
        self.weight() - cost_besides(key)
    }

    /// Return what the policy has to know of the entry.
    pub(super) fn access(&self) -> Access {
        Access {
            hash: fold(self.hash),
            weight: self.weight(),
            expires: self.expires,
            compute_micros: self.compute_micros,
        }
    }
}
