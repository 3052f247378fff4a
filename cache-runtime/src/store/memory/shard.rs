mod sight;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hashbrown::HashTable;

use super::Hit;
use crate::clock::Moment;
use crate::index::{Index, MOST_KEY_BYTES, MOST_PLACES};
use crate::pattern::{Pattern, Span};
use crate::shim::AtomicBool;
use crate::value::payload::Payload;

/// What an entry costs besides its key and value: its slot, and its places in map, index and queue.
const OVERHEAD: usize = 192;
/// How many slots each insertion looks at for an expired entry: more than one, so that the sweep outruns growth.
const SWEEP: usize = 2;

/// A stored value. In this order: what a hit reads stands first.
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) payload: Payload,
    pub(crate) fresh_until: Moment,
    pub(crate) version: u32,
    /// Until when it stands: later, where it may be served stale.
    pub(crate) expires: Moment,
    /// How long it took to compute.
    pub(crate) compute: Duration,
    /// Nobody computes it anew before.
    pub(crate) paused_until: Moment,
    /// Bytes of the value.
    pub(crate) bytes: usize,
}

/// What a hit reads of it is its first line of the processor's cache, and nothing else: of what a hit costs, waiting for memory
/// is the most.
#[repr(C, align(64))]
struct Slot {
    /// Read since the queue last passed it.
    visited: AtomicBool,
    key: Arc<str>,
    entry: Entry,
    hash: u64,
}

// Shuttle's atomics are larger.
#[cfg(all(target_pointer_width = "64", not(shuttle)))]
const _: () = assert!(
    std::mem::offset_of!(Slot, entry) + std::mem::offset_of!(Entry, version) + size_of::<u32>()
        <= 64
);

/// What an entry of this key costs besides its value.
pub(super) fn cost_besides(key: &str) -> usize {
    key.len() + OVERHEAD
}

impl Slot {
    fn weight(&self) -> usize {
        self.entry.bytes + cost_besides(&self.key)
    }

    /// Written only when it changes: readers of one hot key would fight over the cache line.
    fn visit(&self) {
        if !self.visited.load(Ordering::Relaxed) {
            self.visited.store(true, Ordering::Relaxed);
        }
    }
}

/// The key at a place that the index knows: none of these is empty.
fn key_at(slots: &[Option<Slot>], place: u32) -> &str {
    let slot = slots.get(place as usize).and_then(Option::as_ref);
    slot.map_or("", |slot| &slot.key)
}

/// A part of the store. Evicts by CLOCK (Corbató, 1968): entries queue up in the order in which they came; one
/// at the head that was read meanwhile goes to the end once more, one that wasn't goes.
pub(super) struct Shard {
    capacity: usize,
    weight: usize,
    places: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// Finds keys by what they begin with, for patterns.
    index: Index,
    queue: VecDeque<u32>,
    /// Where the sweep goes on.
    swept: usize,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            weight: 0,
            places: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            index: Index::default(),
            queue: VecDeque::new(),
            swept: 0,
        }
    }

    #[cfg(feature = "redis")]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    #[inline]
    fn slot(&self, hash: u64, key: &str) -> Option<&Slot> {
        let mut found = None;
        self.places.find(hash, |place| {
            found = self.at(*place).filter(|slot| {
                slot.entry.payload.touch();
                *slot.key == *key
            });
            found.is_some()
        });
        found
    }

    #[inline]
    fn at(&self, place: u32) -> Option<&Slot> {
        self.slots.get(place as usize)?.as_ref()
    }

    #[inline]
    pub(super) fn get(&self, hash: u64, key: &str, now: Moment) -> Option<Hit> {
        let slot = self
            .slot(hash, key)
            .filter(|slot| slot.entry.fresh_until > now)?;
        slot.visit();
        let Entry {
            payload,
            version,
            fresh_until,
            ..
        } = &slot.entry;
        Some(Hit {
            payload: payload.clone(),
            version: *version,
            fresh_until: *fresh_until,
        })
    }

    /// Whether there is an entry of this key, living or not.
    pub(super) fn holds(&self, hash: u64, key: &str) -> bool {
        self.slot(hash, key).is_some()
    }

    /// Stores an entry. What it replaces and evicts goes to `removed`.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: Arc<str>,
        entry: Entry,
        now: Moment,
        removed: &mut Vec<Entry>,
    ) -> bool {
        removed.extend(self.remove(hash, &key));
        let slot = Slot {
            hash,
            key,
            entry,
            visited: AtomicBool::new(false),
        };
        let weight = slot.weight();
        if weight > self.capacity || slot.key.len() > MOST_KEY_BYTES {
            removed.push(slot.entry);
            return false;
        }
        self.sweep(now, removed);
        while self.is_full_for(weight) && self.evict(removed) {}
        self.weight += weight;
        let slots = &self.slots;
        let free = self.free.pop();
        let place = free.unwrap_or(slots.len() as u32);
        self.index
            .insert(&slot.key, place, |place| key_at(slots, place));
        match free {
            Some(place) => self.slots[place as usize] = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        let slots = &self.slots;
        let hash_of = |place: &u32| slots[*place as usize].as_ref().map_or(0, |slot| slot.hash);
        self.places.insert_unique(hash, place, hash_of);
        self.queue.push_back(place);
        true
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, hash: u64, key: &str) -> Option<Entry> {
        let same = |place: &u32| self.at(*place).is_some_and(|slot| *slot.key == *key);
        let place = *self.places.find(hash, same)?;
        let entry = self.clear(place);
        self.compact();
        entry
    }

    fn is_full_for(&self, weight: usize) -> bool {
        // Nearly as many places again may be empty, in the queue.
        self.weight + weight > self.capacity || self.places.len() >= MOST_PLACES / 4
    }

    /// Removes the entries that the pattern matches, all of which lie in the spans.
    pub(super) fn remove_matching(&mut self, pattern: &Pattern, spans: &[Span]) -> Vec<Entry> {
        let (mut places, slots) = (Vec::new(), &self.slots);
        let key_at = |place| key_at(slots, place);
        self.index.visit_spans(spans, key_at, |place| {
            if pattern.matches(key_at(place).as_bytes()) {
                places.push(place);
            }
        });
        let removed = places
            .into_iter()
            .filter_map(|place| self.clear(place))
            .collect();
        self.compact();
        removed
    }

    /// Empties a place. It stays in the queue, and so isn't free, until the queue passes it: the queue never
    /// names a place that another key has taken.
    fn clear(&mut self, place: u32) -> Option<Entry> {
        let slot = self.slots.get_mut(place as usize)?.take()?;
        if let Ok(found) = self.places.find_entry(slot.hash, |other| *other == place) {
            found.remove();
        }
        self.weight -= slot.weight();
        self.index.remove(&slot.key, place);
        Some(slot.entry)
    }

    /// Evicts one entry; false where there is none.
    fn evict(&mut self, removed: &mut Vec<Entry>) -> bool {
        while let Some(place) = self.queue.pop_front() {
            let Some(slot) = self.at(place) else {
                self.free.push(place);
                continue;
            };
            if slot.visited.swap(false, Ordering::Relaxed) {
                self.queue.push_back(place);
                continue;
            }
            removed.extend(self.clear(place));
            self.free.push(place);
            return true;
        }
        false
    }

    /// Looks at the next few slots and removes what has expired, so that nothing that nobody reads again stays.
    fn sweep(&mut self, now: Moment, removed: &mut Vec<Entry>) {
        for _ in 0..SWEEP.min(self.slots.len()) {
            self.swept = match self.swept + 1 {
                next if next < self.slots.len() => next,
                _ => 0,
            };
            let place = self.swept as u32;
            if self.at(place).is_some_and(|slot| slot.entry.expires <= now) {
                removed.extend(self.clear(place));
            }
        }
        self.compact();
    }

    /// Drops empty places from the queue when they are the majority.
    fn compact(&mut self) {
        if self.queue.len() <= 2 * self.places.len() + 64 {
            return;
        }
        let Self {
            queue, slots, free, ..
        } = self;
        queue.retain(|&place| {
            let live = slots[place as usize].is_some();
            if !live {
                free.push(place);
            }
            live
        });
    }

    /// How many places there are, taken and empty.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// Panics unless map, index, queue and places agree.
    #[cfg(test)]
    pub(super) fn assert_consistent(&self) {
        let live = || (0u32..).zip(&self.slots).filter(|(_, slot)| slot.is_some());
        assert_eq!(live().count(), self.places.len());
        assert_eq!(self.places.len(), self.index.len());
        let mut weight = 0;
        for (place, slot) in live() {
            let slot = slot.as_ref().expect("it is live");
            weight += slot.weight();
            let found = self
                .index
                .find(slot.key.as_bytes(), |place| key_at(&self.slots, place));
            assert_eq!(found, Some(place));
            assert!(self.slot(slot.hash, &slot.key).is_some());
        }
        assert_eq!(weight, self.weight);
        assert!(self.weight <= self.capacity);
        // Every place is in the queue or free, once.
        let mut known: Vec<u32> = self.queue.iter().chain(&self.free).copied().collect();
        known.sort_unstable();
        assert!(known.iter().copied().eq(0..self.slots.len() as u32));
        assert!(self.free.iter().all(|place| self.at(*place).is_none()));
        assert!(self.queue.len() <= 2 * self.places.len() + 64 + 1);
    }
}
