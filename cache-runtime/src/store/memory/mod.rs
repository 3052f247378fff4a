//! The embedded store: a sharded map with an ordered index, bounded by bytes.
//!
//! Each shard keeps map, index and eviction queue under one lock, so that none of them ever knows a key that
//! the others don't; but the index gets new ones a group at a time, and always before it is asked. What leaves a
//! shard is dropped outside its lock, since a value's `Drop` is foreign code.

mod key;
mod shard;
mod slot;
pub(crate) mod trie;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::entry::age::Age;
use crate::key::text::Text;
use crate::pattern::Pattern;
use crate::sync::{RandomState, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::value::payload::{Payload, Value};
use key::{AnyKey, ShortKey, Sought};
use shard::Shard;
pub(crate) use slot::Entry;

/// A shard smaller than this would turn away values that the whole store has room for.
const SMALLEST_SHARD: usize = 4 << 20;
const MOST_SHARDS: usize = 64;

/// The memory store.
pub(crate) struct MemoryStore {
    shards: Box<[RwLock<Shard>]>,
    /// Of each shard.
    capacity: usize,
    hasher: RandomState,
}

/// What became of an entry that was to be stored.
pub(crate) struct Insertion {
    /// Whether there was room for it.
    pub(crate) stored: bool,
    /// What it replaced and displaced. Values are foreign code when they are dropped, and the caller may hold a
    /// lock, so that is the caller's.
    _removed: Vec<Entry>,
}

/// What a store held before it was cleared.
#[cfg(feature = "redis")]
pub(crate) struct Remains(#[expect(dead_code, reason = "it is there to be dropped")] Vec<Shard>);

/// An entry that was found.
pub(crate) struct Hit {
    pub(crate) payload: Payload,
    pub(crate) version: u32,
    pub(crate) fresh_until: Moment,
}

/// What a look at the store is to a call, if it isn't a value of the call site's version.
pub(crate) enum Unmatched {
    /// Anything else that is fresh.
    Entry(Hit),
    /// Fresh until then, and to be computed early.
    Due(Moment),
    Absent,
}

/// An entry that was found, fresh or stale.
pub(crate) struct StaleHit {
    pub(crate) payload: Payload,
    pub(crate) version: u32,
    pub(crate) fresh_until: Moment,
    /// How long it took to compute.
    pub(crate) compute: Duration,
    /// Nobody computes it anew before.
    pub(crate) paused_until: Moment,
}

impl StaleHit {
    pub(crate) fn age(&self, now: Moment) -> Age {
        Age::at(now, self.fresh_until)
    }
}

impl MemoryStore {
    pub(crate) fn new(capacity: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = (cores * 4).next_power_of_two().min(MOST_SHARDS);
        let mut count = wanted;
        while count > 1 && capacity / count < SMALLEST_SHARD {
            count /= 2;
        }
        let capacity = capacity / count;
        let shard = || RwLock::new(Shard::new(capacity));
        Self {
            shards: std::iter::repeat_with(shard).take(count).collect(),
            capacity,
            hasher: RandomState::default(),
        }
    }

    /// How many bytes a value of this key may take at most.
    pub(crate) fn room(&self, key: &str) -> usize {
        self.capacity.saturating_sub(slot::cost_besides(key))
    }

    fn seek<'a>(&self, key: &'a str) -> AnyKey<'a> {
        AnyKey::new(key.as_bytes(), &self.hasher)
    }

    #[inline(always)]
    fn shard(&self, sought: &impl Sought) -> &RwLock<Shard> {
        // There are a power of two of them. The map within the shard goes by the other bits.
        let shard = (sought.hash() >> 48) as usize & (self.shards.len() - 1);
        &self.shards[shard]
    }

    /// A value of this version that is fresh; what else there is that is fresh goes to `other`. A value is returned in registers: through
    /// memory it would be waited for several times.
    #[inline(never)]
    pub(crate) fn get_typed(
        &self,
        key: &Text,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        match ShortKey::written(key, &self.hasher) {
            Some(short) => self.get_typed_by(&short, now, version, other),
            None => self.get_typed_long(key, now, version, other),
        }
    }

    #[inline(never)]
    fn get_typed_long(
        &self,
        key: &Text,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        let sought = AnyKey::written(key, &self.hasher);
        self.get_typed_by(&sought, now, version, other)
    }

    #[inline(always)]
    fn get_typed_by(
        &self,
        sought: &impl Sought,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        read(self.shard(sought)).get_typed(sought, now, version, other)
    }

    /// The entry, if it stands and is fresh.
    pub(crate) fn get(&self, key: &str, now: Moment) -> Option<Hit> {
        let sought = self.seek(key);
        read(self.shard(&sought)).get(&sought, now)
    }

    /// Whether there is an entry of this key, living or not.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let sought = self.seek(key);
        read(self.shard(&sought)).holds(&sought)
    }

    /// The entry, if it stands, be it stale.
    pub(crate) fn look(&self, key: &str, now: Moment) -> Option<StaleHit> {
        self.see(&self.seek(key), now)
    }

    /// The same by a key that was just written.
    #[inline]
    pub(crate) fn get_stale_by(&self, key: &Text, now: Moment) -> Option<StaleHit> {
        self.see(&AnyKey::written(key, &self.hasher), now)
    }

    #[inline(always)]
    fn see(&self, sought: &AnyKey<'_>, now: Moment) -> Option<StaleHit> {
        read(self.shard(sought)).look(sought, now)
    }

    /// Notes that nobody computes the entry anew before `until`; until when it is fresh, if it stands.
    pub(crate) fn pause(&self, key: &str, now: Moment, until: Moment) -> Option<Moment> {
        let sought = self.seek(key);
        write(self.shard(&sought)).pause(&sought, now, until)
    }

    /// Stores an entry in place of any other.
    pub(crate) fn insert(&self, key: &str, entry: Entry, now: Moment) -> Insertion {
        let sought = self.seek(key);
        let mut removed = Vec::new();
        let stored = write(self.shard(&sought)).insert(&sought, key, entry, now, &mut removed);
        Insertion {
            stored,
            _removed: removed,
        }
    }

    /// Removes an entry; whether a living one was there.
    pub(crate) fn remove(&self, key: &str, now: Moment) -> bool {
        self.take(key).is_some_and(|entry| entry.expires > now)
    }

    /// Removes an entry, living or expired, and gives it to the caller to drop.
    pub(crate) fn take(&self, key: &str) -> Option<Entry> {
        let sought = self.seek(key);
        write(self.shard(&sought)).remove(&sought)
    }

    /// Removes what the pattern matches, and counts the living.
    pub(crate) fn remove_matching(&self, pattern: &Pattern, now: Moment) -> u64 {
        let spans = pattern.spans();
        let mut count = 0;
        for shard in &self.shards {
            let removed = write(shard).remove_matching(pattern, &spans);
            count += removed.iter().filter(|entry| entry.expires > now).count() as u64;
        }
        count
    }

    /// Removes everything. What is given back is foreign code when it is dropped, and much of it.
    #[cfg(feature = "redis")]
    pub(crate) fn clear(&self) -> Remains {
        let empty = |shard: &RwLock<Shard>| {
            let mut shard = write(shard);
            let fresh = Shard::new(shard.capacity());
            std::mem::replace(&mut *shard, fresh)
        };
        Remains(self.shards.iter().map(empty).collect())
    }

    /// How many entries there are, expired ones that nobody has met included, and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.shards.iter().fold((0, 0), |(entries, bytes), shard| {
            let shard = read(shard);
            (entries + shard.len() as u64, bytes + shard.weight() as u64)
        })
    }

    #[cfg(test)]
    pub(crate) fn assert_consistent(&self) {
        for shard in &self.shards {
            let shard = read(shard);
            shard.assert_consistent();
        }
    }
}

#[inline(always)]
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(shuttle)))]
mod tests;
