//! One shard of the memory store: its entries, its index of keys, and what leaves when.

#[cfg(test)]
mod checks;
mod inspect;
mod stale;
mod tell;

use std::sync::Arc;

use hashbrown::HashTable;

use crate::clock::Moment;
use crate::entry::payload::{Payload, Value};
use crate::pattern::{Pattern, Span};
use crate::store::memory::eviction::{Access, Eviction, Expiry, Policy, Residents};
use crate::store::memory::growth::make_room;
use crate::store::memory::key::{AnyKey, LookupKey};
use crate::store::memory::reads::ReadLog;
use crate::store::memory::slot::{ColdSlot, Entry, Slot};
use crate::store::memory::trie::{GROUP, KeyTrie, MAX_KEY_BYTES, MAX_PLACES};
use crate::store::memory::{Hit, Unmatched};
use crate::watch::{ChangeKind, Watchers};

/// Number of expired entries that an insertion removes even if it needs no room. With more than
/// one, expired entries don't accumulate.
const SWEEP: usize = 2;

/// Return the key in a slot that the index knows. None of these is empty.
fn key_at(slots: &[Option<Slot>], number: u32) -> &[u8] {
    let slot = slots.get(number as usize).and_then(Option::as_ref);
    slot.map_or(&[], |slot| slot.key.as_bytes())
}

/// One lock's share of the store. If room is needed, entries that have expired leave first, then
/// those that the [`Policy`] chooses.
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
    policy: Policy,
    expiry: Expiry,
    /// Reads that the policy doesn't know of yet.
    log: ReadLog,
    /// Number of entries that were evicted to make room.
    evicted: u64,
    /// Number of expired entries that the sweep has removed.
    expired: u64,
    watchers: Arc<Watchers>,
}

impl StoreShard {
    pub(crate) fn new(capacity: usize, eviction: Eviction, watchers: Arc<Watchers>) -> Self {
        Self {
            capacity,
            weight: 0,
            map: HashTable::new(),
            slots: Vec::new(),
            cold: Vec::new(),
            free: Vec::new(),
            index: KeyTrie::default(),
            unindexed: Vec::new(),
            policy: Policy::new(eviction),
            expiry: Expiry::default(),
            log: ReadLog::default(),
            evicted: 0,
            expired: 0,
            watchers,
        }
    }

    /// Return an empty shard that goes on counting where this one ends.
    #[cfg(feature = "redis")]
    pub(crate) fn successor(&self) -> Self {
        Self {
            evicted: self.evicted,
            expired: self.expired,
            ..Self::new(
                self.capacity,
                self.policy.goal(),
                Arc::clone(&self.watchers),
            )
        }
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

    pub(crate) fn expired(&self) -> u64 {
        self.expired
    }

    fn find(&self, wanted: &AnyKey<'_>) -> Option<u32> {
        let is_it = |number: &u32| self.at(*number).is_some_and(|slot| wanted.is(&slot.key));
        self.map.find(wanted.hash(), is_it).copied()
    }

    #[inline]
    fn at(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)?.as_ref()
    }

    #[inline(always)]
    fn note_read(&self, slot: &Slot, number: u32) {
        if !slot.reads.is_settled() {
            self.log.note(&slot.reads, number);
        }
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
        let number = self.map.find(wanted.hash(), |number| {
            found = self.at(*number).filter(|slot| wanted.is(&slot.key));
            found.is_some()
        })?;
        let slot = found.filter(|slot| slot.fresh_until > now)?;
        self.note_read(slot, *number);
        match &slot.payload {
            Payload::Typed(value) if slot.version == version => Some(Arc::clone(value)),
            _ => {
                *other = Unmatched::Entry(slot.hit());
                None
            }
        }
    }

    /// Return a fresh entry, and when it was stored. An attribute's hit doesn't read that, which is
    /// in another cache line.
    pub(crate) fn get_stored(&self, wanted: &AnyKey<'_>, now: Moment) -> Option<(Hit, Moment)> {
        let number = self.find(wanted)?;
        let (slot, cold) = (self.at(number)?, self.cold.get(number as usize)?);
        if slot.fresh_until <= now {
            return None;
        }
        self.note_read(slot, number);
        Some((slot.hit(), cold.stored))
    }

    /// Return when the entry was stored, if its value is this one.
    pub(crate) fn stored(&self, wanted: &AnyKey<'_>, value: *const ()) -> Option<Moment> {
        let number = self.find(wanted)?;
        let (slot, cold) = (self.at(number)?, self.cold.get(number as usize)?);
        let is_it =
            matches!(&slot.payload, Payload::Typed(known) if Arc::as_ptr(known).cast() == value);
        is_it.then_some(cold.stored)
    }

    pub(crate) fn get(&self, wanted: &AnyKey<'_>, now: Moment) -> Option<Hit> {
        let number = self.find(wanted)?;
        let slot = self.at(number)?;
        if slot.fresh_until <= now {
            return None;
        }
        self.note_read(slot, number);
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
        self.tell_policy(now);
        let replaced = self.find(wanted);
        // An entry that replaces another one keeps its place: it is the same key that is asked for.
        let place = replaced.and_then(|number| self.policy.place(number));
        if let Some(number) = replaced {
            self.tell_expired(number, now);
            removed.extend(self.clear(number));
        }
        let weight = entry.weight(key, self.capacity);
        let Some(weight) = weight.filter(|_| key.len() <= MAX_KEY_BYTES) else {
            removed.push(entry);
            if replaced.is_some() {
                self.tell_key(key, ChangeKind::Removed);
            }
            return false;
        };
        for _ in 0..SWEEP {
            if !self.remove_expired(now, removed) {
                break;
            }
        }
        while self.make_room(weight as usize, now, removed) {}
        let hash = wanted.hash();
        let logs_reads = self.policy.samples(hash);
        let (slot, cold) = entry.into_parts(hash, key, weight, logs_reads);
        let access = cold.access();
        let number = self.occupy(slot, cold);
        self.policy
            .insert(number, access, place, self.capacity, now);
        self.tell_filled(number, now);
        true
    }

    /// Enter an entry, which there is room for, into everything but the policy.
    fn occupy(&mut self, slot: Slot, cold: ColdSlot) -> u32 {
        let (hash, expires) = (cold.hash, cold.expires);
        self.weight += cold.weight();
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = Some(slot);
                self.cold[number as usize] = cold;
                number
            }
            None => {
                make_room(&mut self.slots, 1);
                make_room(&mut self.cold, 1);
                self.slots.push(Some(slot));
                self.cold.push(cold);
                (self.slots.len() - 1) as u32
            }
        };
        let cold = &self.cold;
        let hash_of = |number: &u32| cold[*number as usize].hash;
        self.map.insert_unique(hash, number, hash_of);
        self.expiry.insert(number, expires);
        self.unindexed.push(number);
        if self.unindexed.len() >= GROUP {
            self.index_all();
        }
        number
    }

    /// Pass the logged reads on to the policy.
    fn tell_policy(&mut self, now: Moment) {
        for position in 0..self.log.take() {
            let number = self.log.at(position);
            let Some(slot) = self.slots.get(number as usize).and_then(Option::as_ref) else {
                continue;
            };
            let cold = &self.cold[number as usize];
            if self.policy.samples(cold.hash) {
                slot.reads.log_next();
                self.policy.read(cold.access(), self.capacity, now);
            }
        }
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
        self.invalidate(number)
    }

    fn invalidate(&mut self, number: u32) -> Option<Entry> {
        self.tell(number, ChangeKind::Removed);
        self.policy.forget(self.cold.get(number as usize)?.hash);
        self.clear(number)
    }

    /// Remove the entry that has this number in its owner's account.
    pub(crate) fn remove_owned(&mut self, wanted: &AnyKey<'_>, number: u64) -> Option<Entry> {
        let cold = self.cold.get(self.find(wanted)? as usize)?;
        let is_it = cold.owned().is_some_and(|owned| owned.number == number);
        is_it.then(|| self.remove(wanted))?
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
        let invalidate = |number| self.invalidate(number);
        matching.into_iter().filter_map(invalidate).collect()
    }

    /// Empty a slot.
    fn clear(&mut self, number: u32) -> Option<Entry> {
        let slot = self.slots.get_mut(number as usize)?.take()?;
        let cold = self.cold.get_mut(number as usize)?;
        if let Ok(found) = self.map.find_entry(cold.hash, |other| *other == number) {
            found.remove();
        }
        let weight = cold.weight();
        self.weight -= weight;
        self.index.remove(slot.key.as_bytes(), number);
        self.policy.remove(number, weight);
        self.expiry.remove(number);
        self.free.push(number);
        Some(Entry::of_parts(slot, cold))
    }

    /// Remove an entry if one of this weight wouldn't fit. Return `false` if it would, or if there
    /// is no entry to remove.
    fn make_room(&mut self, weight: usize, now: Moment, removed: &mut Vec<Entry>) -> bool {
        // With too many entries, none fits in addition to them.
        let capacity = match self.map.len() < MAX_PLACES {
            true => self.capacity,
            false => self.weight,
        };
        if self.weight + weight > capacity && self.remove_expired(now, removed) {
            return true;
        }
        let mut residents = Stored {
            slots: &self.slots,
            cold: &self.cold,
        };
        let Some(number) = self.policy.victim(&mut residents, capacity, weight) else {
            return false;
        };
        self.tell(number, ChangeKind::Evicted);
        removed.extend(self.clear(number));
        self.evicted += 1;
        true
    }

    /// Remove one expired entry. Return `false` if there is none.
    fn remove_expired(&mut self, now: Moment, removed: &mut Vec<Entry>) -> bool {
        let cold = &self.cold;
        let expires = |number: u32| cold[number as usize].expires;
        let Some(number) = self.expiry.next(now, expires) else {
            return false;
        };
        self.tell(number, ChangeKind::Expired);
        removed.extend(self.clear(number));
        self.expired += 1;
        true
    }
}

/// The entries as the policy sees them, under the write lock.
struct Stored<'a> {
    slots: &'a [Option<Slot>],
    cold: &'a [ColdSlot],
}

impl Residents for Stored<'_> {
    fn access(&self, number: u32) -> Access {
        self.cold[number as usize].access()
    }

    fn take_reads(&mut self, number: u32) -> u8 {
        let slot = self.slots[number as usize].as_ref();
        slot.map_or(0, |slot| slot.reads.take())
    }
}
