//! The embedded store: a sharded map with an ordered index, bounded by bytes.
//!
//! Each shard keeps map, index and eviction queues under one lock, so none of them ever contains a
//! key that the others lack. The one exception is the index: new keys enter it in groups, and
//! always before it is queried. Entries that leave a shard are dropped outside its lock, since a
//! value's `Drop` is foreign code.

mod accounts;
mod eviction;
mod growth;
mod inspect;
mod key;
mod owners;
mod reads;
mod shard;
mod slot;
pub(crate) mod trie;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::entry::age::Age;
use crate::entry::payload::{Payload, Value};
use crate::key::text::Text;
use crate::pattern::Pattern;
use crate::sync::{RandomState, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::watch::Watchers;
use accounts::AccountTable;
pub use eviction::Eviction;
pub(crate) use inspect::Inspected;
use key::{AnyKey, LookupKey, ShortKey};
use shard::StoreShard;
pub(crate) use slot::Entry;

/// Smallest capacity of a shard, in bytes. A smaller one would refuse values that the whole store
/// has room for.
const SMALLEST_SHARD: usize = 4 << 20;
const MAX_SHARDS: usize = 64;

/// The memory store.
pub(crate) struct MemoryStore {
    shards: Box<[RwLock<StoreShard>]>,
    /// Capacity of each shard, in bytes.
    capacity: usize,
    hasher: RandomState,
    owners: Arc<AccountTable>,
    /// Those of the memory store; the near cache has none.
    pub(crate) watchers: Arc<Watchers>,
}

/// Outcome of storing an entry.
pub(crate) struct Insertion {
    /// Whether there was room for the entry.
    pub(crate) stored: bool,
    /// The entries that were replaced or evicted. Dropping a value runs foreign code, and the
    /// caller may hold a lock, so the caller drops them.
    _removed: Vec<Entry>,
}

/// The contents of a store that was cleared, for the caller to drop.
#[cfg(feature = "redis")]
pub(crate) struct Cleared(
    #[expect(dead_code, reason = "it is there to be dropped")] Vec<StoreShard>,
);

/// An entry that was found.
pub(crate) struct Hit {
    pub(crate) payload: Payload,
    pub(crate) version: u32,
    pub(crate) fresh_until: Moment,
}

/// Result of a lookup that found no value of the call site's version.
pub(crate) enum Unmatched {
    /// Another fresh entry.
    Entry(Hit),
    /// A value that is fresh until this moment and due for an early refresh.
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
    /// The entry isn't recomputed before this moment.
    pub(crate) paused_until: Moment,
}

impl StaleHit {
    pub(crate) fn age(&self, now: Moment) -> Age {
        Age::at(now, self.fresh_until)
    }
}

impl MemoryStore {
    pub(crate) fn new(capacity: usize, eviction: Eviction) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = (cores * 4).next_power_of_two().min(MAX_SHARDS);
        let mut count = wanted;
        while count > 1 && capacity / count < SMALLEST_SHARD {
            count /= 2;
        }
        let capacity = capacity / count;
        let watchers = Arc::<Watchers>::default();
        let shard = || RwLock::new(StoreShard::new(capacity, eviction, Arc::clone(&watchers)));
        Self {
            shards: std::iter::repeat_with(shard).take(count).collect(),
            capacity,
            hasher: RandomState::default(),
            owners: Arc::default(),
            watchers,
        }
    }

    /// Return the largest size in bytes that a value of this key may have, where an entry may take
    /// `limit` bytes.
    pub(crate) fn room(&self, key: &str, limit: Option<usize>) -> usize {
        let limit = limit.map_or(self.capacity, |limit| limit.min(self.capacity));
        limit.saturating_sub(slot::cost_besides(key.len()))
    }

    fn seek<'a>(&self, key: &'a str) -> AnyKey<'a> {
        AnyKey::new(key.as_bytes(), &self.hasher)
    }

    #[inline(always)]
    fn shard(&self, wanted: &impl LookupKey) -> &RwLock<StoreShard> {
        // The shard count is a power of two. The map within the shard uses the other bits.
        let shard = (wanted.hash() >> 48) as usize & (self.shards.len() - 1);
        &self.shards[shard]
    }

    /// Return a fresh value of this version; any other fresh result goes to `other`. The value is
    /// returned in registers, since returning it through memory would add several store-to-load
    /// latencies.
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
        let wanted = AnyKey::written(key, &self.hasher);
        self.get_typed_by(&wanted, now, version, other)
    }

    #[inline(always)]
    fn get_typed_by(
        &self,
        wanted: &impl LookupKey,
        now: Moment,
        version: u32,
        other: &mut Unmatched,
    ) -> Option<Arc<dyn Value>> {
        read(self.shard(wanted)).get_typed(wanted, now, version, other)
    }

    /// Return the entry if it exists and is fresh.
    pub(crate) fn get(&self, key: &str, now: Moment) -> Option<Hit> {
        let wanted = self.seek(key);
        read(self.shard(&wanted)).get(&wanted, now)
    }

    /// Return a fresh entry of a key that was just written, and when it was stored.
    pub(crate) fn get_stored(&self, key: &Text, now: Moment) -> Option<(Hit, Moment)> {
        let wanted = AnyKey::written(key, &self.hasher);
        read(self.shard(&wanted)).get_stored(&wanted, now)
    }

    /// Return when the entry was stored, if its value is the one at this address.
    pub(crate) fn stored(&self, key: &str, value: *const ()) -> Option<Moment> {
        let wanted = self.seek(key);
        read(self.shard(&wanted)).stored(&wanted, value)
    }

    /// Return whether an entry of this key exists, fresh or expired.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let wanted = self.seek(key);
        read(self.shard(&wanted)).holds(&wanted)
    }

    /// Return the entry if it exists, fresh or stale.
    pub(crate) fn get_stale(&self, key: &str, now: Moment) -> Option<StaleHit> {
        self.stale(&self.seek(key), now)
    }

    /// Return the entry of a key that was just rendered, fresh or stale.
    #[inline]
    pub(crate) fn get_stale_rendered(&self, key: &Text, now: Moment) -> Option<StaleHit> {
        self.stale(&AnyKey::written(key, &self.hasher), now)
    }

    #[inline(always)]
    fn stale(&self, wanted: &AnyKey<'_>, now: Moment) -> Option<StaleHit> {
        read(self.shard(wanted)).get_stale(wanted, now)
    }

    /// Record that the entry isn't recomputed before `until`. Return the end of its freshness, if
    /// it exists.
    pub(crate) fn pause(&self, key: &str, now: Moment, until: Moment) -> Option<Moment> {
        let wanted = self.seek(key);
        write(self.shard(&wanted)).pause(&wanted, now, until)
    }

    /// Store an entry in place of any other.
    pub(crate) fn insert(&self, key: &str, entry: Entry, now: Moment) -> Insertion {
        let wanted = self.seek(key);
        let mut removed = Vec::new();
        let stored = write(self.shard(&wanted)).insert(&wanted, key, entry, now, &mut removed);
        Insertion {
            stored,
            _removed: removed,
        }
    }

    /// Remove an entry. Return whether an unexpired one existed.
    pub(crate) fn remove(&self, key: &str, now: Moment) -> bool {
        self.take(key).is_some_and(|entry| entry.expires > now)
    }

    /// Remove an entry, expired or not, and return it for the caller to drop.
    pub(crate) fn take(&self, key: &str) -> Option<Entry> {
        let wanted = self.seek(key);
        write(self.shard(&wanted)).remove(&wanted)
    }

    /// Remove the entries that the pattern matches, and count the unexpired ones.
    pub(crate) fn remove_matching(&self, pattern: &Pattern, now: Moment) -> u64 {
        let spans = pattern.spans();
        let mut count = 0;
        for shard in &self.shards {
            let removed = write(shard).remove_matching(pattern, &spans);
            count += removed.iter().filter(|entry| entry.expires > now).count() as u64;
        }
        count
    }

    /// Remove all entries. The caller drops the result, which can be large and runs foreign code.
    #[cfg(feature = "redis")]
    pub(crate) fn clear(&self) -> Cleared {
        let empty = |shard: &RwLock<StoreShard>| {
            let mut shard = write(shard);
            let fresh = shard.successor();
            std::mem::replace(&mut *shard, fresh)
        };
        Cleared(self.shards.iter().map(empty).collect())
    }

    /// Return the number of entries and their bytes, including expired entries that haven't been
    /// swept yet.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.shards.iter().fold((0, 0), |(entries, bytes), shard| {
            let shard = read(shard);
            (entries + shard.len() as u64, bytes + shard.weight() as u64)
        })
    }

    /// Return the number of bytes that the entries may take in all.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity * self.shards.len()
    }

    /// Return the number of expired entries that were removed without being asked for.
    pub(crate) fn expired(&self) -> u64 {
        self.shards.iter().map(|shard| read(shard).expired()).sum()
    }

    /// Return the number of entries that were evicted to make room.
    pub(crate) fn evicted(&self) -> u64 {
        self.shards.iter().map(|shard| read(shard).evicted()).sum()
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
fn read(shard: &RwLock<StoreShard>) -> RwLockReadGuard<'_, StoreShard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<StoreShard>) -> RwLockWriteGuard<'_, StoreShard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(shuttle)))]
mod tests;
