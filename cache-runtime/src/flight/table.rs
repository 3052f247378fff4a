//! The table of running flights. A caller joins the flight of its key, or leads a new one.

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Instant;

use super::id::FlightId;
use super::{Flight, Leader, nesting};
use crate::pattern::{Pattern, Span};
use crate::store::memory::trie::KeyTrie;
use crate::sync::{FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};

/// The flights that callers can join, by key. An invalidation finds the flights it matches through
/// the index, without visiting the others.
pub(crate) struct Flights {
    shards: [Mutex<FlightShard>; SHARDS],
    hasher: RandomState,
}

/// One lock's share of the flights.
#[derive(Default)]
struct FlightShard {
    /// Slots of the flights in the table, by key.
    index: KeyTrie,
    slots: Vec<Option<TableSlot>>,
    /// Unused slots.
    free: Vec<u32>,
}

/// A flight as the table knows it. The leader owns the slot until the flight ends, even after an
/// invalidation has removed the flight from the table. The leader therefore finds its own waiters
/// there, never another flight's.
pub(super) struct TableSlot {
    pub(super) key: Arc<str>,
    /// Whether callers can find the flight in the table.
    pub(super) in_table: bool,
    /// State that the leader shares with the waiters. A blocking leader's is created by the first
    /// waiter, since most flights have none. An async leader's exists from the start, since the
    /// leader records its polls there.
    pub(super) flight: Option<Arc<Flight>>,
    /// Whether this is a write-through, and until when callers of its key run uncached for it. They
    /// don't join it.
    writes_until: Option<Instant>,
}

/// Address of a leader's slot.
#[derive(Clone, Copy)]
pub(super) struct SlotId {
    shard: usize,
    slot: u32,
}

/// Number of slots kept when the last flight ends. A larger table, left over from a burst, is
/// freed.
const KEPT_SLOTS: usize = 64;

/// Return the key in a slot that the index knows. All of these are occupied.
fn key_at(slots: &[Option<TableSlot>], slot: u32) -> &[u8] {
    let slot = slots.get(slot as usize).and_then(Option::as_ref);
    slot.map_or(&[], |slot| slot.key.as_bytes())
}

impl FlightShard {
    fn find(&self, key: &str) -> Option<u32> {
        let key_at = |slot| key_at(&self.slots, slot);
        self.index.find(key.as_bytes(), key_at)
    }

    /// Insert a flight. The table must not contain another one for its key.
    fn put(&mut self, flight: TableSlot) -> u32 {
        let slots = &mut self.slots;
        let slot = self.free.pop().unwrap_or(slots.len() as u32);
        if flight.in_table {
            self.index
                .insert(flight.key.as_bytes(), slot, |slot| key_at(slots, slot));
        }
        match slots.get_mut(slot as usize) {
            Some(empty) => *empty = Some(flight),
            None => slots.push(Some(flight)),
        }
        slot
    }

    /// Remove a flight from the table. Its leader keeps the slot.
    fn remove(&mut self, slot: u32) {
        if let Some(Some(taken)) = self.slots.get_mut(slot as usize)
            && taken.in_table
        {
            taken.in_table = false;
            self.index.remove(taken.key.as_bytes(), slot);
        }
    }

    /// Whether the slot is a write-through that callers still run uncached for. One that takes
    /// longer leaves the table, as a lease in Redis expires.
    fn is_writing(&mut self, slot: u32) -> bool {
        let known = self.slots.get(slot as usize).and_then(Option::as_ref);
        let Some(until) = known.and_then(|known| known.writes_until) else {
            return false;
        };
        let is_writing = Instant::now() < until;
        if !is_writing {
            self.remove(slot);
        }
        is_writing
    }

    fn remove_key(&mut self, key: &str) {
        if let Some(slot) = self.find(key) {
            self.remove(slot);
        }
    }

    /// Release a slot.
    fn release(&mut self, slot: u32) -> Option<TableSlot> {
        let released = self.slots.get_mut(slot as usize)?.take()?;
        if released.in_table {
            self.index.remove(released.key.as_bytes(), slot);
        }
        self.free.push(slot);
        if self.free.len() == self.slots.len() && self.slots.len() > KEPT_SLOTS {
            *self = Self::default();
        }
        Some(released)
    }

    /// Return the slots of the flights that the pattern matches. `spans` must cover all of their
    /// keys.
    fn matching(&self, pattern: &Pattern, spans: &[Span]) -> Vec<u32> {
        let mut matching = Vec::new();
        let key_at = |slot| key_at(&self.slots, slot);
        self.index.visit_spans(spans, key_at, |slot| {
            if pattern.matches(key_at(slot)) {
                matching.push(slot);
            }
        });
        matching
    }
}

/// A locked shard of the table.
pub(super) struct ShardGuard<'a>(
    #[expect(dead_code, reason = "it is there to be dropped")] MutexGuard<'a, FlightShard>,
);

/// Decision of a caller that found a flight in progress at its key.
pub(crate) enum Stance {
    /// Wait for it.
    Join,
    /// Replace it by leading another.
    #[cfg(feature = "redis")]
    Replace,
    /// Undecided until the caller has read the store once more.
    #[cfg(feature = "redis")]
    Retry,
}

/// Outcome of joining or leading after a miss.
pub(crate) enum JoinOutcome<H> {
    /// The entry is in the store after all.
    Found(H),
    /// Another caller computes it: wait.
    Join(Arc<Flight>),
    /// The caller is inside that computation itself.
    Nested,
    /// A write-through of the key is under way: run the body uncached.
    Writing,
    /// The stance was [`Stance::Retry`].
    #[cfg(feature = "redis")]
    Retry,
    /// The caller computes it.
    Lead(Leader),
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::default(),
        }
    }

    fn number(&self, key: &str) -> usize {
        self.hasher.hash_one(key) as usize % SHARDS
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, FlightShard> {
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Join the key's flight if `stance` says so, otherwise lead a new one in its place. `recheck`
    /// reads the store under the shard's lock. A leader stores its value before it leaves the
    /// table, so a miss of `recheck` is final.
    pub(crate) fn join_or_lead<H>(
        self: &Arc<Self>,
        key: &Arc<str>,
        asynchronous: bool,
        stance: impl FnOnce(&Flight) -> Stance,
        recheck: impl FnOnce() -> Option<H>,
    ) -> JoinOutcome<H> {
        let shard = self.number(key);
        let mut held = self.lock(shard);
        if let Some(slot) = held.find(key)
            && held.is_writing(slot)
        {
            return JoinOutcome::Writing;
        }
        if let Some(slot) = held.find(key)
            && let Some(flight) = self.shared_in(&mut held, SlotId { shard, slot })
        {
            match stance(&flight) {
                Stance::Join if nesting::is_within(&flight) => return JoinOutcome::Nested,
                Stance::Join => return JoinOutcome::Join(flight),
                #[cfg(feature = "redis")]
                Stance::Retry => return JoinOutcome::Retry,
                #[cfg(feature = "redis")]
                Stance::Replace => held.remove(slot),
            }
        }
        if let Some(found) = recheck() {
            return JoinOutcome::Found(found);
        }
        JoinOutcome::Lead(self.start_flight(shard, &mut held, key, asynchronous))
    }

    /// Lead a new flight that replaces any other. Waiters of the replaced flight still get its
    /// value, but it can't fill.
    pub(crate) fn supersede(self: &Arc<Self>, key: &Arc<str>, asynchronous: bool) -> Leader {
        let shard = self.number(key);
        let mut held = self.lock(shard);
        held.remove_key(key);
        self.start_flight(shard, &mut held, key, asynchronous)
    }

    fn start_flight(
        self: &Arc<Self>,
        shard: usize,
        held: &mut FlightShard,
        key: &Arc<str>,
        asynchronous: bool,
    ) -> Leader {
        let slot = held.put(TableSlot {
            key: Arc::clone(key),
            in_table: true,
            flight: None,
            writes_until: None,
        });
        let id = SlotId { shard, slot };
        let flight = OnceLock::new();
        if asynchronous {
            let shared = Arc::new(Flight::new(self.id(id), true));
            if let Some(Some(slot)) = held.slots.get_mut(slot as usize) {
                slot.flight = Some(Arc::clone(&shared));
            }
            let _ = flight.set(shared);
        }
        Leader::new(Arc::clone(self), flight, id)
    }

    /// Begin a write-through in place of any flight of the key, until this moment at the latest.
    /// `act` runs in the same step. It must return the values it removes instead of dropping them,
    /// since a shard lock is held. Return whether another write-through of the key was under way,
    /// so that this one must not fill; the other can't.
    pub(crate) fn begin_write<T>(
        self: &Arc<Self>,
        key: &Arc<str>,
        until: Instant,
        act: impl FnOnce() -> T,
    ) -> (Leader, bool, T) {
        let shard = self.number(key);
        let mut held = self.lock(shard);
        let other = held.find(key);
        let is_contested = other.is_some_and(|slot| held.is_writing(slot));
        held.remove_key(key);
        let slot = held.put(TableSlot {
            key: Arc::clone(key),
            in_table: true,
            flight: None,
            writes_until: Some(until),
        });
        let acted = act();
        let id = SlotId { shard, slot };
        let leader = Leader::new(Arc::clone(self), OnceLock::new(), id);
        (leader, is_contested, acted)
    }

    /// Lead a flight that no caller finds: the store holds its lease, or it won't fill.
    pub(crate) fn begin_unlisted(self: &Arc<Self>, key: &Arc<str>) -> Leader {
        let shard = self.number(key);
        let slot = self.lock(shard).put(TableSlot {
            key: Arc::clone(key),
            in_table: false,
            flight: None,
            writes_until: None,
        });
        Leader::new(Arc::clone(self), OnceLock::new(), SlotId { shard, slot })
    }

    pub(super) fn id(&self, SlotId { shard, slot }: SlotId) -> FlightId {
        (std::ptr::from_ref(self).addr(), shard, slot)
    }

    /// Return the state that a leader shares with its waiters.
    pub(super) fn shared(&self, id: SlotId) -> Option<Arc<Flight>> {
        self.shared_in(&mut self.lock(id.shard), id)
    }

    /// Return the shared state of a slot, creating it for a blocking leader. An async leader's
    /// exists from the start.
    fn shared_in(&self, held: &mut FlightShard, id: SlotId) -> Option<Arc<Flight>> {
        let slot = held.slots.get_mut(id.slot as usize)?.as_mut()?;
        let flight = slot
            .flight
            .get_or_insert_with(|| Arc::new(Flight::new(self.id(id), false)));
        Some(Arc::clone(flight))
    }

    /// Release a leader's slot and remove the flight from the table. While the returned guard is
    /// held, no caller leads or invalidates. If the flight was still in the table, a fill under the
    /// guard is thus atomic with that check. An invalidation comes either before (and nothing is
    /// filled) or after (and finds the filled entry).
    pub(super) fn release(
        &self,
        SlotId { shard, slot }: SlotId,
    ) -> (ShardGuard<'_>, Option<TableSlot>) {
        let mut held = self.lock(shard);
        let slot = held.release(slot);
        (ShardGuard(held), slot)
    }

    /// Run `act` after removing the key's flight from the table and before another can start. `act`
    /// must return the values it removes instead of dropping them, since a shard lock is held.
    pub(crate) fn invalidate_key<T>(&self, key: &str, act: impl FnOnce() -> T) -> T {
        let mut held = self.lock(self.number(key));
        held.remove_key(key);
        act()
    }

    /// Remove every flight whose key the pattern matches from the table.
    pub(crate) fn invalidate_matching(&self, pattern: &Pattern) {
        let spans = pattern.spans();
        for shard in 0..SHARDS {
            let mut held = self.lock(shard);
            for slot in held.matching(pattern, &spans) {
                held.remove(slot);
            }
        }
    }
}
