//! Simulated caches over a sample of the keys, which find out how large the window should be.

use hashbrown::HashTable;

use super::queues::{Entries, Place, Queues, Room};
use super::sketch::Sketch;
use super::{Access, Eviction};
use crate::clock::Moment;

/// Shares of the cache that the windows of the simulated caches take, in 1/1000.
const SHARES: [usize; 5] = [10, 50, 200, 500, 990];
/// The share in the beginning.
const FIRST: usize = 1;
/// Most entries in each simulated cache. Beyond that, half as many keys are sampled.
const MOST_ENTRIES: usize = 128;
/// The gains are those of the latest accesses: about this many for each entry.
const MEMORY: f32 = 20.0;
/// Part of an entry by which the window moves at each access.
const STEP: f32 = 0.1;

/// Miniature simulations (Waldspurger, Saemundsson, Ahmad and Park, 2017): a cache of a thousandth
/// of the size has about the hit ratio of the whole one, if it sees a thousandth of the keys. Five
/// of them differ in the size of their windows, and the store's window follows the best one. They
/// hold no keys and no values.
pub(super) struct Sample {
    goal: Eviction,
    /// One of 2^shift keys is sampled.
    shift: u32,
    nodes: Vec<Node>,
    free: Vec<u32>,
    map: HashTable<u32>,
    sketch: Sketch,
    caches: [Simulated; SHARES.len()],
    best: usize,
    /// Nodes that the current access removes from a cache. Kept, so that it needs no allocation.
    left: Vec<u32>,
    /// The share that the store's window has now.
    share: f32,
}

/// A sampled key that at least one of the simulated caches contains.
struct Node {
    hash: u32,
    weight: u32,
    compute_micros: u32,
    expires: Moment,
    /// Number of simulated caches that contain it.
    caches: u32,
}

#[derive(Default)]
struct Simulated {
    queues: Queues,
    /// Average gain of the latest accesses. With [`Eviction::HitRatio`] it is the hit ratio.
    gain: f32,
}

impl Sample {
    pub(super) fn new(goal: Eviction) -> Self {
        Self {
            goal,
            shift: 0,
            nodes: Vec::new(),
            free: Vec::new(),
            map: HashTable::new(),
            sketch: Sketch::default(),
            caches: Default::default(),
            best: FIRST,
            left: Vec::new(),
            share: SHARES[FIRST] as f32 / 1000.0,
        }
    }

    /// Return whether a key of this hash is in the sample.
    pub(super) fn contains(&self, hash: u32) -> bool {
        hash.leading_zeros() >= self.shift
    }

    /// Return the share of the cache that the window should take.
    pub(super) fn window_share(&self) -> f32 {
        self.share
    }

    /// Record that a sampled key of a cache of this capacity was asked for.
    pub(super) fn record(&mut self, access: Access, capacity: usize, now: Moment) {
        let (hash, node) = (access.hash, self.node(access, now));
        let (entries, capacity) = (self.caches[FIRST].queues.len(), capacity >> self.shift);
        self.sketch.grow(entries);
        self.sketch.add(hash, entries);
        let gain = self.goal.gain(access);
        let fade = 1.0 / (MEMORY * entries.max(1) as f32);
        for number in 0..self.caches.len() {
            let hit = self.access(number, node, capacity);
            let average = &mut self.caches[number].gain;
            *average += (if hit { gain } else { 0.0 } - *average) * fade;
        }
        self.follow_best(entries);
        if self.nodes[node as usize].caches == 0 {
            self.drop_node(node);
        }
        // They hold different numbers of entries, if these differ in size.
        let mut caches = self.caches.iter();
        if caches.any(|cache| cache.queues.len() > MOST_ENTRIES) {
            self.halve();
        }
    }

    /// Sample few enough keys for a store of this number of entries.
    pub(super) fn fit(&mut self, entries: usize) {
        if entries >> self.shift > MOST_ENTRIES {
            self.halve();
        }
    }

    /// Remove a key, since its entry was invalidated.
    pub(super) fn remove(&mut self, hash: u32) {
        if let Some(node) = self.find(hash) {
            self.remove_node(node);
        }
    }

    fn find(&self, hash: u32) -> Option<u32> {
        let is_it = |node: &u32| self.nodes[*node as usize].hash == hash;
        self.map.find(spread(hash), is_it).copied()
    }

    /// Return the node of a key. If its value has expired, or has another size, no cache has it.
    fn node(&mut self, access: Access, now: Moment) -> u32 {
        let weight = u32::try_from(access.weight).unwrap_or(u32::MAX);
        let (hash, expires) = (access.hash, access.expires);
        if let Some(number) = self.find(hash) {
            let node = &mut self.nodes[number as usize];
            if node.weight == weight && node.expires > now {
                node.expires = expires;
                return number;
            }
            self.remove_node(number);
        }
        let new = Node {
            hash,
            weight,
            compute_micros: access.compute_micros,
            caches: 0,
            expires,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.nodes[number as usize] = new;
                number
            }
            None => {
                self.nodes.push(new);
                (self.nodes.len() - 1) as u32
            }
        };
        let nodes = &self.nodes;
        let hash_of = |node: &u32| spread(nodes[*node as usize].hash);
        self.map.insert_unique(spread(hash), number, hash_of);
        number
    }

    fn access(&mut self, number: usize, node: u32, capacity: usize) -> bool {
        let mut entries = Sampled {
            goal: self.goal,
            nodes: &self.nodes,
            sketch: &self.sketch,
        };
        let weight = entries.weight(node);
        let queues = &mut self.caches[number].queues;
        if let Some(place) = queues.place(node) {
            queues.requeue(place, node, weight);
            return true;
        }
        if weight > capacity {
            return false;
        }
        let room = Room {
            total: capacity,
            // As u128, since a capacity may be as large as a `usize` can be.
            window: (capacity as u128 * SHARES[number] as u128 / 1000) as usize,
        };
        while let Some(victim) = queues.victim(&mut entries, room, weight) {
            queues.remove(victim, entries.weight(victim));
            self.left.push(victim);
        }
        queues.push(Place::Window, node, weight);
        self.nodes[node as usize].caches += 1;
        while let Some(victim) = self.left.pop() {
            self.nodes[victim as usize].caches -= 1;
            if self.nodes[victim as usize].caches == 0 {
                self.drop_node(victim);
            }
        }
        false
    }

    /// Move the window's share a small step towards that of the best cache. Each step moves entries
    /// between the queues, so a large one would cost hits if it turned out to be wrong.
    fn follow_best(&mut self, entries: usize) {
        for (number, cache) in self.caches.iter().enumerate() {
            if cache.gain > self.caches[self.best].gain {
                self.best = number;
            }
        }
        let step = STEP / entries.max(1) as f32;
        let target = SHARES[self.best] as f32 / 1000.0;
        self.share += (target - self.share).clamp(-step, step);
    }

    /// Sample half as many keys.
    fn halve(&mut self) {
        self.shift += 1;
        for node in 0..self.nodes.len() {
            if self.nodes[node].caches > 0 && !self.contains(self.nodes[node].hash) {
                self.remove_node(node as u32);
            }
        }
    }

    fn remove_node(&mut self, node: u32) {
        let weight = self.nodes[node as usize].weight as usize;
        for cache in &mut self.caches {
            cache.queues.remove(node, weight);
        }
        self.nodes[node as usize].caches = 0;
        self.drop_node(node);
    }

    fn drop_node(&mut self, node: u32) {
        let hash = spread(self.nodes[node as usize].hash);
        if let Ok(found) = self.map.find_entry(hash, |other| *other == node) {
            found.remove();
            self.free.push(node);
        }
    }
}

/// The sampled keys, as the queues of a simulated cache see them. They know of each read at once.
struct Sampled<'a> {
    goal: Eviction,
    nodes: &'a [Node],
    sketch: &'a Sketch,
}

impl Entries for Sampled<'_> {
    fn weight(&self, node: u32) -> usize {
        self.nodes[node as usize].weight as usize
    }

    fn frequency(&self, node: u32) -> u8 {
        self.sketch.estimate(self.nodes[node as usize].hash)
    }

    fn take_read(&mut self, _: u32) -> bool {
        false
    }

    fn density(&self, node: u32) -> Option<f32> {
        let Node {
            hash,
            weight,
            expires,
            compute_micros,
            ..
        } = self.nodes[node as usize];
        self.goal.density(Access {
            hash,
            weight: weight as usize,
            expires,
            compute_micros,
        })
    }
}

/// Return a hash for the map, which reads its highest and its lowest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
impl Sample {
    #[cfg(not(shuttle))]
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn assert_consistent(&self) {
        assert_eq!(self.map.len() + self.free.len(), self.nodes.len());
        let mut caches = vec![0; self.nodes.len()];
        for cache in &self.caches {
            let numbers: Vec<u32> = cache.queues.entries().collect();
            assert!(numbers.len() <= MOST_ENTRIES + 1);
            let weights = numbers
                .iter()
                .map(|number| self.nodes[*number as usize].weight as usize);
            assert_eq!(weights.sum::<usize>(), cache.queues.weight());
            for number in numbers {
                caches[number as usize] += 1;
            }
        }
        for (node, caches) in self.nodes.iter().zip(caches) {
            assert_eq!(node.caches, caches);
        }
    }
}
