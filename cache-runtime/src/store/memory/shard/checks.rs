//! Invariants of a shard.

use super::{Shard, key_at};
use crate::store::memory::trie::GROUP;

impl Shard {
    /// Return the number of slots, occupied and empty.
    #[cfg(all(test, not(shuttle)))]
    pub(in crate::store::memory) fn places(&self) -> usize {
        self.slots.len()
    }

    /// Panic unless map, index, queue and slots agree.
    #[cfg(test)]
    pub(in crate::store::memory) fn assert_consistent(&self) {
        let live = || (0u32..).zip(&self.slots).filter(|(_, slot)| slot.is_some());
        assert_eq!(live().count(), self.places.len());
        let (mut weight, mut indexed) = (0, 0);
        for (place, slot) in live() {
            let slot = slot.as_ref().expect("it is live");
            let rest = &self.rest[place as usize];
            weight += rest.weight;
            let found = self
                .index
                .find(slot.key.as_bytes(), |place| key_at(&self.slots, place));
            match found {
                Some(found) => assert_eq!(found, place),
                None => assert!(self.unindexed.contains(&place)),
            }
            indexed += usize::from(found.is_some());
            let found = self.places.find(rest.hash, |other| *other == place);
            assert!(found.is_some());
        }
        assert_eq!(indexed, self.index.len(), "the index knows no others");
        assert!(self.unindexed.len() < GROUP);
        assert_eq!(weight, self.weight);
        assert!(self.weight <= self.capacity);
        // Every slot is in the queue or free, exactly once.
        let mut known: Vec<u32> = self.queue.iter().chain(&self.free).copied().collect();
        known.sort_unstable();
        assert!(known.iter().copied().eq(0..self.slots.len() as u32));
        assert!(self.free.iter().all(|place| self.at(*place).is_none()));
        assert!(self.queue.len() <= 2 * self.places.len() + 64 + 1);
    }
}
