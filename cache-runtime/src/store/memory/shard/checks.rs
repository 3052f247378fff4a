//! Invariants of a shard.

use super::{StoreShard, key_at};
use crate::clock::NEVER;
use crate::store::memory::trie::GROUP;

impl StoreShard {
    /// Return the number of slots, occupied and empty.
    #[cfg(all(test, not(shuttle)))]
    pub(in crate::store::memory) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Panic unless map, index, queues and slots agree.
    #[cfg(test)]
    pub(in crate::store::memory) fn assert_consistent(&self) {
        let live = || (0u32..).zip(&self.slots).filter(|(_, slot)| slot.is_some());
        assert_eq!(live().count(), self.map.len());
        let (mut weight, mut indexed) = (0, 0);
        for (number, slot) in live() {
            let slot = slot.as_ref().expect("it is live");
            let cold = &self.cold[number as usize];
            weight += cold.weight();
            let found = self
                .index
                .find(slot.key.as_bytes(), |number| key_at(&self.slots, number));
            match found {
                Some(found) => assert_eq!(found, number),
                None => assert!(self.unindexed.contains(&number)),
            }
            indexed += usize::from(found.is_some());
            let found = self.map.find(cold.hash, |other| *other == number);
            assert!(found.is_some());
        }
        assert_eq!(indexed, self.index.len(), "the index knows no others");
        assert!(self.unindexed.len() < GROUP);
        assert_eq!(weight, self.weight);
        assert!(self.weight <= self.capacity);
        // Every slot is in a queue or free, exactly once.
        let mut known: Vec<u32> = self.policy.entries().chain(self.free.clone()).collect();
        known.sort_unstable();
        assert!(known.iter().copied().eq(0..self.slots.len() as u32));
        assert!(self.free.iter().all(|number| self.at(*number).is_none()));
        for (number, slot) in (0u32..).zip(&self.slots) {
            let expires = slot.is_some() && self.cold[number as usize].expires != NEVER;
            assert_eq!(self.expiry.contains(number), expires);
        }
        assert_eq!(self.policy.weight(), self.weight);
        self.policy.assert_consistent();
    }
}
