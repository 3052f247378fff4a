//! One shard of the memory store: its entries, its index of keys, and eviction by CLOCK.

#[cfg(test)]
mod checks;
mod stale;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashTable;

use crate::clock::Moment;
use crate::entry::payload::{Payload, Value};
use crate::pattern::{Pattern, Span};
use crate::store::memory::key::{AnyKey, LookupKey};
use crate::store::memory::slot::{ColdSlot, Entry, Slot};
use crate::store::memory::trie::{GROUP, KeyTrie, MAX_KEY_BYTES, MAX_PLACES};
use crate::store::memory::{Hit, Unmatched};

/// Number of slots that each insertion checks for an expired entry. With more than one, the sweep
/// outpaces growth.
const SWEEP: usize = 2;

/// Return the key in a slot that the index knows. None of these is empty.
fn key_at(slots: &[Option<Slot>], number: u32) -> &[u8] {
    let slot = slots.get(number as usize).and_then(Option::as_ref);
    slot.map_or(&[], |slot| slot.key.as_bytes())
}

/// One lock's share of the store. Evicts by CLOCK (Corbató, 1968): entries queue up in insertion
/// order. An entry at the head that was read meanwhile moves to the end once more; any other is
/// evicted.
pub(crate) struct StoreShard {
    capacity: usize,
    weight: usize,
    map: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    /// The cold half of the slot with the same number.
    cold: Vec<ColdSlot>,
    free: Vec<u32>,
    /// Finds keys by prefix, for patterns.
    index: KeyTrie,
    /// Slots that the index may not contain yet, fewer than a [`GROUP`]. Inserting them together
    /// takes a fraction of the time.
    unindexed: Vec<u32>,
    queue: VecDeque<u32>,
    /// Slot at which the sweep continues.
    swept: usize,
    /// Number of entries that were evicted to make room.
    evicted: u64,
}

impl StoreShard {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            weight: 0,
            map: HashTable::new(),
            slots: Vec::new(),
            cold: Vec::new(),
            free: Vec::new(),
            index: KeyTrie::default(),
            unindexed: Vec::new(),
            queue: VecDeque::new(),
            swept: 0,
            evicted: 0,
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Return the number of entries that were evicted to make room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, wanted: &AnyKey<'_>) -> Option<u32> {
        let is_it = |number: &u32| self.at(*number).is_some_and(|slot| wanted.is(&slot.key));
        self.map.find(wanted.hash(), is_it).copied()
    }

    #[inline]
    fn at(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)?.as_ref()
    }

    /// Inlined, so that the result stays in registers.
    #[inline(always)]
    pub(crate) fn get_typed(
        &self,
        wanted: &impl LookupKey,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        let mut found = None;
        self.map.find(wanted.hash(), |number| {
            found = self.at(*number).filter(|slot| wanted.is(&slot.key));
            found.is_some()
        });
        let slot = found.filter(|slot| slot.fresh_until > now)?;
        slot.visit();
        match &slot.payload {
            Payload::Typed(value) if slot.version == version => Some(Arc::clone(value)),
            _ => {
                *other = Unmatched::Entry(slot.hit());
                None
            }
        }
    }

    pub(crate) fn get(&self, wanted: &AnyKey<'_>, now: Moment) -> Option<Hit> {
        let slot = self.at(self.find(wanted)?)?;
        if slot.fresh_until <= now {
            return None;
        }
        slot.visit();
        Some(slot.hit())
    }

    /// Return whether an entry of this key exists, fresh or expired.
    pub(crate) fn holds(&self, wanted: &AnyKey<'_>) -> bool {
        self.find(wanted).is_some()
    }

    /// Store an entry. The entries it replaces and evicts are appended to `removed`.
    pub(crate) fn insert(
        &mut self,
        wanted: &AnyKey<'_>,
        key: &str,
        entry: Entry,
        now: Moment,
        removed: &mut Vec<Entry>,
    ) -> bool {
        removed.extend(self.remove(wanted));
        let hash = wanted.hash();
        let (slot, cold) = entry.into_parts(hash, key);
        let weight = cold.weight;
        if weight > self.capacity || slot.key.len() > MAX_KEY_BYTES {
            removed.push(Entry::of_parts(slot, &cold));
            return false;
        }
        self.sweep(now, removed);
        while self.is_full_for(weight) && self.evict(removed) {}
        self.weight += weight;
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = Some(slot);
                self.cold[number as usize] = cold;
                number
            }
            None => {
                self.slots.push(Some(slot));
                self.cold.push(cold);
                (self.slots.len() - 1) as u32
            }
        };
        let cold = &self.cold;
        let hash_of = |number: &u32| cold[*number as usize].hash;
        self.map.insert_unique(hash, number, hash_of);
        self.queue.push_back(number);
        self.unindexed.push(number);
        if self.unindexed.len() >= GROUP {
            self.index_all();
        }
        true
    }

    /// Enter the pending slots into the index.
    fn index_all(&mut self) {
        let (slots, index) = (&self.slots, &mut self.index);
        // A slot may have been emptied and reused since. It then has another key, or is listed
        // twice.
        self.unindexed
            .retain(|number| slots[*number as usize].is_some());
        index.insert_all(&self.unindexed, |number| key_at(slots, number));
        self.unindexed.clear();
    }

    /// Remove an entry.
    pub(crate) fn remove(&mut self, wanted: &AnyKey<'_>) -> Option<Entry> {
        let number = self.find(wanted)?;
        let entry = self.clear(number);
        self.compact();
        entry
    }

    fn is_full_for(&self, weight: usize) -> bool {
        // Up to nearly as many further slots may be empty, in the queue.
        self.weight + weight > self.capacity || self.map.len() >= MAX_PLACES / 4
    }

    /// Remove the entries that the pattern matches. `spans` must cover all of them.
    pub(crate) fn remove_matching(&mut self, pattern: &Pattern, spans: &[Span]) -> Vec<Entry> {
        self.index_all();
        let (mut matching, slots) = (Vec::new(), &self.slots);
        let key_at = |number| key_at(slots, number);
        self.index.visit_spans(spans, key_at, |number| {
            if pattern.matches(key_at(number)) {
                matching.push(number);
            }
        });
        let removed = matching
            .into_iter()
            .filter_map(|number| self.clear(number))
            .collect();
        self.compact();
        removed
    }

    /// Empty a slot. It stays in the queue, and is not free, until the queue passes it, so the
    /// queue never refers to a slot that another key has taken.
    fn clear(&mut self, number: u32) -> Option<Entry> {
        let slot = self.slots.get_mut(number as usize)?.take()?;
        let cold = self.cold.get_mut(number as usize)?;
        if let Ok(found) = self.map.find_entry(cold.hash, |other| *other == number) {
            found.remove();
        }
        self.weight -= cold.weight;
        self.index.remove(slot.key.as_bytes(), number);
        let entry = Entry::of_parts(slot, cold);
        cold.clear();
        Some(entry)
    }

    /// Evict one entry. Return `false` if there is none.
    fn evict(&mut self, removed: &mut Vec<Entry>) -> bool {
        while let Some(number) = self.queue.pop_front() {
            let Some(slot) = self.at(number) else {
                self.free.push(number);
                continue;
            };
            if slot.visited.swap(false, Ordering::Relaxed) {
                self.queue.push_back(number);
                continue;
            }
            removed.extend(self.clear(number));
            self.free.push(number);
            self.evicted += 1;
            return true;
        }
        false
    }

    /// Check the next few slots and remove expired entries, so that entries that are never read
    /// again don't stay.
    fn sweep(&mut self, now: Moment, removed: &mut Vec<Entry>) {
        for _ in 0..SWEEP.min(self.cold.len()) {
            self.swept = match self.swept + 1 {
                next if next < self.cold.len() => next,
                _ => 0,
            };
            if self.cold[self.swept].expires <= now {
                removed.extend(self.clear(self.swept as u32));
            }
        }
        self.compact();
    }

    /// Drop empty slots from the queue when they are the majority.
    fn compact(&mut self) {
        if self.queue.len() <= 2 * self.map.len() + 64 {
            return;
        }
        let Self {
            queue, slots, free, ..
        } = self;
        queue.retain(|&number| {
            let live = slots[number as usize].is_some();
            if !live {
                free.push(number);
            }
            live
        });
    }
}
