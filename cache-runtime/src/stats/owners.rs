//! The calls of each owner in this process: a bounded table, of which the least active owner leaves.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

const SHARDS: usize = 64;
/// Number of owners in one shard: 65,536 in all.
const PER_SHARD: usize = 1_024;

/// Calls of one owner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct OwnerCalls {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

#[cfg(feature = "redis")]
impl OwnerCalls {
    pub(crate) fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// Calls by owner.
pub(crate) struct CallsByOwner {
    shards: Box<[RwLock<Shard>]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    owners: HashMap<Arc<str>, Calls>,
    /// Number of owners that have left since the activities were last halved.
    left: usize,
    /// Calls of owners that have left, until they are taken.
    of_left: Vec<(Arc<str>, OwnerCalls)>,
}

#[derive(Default)]
struct Calls {
    hits: AtomicU64,
    misses: AtomicU64,
    /// Number of calls, halved from time to time, so that an owner who was active long ago can
    /// leave.
    activity: AtomicU32,
}

impl Calls {
    fn count(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        // It may wrap around, and the owner then leaves sooner.
        self.activity.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "redis")]
    fn add(&self, calls: OwnerCalls) {
        self.hits.fetch_add(calls.hits, Ordering::Relaxed);
        self.misses.fetch_add(calls.misses, Ordering::Relaxed);
    }

    fn get(&self) -> OwnerCalls {
        OwnerCalls {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    #[cfg(feature = "redis")]
    fn take(&self) -> OwnerCalls {
        OwnerCalls {
            hits: self.hits.swap(0, Ordering::Relaxed),
            misses: self.misses.swap(0, Ordering::Relaxed),
        }
    }
}

impl CallsByOwner {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(RwLock::default)
                .take(SHARDS)
                .collect(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, owner: &str) -> &RwLock<Shard> {
        &self.shards[self.hasher.hash_one(owner) as usize % SHARDS]
    }

    /// Count a call. A known owner's is counted without a lock that excludes others.
    pub(crate) fn count(&self, owner: &str, is_hit: bool) {
        let shard = self.shard(owner);
        {
            let known = shard.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(calls) = known.owners.get(owner) {
                return calls.count(is_hit);
            }
        }
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.enter(owner).count(is_hit);
    }

    /// Put calls back that were taken.
    #[cfg(feature = "redis")]
    pub(crate) fn put_back(&self, owner: &str, calls: OwnerCalls) {
        let shard = self.shard(owner);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.enter(owner).add(calls);
    }

    pub(crate) fn get(&self, owner: &str) -> OwnerCalls {
        let shard = self.shard(owner);
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        let calls = shard.owners.get(owner);
        calls.map_or_else(OwnerCalls::default, Calls::get)
    }

    /// Take the calls of one owner.
    #[cfg(feature = "redis")]
    pub(crate) fn take(&self, owner: &str) -> OwnerCalls {
        let shard = self.shard(owner);
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        let calls = shard.owners.get(owner);
        calls.map_or_else(OwnerCalls::default, Calls::take)
    }

    /// Take the calls of all owners that have any, shard by shard.
    #[cfg(feature = "redis")]
    pub(crate) fn take_all(&self) -> impl Iterator<Item = Vec<(Arc<str>, OwnerCalls)>> {
        self.shards.iter().map(|shard| {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let mut taken = mem::take(&mut shard.of_left);
            let counted = shard.owners.iter().map(|(owner, calls)| {
                let calls = calls.take();
                (Arc::clone(owner), calls)
            });
            taken.extend(counted.filter(|(_, calls)| !calls.is_zero()));
            taken
        })
    }

    pub(crate) fn reset(&self) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            drop(mem::take(&mut *shard));
        }
    }
}

impl Shard {
    /// Return the owner's calls. In a full shard, the least active owner makes room.
    fn enter(&mut self, owner: &str) -> &Calls {
        if self.owners.len() >= PER_SHARD && !self.owners.contains_key(owner) {
            self.leave();
        }
        self.owners.entry(owner.into()).or_default()
    }

    fn leave(&mut self) {
        let activity = |calls: &Calls| calls.activity.load(Ordering::Relaxed);
        let least = self.owners.iter().min_by_key(|(_, calls)| activity(calls));
        let Some(owner) = least.map(|(owner, _)| Arc::clone(owner)) else {
            return;
        };
        if let Some(calls) = self.owners.remove(&owner)
            && self.of_left.len() < PER_SHARD
        {
            self.of_left.push((owner, calls.get()));
        }
        self.left += 1;
        if self.left >= PER_SHARD {
            self.left = 0;
            for calls in self.owners.values() {
                calls.activity.store(activity(calls) / 2, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_owners_stay_in_a_full_table() {
        let table = CallsByOwner::new();
        for _ in 0..3 {
            table.count("regular", true);
        }
        for visitor in 0..2 * SHARDS * PER_SHARD {
            table.count(&format!("visitor {visitor}"), false);
        }
        let regular = OwnerCalls { hits: 3, misses: 0 };
        assert_eq!(table.get("regular"), regular);
        let owners: usize = table
            .shards
            .iter()
            .map(|shard| shard.read().expect("no panic").owners.len())
            .sum();
        assert!(owners <= SHARDS * PER_SHARD, "{owners}");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn no_call_is_lost_while_calls_are_taken_and_put_back() {
        let table = CallsByOwner::new();
        let mut taken = OwnerCalls::default();
        std::thread::scope(|scope| {
            let counting =
                scope.spawn(|| (0..10_000).for_each(|call| table.count("u", call % 4 > 0)));
            while !counting.is_finished() {
                let calls = table.take("u");
                table.put_back("u", calls);
                for (_, calls) in table.take_all().flatten() {
                    taken.hits += calls.hits;
                    taken.misses += calls.misses;
                }
            }
        });
        let left = table.get("u");
        assert_eq!(taken.hits + left.hits, 7_500);
        assert_eq!(taken.misses + left.misses, 2_500);
    }
}
