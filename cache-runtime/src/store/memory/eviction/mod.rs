//! Which entry leaves when room is needed.

mod expiry;
mod goal;
mod lists;
mod queues;
mod sample;
mod sketch;

use crate::clock::Moment;
pub(super) use expiry::Expiry;
pub use goal::Eviction;
pub(super) use queues::Place;
use queues::{Entries, Queues, Room};
use sample::Sample;
use sketch::Sketch;

/// The facts of an entry that the policy uses.
#[derive(Clone, Copy)]
pub(super) struct Access {
    /// [`fold`] of the key's hash.
    pub(super) hash: u32,
    pub(super) weight: usize,
    pub(super) expires: Moment,
    pub(super) compute_micros: u32,
}

/// Return the part of a key's hash that the policy uses: neither the highest bits, which choose the
/// shard, nor those that the map uses.
pub(super) fn fold(hash: u64) -> u32 {
    (hash >> 16) as u32
}

/// The entries of a shard, as the policy sees them.
pub(super) trait Residents {
    fn access(&self, number: u32) -> Access;
    /// Return how often the entry was read since the last call.
    fn take_reads(&mut self, number: u32) -> u8;
}

/// Adaptive W-TinyLFU: see `queues` for what leaves, and `sample` for how it adapts.
pub(super) struct Policy {
    goal: Eviction,
    queues: Queues,
    sketch: Sketch,
    sample: Sample,
    /// Whether the cache was nearly full. Before, nothing leaves for want of room, so the
    /// simulation, the dearest part of an insertion, would have nothing to compare.
    simulates: bool,
}

impl Policy {
    pub(super) fn new(goal: Eviction) -> Self {
        Self {
            goal,
            queues: Queues::default(),
            sketch: Sketch::default(),
            sample: Sample::new(goal),
            simulates: false,
        }
    }

    #[cfg(feature = "redis")]
    pub(super) fn goal(&self) -> Eviction {
        self.goal
    }

    /// Return whether reads of a key of this hash are to be recorded one by one.
    pub(super) fn samples(&self, hash: u64) -> bool {
        self.sample.contains(fold(hash))
    }

    /// Record that a sampled key was asked for.
    pub(super) fn read(&mut self, access: Access, capacity: usize, now: Moment) {
        if self.simulates {
            self.sample.record(access, capacity, now);
        }
    }

    /// Return the entry that has to leave before one of this weight enters, if any has to.
    pub(super) fn victim(
        &mut self,
        residents: &mut impl Residents,
        capacity: usize,
        incoming: usize,
    ) -> Option<u32> {
        self.simulates |= self.queues.weight() + incoming > capacity - capacity / 4;
        let room = Room {
            total: capacity,
            window: (capacity as f32 * self.sample.window_share()) as usize,
        };
        let mut entries = Counted {
            residents,
            len: self.queues.len(),
            goal: self.goal,
            sketch: &mut self.sketch,
        };
        self.queues.victim(&mut entries, room, incoming)
    }

    /// Record a new entry, after room was made for it. `place`: where its predecessor was.
    pub(super) fn insert(
        &mut self,
        number: u32,
        access: Access,
        place: Option<Place>,
        capacity: usize,
        now: Moment,
    ) {
        let place = place.unwrap_or(Place::Window);
        self.queues.push(place, number, access.weight);
        self.sketch.grow(self.queues.len());
        self.sketch.add(access.hash, self.queues.len());
        self.sample.fit(self.queues.len());
        if self.sample.contains(access.hash) {
            self.read(access, capacity, now);
        }
    }

    /// Return where an entry is.
    pub(super) fn place(&self, number: u32) -> Option<Place> {
        self.queues.place(number)
    }

    /// Record that an entry has left.
    pub(super) fn remove(&mut self, number: u32, weight: usize) {
        self.queues.remove(number, weight);
    }

    /// Record that a key is invalidated: then no cache would have it.
    pub(super) fn forget(&mut self, hash: u64) {
        if self.samples(hash) {
            self.sample.remove(fold(hash));
        }
    }
}

/// The entries of the store, as its queues see them. Their reads are added to the sketch when the
/// queues pass them.
struct Counted<'a, R> {
    residents: &'a mut R,
    goal: Eviction,
    len: usize,
    sketch: &'a mut Sketch,
}

impl<R: Residents> Entries for Counted<'_, R> {
    fn weight(&self, number: u32) -> usize {
        self.residents.access(number).weight
    }

    fn frequency(&self, number: u32) -> u8 {
        self.sketch.estimate(self.residents.access(number).hash)
    }

    fn take_read(&mut self, number: u32) -> bool {
        let reads = self.residents.take_reads(number);
        let hash = self.residents.access(number).hash;
        for _ in 0..reads {
            self.sketch.add(hash, self.len);
        }
        reads > 0
    }

    fn density(&self, number: u32) -> Option<f32> {
        self.goal.density(self.residents.access(number))
    }
}

#[cfg(test)]
impl Policy {
    pub(super) fn entries(&self) -> impl Iterator<Item = u32> {
        self.queues.entries()
    }

    pub(super) fn weight(&self) -> usize {
        self.queues.weight()
    }

    /// Panic unless the simulated caches and their nodes agree.
    pub(super) fn assert_consistent(&self) {
        self.sample.assert_consistent();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
