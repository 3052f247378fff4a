#[cfg(test)]
mod checks;
mod sight;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashTable;

use crate::clock::Moment;
use crate::pattern::{Pattern, Span};
use crate::store::memory::key::{AnyKey, Sought};
use crate::store::memory::slot::{Entry, Rest, Slot};
use crate::store::memory::trie::{GROUP, Index, MOST_KEY_BYTES, MOST_PLACES};
use crate::store::memory::{Hit, Unmatched};
use crate::value::payload::{Payload, Value};

/// How many slots each insertion looks at for an expired entry: more than one, so that the sweep outruns growth.
const SWEEP: usize = 2;

/// The key at a place that the index knows: none of these is empty.
fn key_at(slots: &[Option<Slot>], place: u32) -> &[u8] {
    let slot = slots.get(place as usize).and_then(Option::as_ref);
    slot.map_or(&[], |slot| slot.key.as_bytes())
}

/// A part of the store. Evicts by CLOCK (Corbató, 1968): entries queue up in the order in which they came; one
/// at the head that was read meanwhile goes to the end once more, one that wasn't goes.
pub(crate) struct Shard {
    capacity: usize,
    weight: usize,
    places: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    /// Of the slot at the same place.
    rest: Vec<Rest>,
    free: Vec<u32>,
    /// Finds keys by what they begin with, for patterns.
    index: Index,
    /// Places that the index may not know yet, fewer than a [`GROUP`]: many at once take it a fraction of the time.
    unindexed: Vec<u32>,
    queue: VecDeque<u32>,
    /// Where the sweep goes on.
    swept: usize,
}

impl Shard {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            weight: 0,
            places: HashTable::new(),
            slots: Vec::new(),
            rest: Vec::new(),
            free: Vec::new(),
            index: Index::default(),
            unindexed: Vec::new(),
            queue: VecDeque::new(),
            swept: 0,
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    fn place(&self, sought: &AnyKey<'_>) -> Option<u32> {
        let is_it = |place: &u32| self.at(*place).is_some_and(|slot| sought.is(&slot.key));
        self.places.find(sought.hash(), is_it).copied()
    }

    #[inline]
    fn at(&self, place: u32) -> Option<&Slot> {
        self.slots.get(place as usize)?.as_ref()
    }

    /// Inlined, so that what is found goes on in registers.
    #[inline(always)]
    pub(crate) fn get_typed(
        &self,
        sought: &impl Sought,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        let mut found = None;
        self.places.find(sought.hash(), |place| {
            found = self.at(*place).filter(|slot| sought.is(&slot.key));
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

    pub(crate) fn get(&self, sought: &AnyKey<'_>, now: Moment) -> Option<Hit> {
        let slot = self.at(self.place(sought)?)?;
        if slot.fresh_until <= now {
            return None;
        }
        slot.visit();
        Some(slot.hit())
    }

    /// Whether there is an entry of this key, living or not.
    pub(crate) fn holds(&self, sought: &AnyKey<'_>) -> bool {
        self.place(sought).is_some()
    }

    /// Stores an entry. What it replaces and evicts goes to `removed`.
    pub(crate) fn insert(
        &mut self,
        sought: &AnyKey<'_>,
        key: &str,
        entry: Entry,
        now: Moment,
        removed: &mut Vec<Entry>,
    ) -> bool {
        removed.extend(self.remove(sought));
        let hash = sought.hash();
        let (slot, rest) = entry.into_parts(hash, key);
        let weight = rest.weight;
        if weight > self.capacity || slot.key.len() > MOST_KEY_BYTES {
            removed.push(Entry::of_parts(slot, &rest));
            return false;
        }
        self.sweep(now, removed);
        while self.is_full_for(weight) && self.evict(removed) {}
        self.weight += weight;
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = Some(slot);
                self.rest[place as usize] = rest;
                place
            }
            None => {
                self.slots.push(Some(slot));
                self.rest.push(rest);
                (self.slots.len() - 1) as u32
            }
        };
        let rest = &self.rest;
        let hash_of = |place: &u32| rest[*place as usize].hash;
        self.places.insert_unique(hash, place, hash_of);
        self.queue.push_back(place);
        self.unindexed.push(place);
        if self.unindexed.len() >= GROUP {
            self.index_all();
        }
        true
    }

    /// Enters into the index what it doesn't know yet.
    fn index_all(&mut self) {
        let (slots, index) = (&self.slots, &mut self.index);
        // A place may have been emptied since, and taken anew: then its key is another, or it is here twice.
        self.unindexed
            .retain(|place| slots[*place as usize].is_some());
        index.insert_all(&self.unindexed, |place| key_at(slots, place));
        self.unindexed.clear();
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, sought: &AnyKey<'_>) -> Option<Entry> {
        let place = self.place(sought)?;
        let entry = self.clear(place);
        self.compact();
        entry
    }

    fn is_full_for(&self, weight: usize) -> bool {
        // Nearly as many places again may be empty, in the queue.
        self.weight + weight > self.capacity || self.places.len() >= MOST_PLACES / 4
    }

    /// Removes the entries that the pattern matches, all of which lie in the spans.
    pub(crate) fn remove_matching(&mut self, pattern: &Pattern, spans: &[Span]) -> Vec<Entry> {
        self.index_all();
        let (mut places, slots) = (Vec::new(), &self.slots);
        let key_at = |place| key_at(slots, place);
        self.index.visit_spans(spans, key_at, |place| {
            if pattern.matches(key_at(place)) {
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
        let rest = self.rest.get_mut(place as usize)?;
        if let Ok(found) = self.places.find_entry(rest.hash, |other| *other == place) {
            found.remove();
        }
        self.weight -= rest.weight;
        self.index.remove(slot.key.as_bytes(), place);
        let entry = Entry::of_parts(slot, rest);
        rest.clear();
        Some(entry)
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
        for _ in 0..SWEEP.min(self.rest.len()) {
            self.swept = match self.swept + 1 {
                next if next < self.rest.len() => next,
                _ => 0,
            };
            if self.rest[self.swept].expires <= now {
                removed.extend(self.clear(self.swept as u32));
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
}
