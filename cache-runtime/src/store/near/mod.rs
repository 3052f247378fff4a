//! Memory in front of Redis.
//!
//! What stands here is what Redis was seen to hold, and Redis tells when that changes. Its word and the reply that it is about
//! take different ways through this process, so each fetch is *noted* before it is sent: whatever voids a key meanwhile cancels
//! the note, and only what still is noted may enter. Void and entry meet at one lock.
//!
//! Nothing here is believed for longer than the connection that tells of changes is known to be alive: each answer to a heartbeat
//! extends the trust by some time from when the heartbeat was *sent*. So whoever is cut off, stopped or starved doesn't serve
//! old values for longer than that, whether or not any of its threads could notice.
//!
//! A *term* lasts from the moment that tracking stands until it is lost. What was noted in one term can't enter in another.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::{self, Clock, Moment};
use crate::entry::Header;
use crate::pattern::Pattern;
use crate::store::memory::{Entry, Insertion, MemoryStore, Remains};
use crate::sync::{AtomicU64, FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};
use crate::value::payload::Payload;

/// The near cache of one cache.
pub(crate) struct NearStore {
    entries: MemoryStore,
    notes: [Mutex<HashMap<Arc<str>, Noted>>; SHARDS],
    hasher: RandomState,
    /// Until when entries may be served; 0 outside of a term.
    trusted_until: AtomicU64,
    term: AtomicU64,
    /// Held while a term ends: no other begins before everything of this one is gone.
    ending: Mutex<()>,
    next: AtomicU64,
    /// The system's: Redis doesn't go by any other.
    clock: Clock,
    /// How far that may lag behind. What ends here ends so much earlier, to be no later than elsewhere.
    lag: u64,
}

/// Fetches of one key that are under way.
struct Noted {
    number: u64,
    count: usize,
}

/// A fetch that is under way. Dropped, it is over.
pub(crate) struct Note {
    near: Arc<NearStore>,
    key: Arc<str>,
    number: u64,
    term: u64,
    /// When it was sent, at the latest: the entry's life counts from then.
    sent: Moment,
}

impl NearStore {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: MemoryStore::new(capacity),
            notes: Default::default(),
            hasher: RandomState::default(),
            trusted_until: AtomicU64::new(0),
            term: AtomicU64::new(0),
            ending: Mutex::new(()),
            next: AtomicU64::new(1),
            clock: Clock::system(),
            lag: clock::lag(),
        }
    }

    /// The entries, if they may be served, and the moment by which they are judged.
    #[inline]
    pub(crate) fn usable(&self) -> Option<(&MemoryStore, Moment)> {
        let until = self.trusted_until.load(Ordering::Acquire);
        if until == 0 {
            return None;
        }
        let now = self.clock.now();
        (now < until).then_some((&self.entries, now))
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// How many entries there are, and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.entries.size()
    }

    /// Begins a term. Nothing is served, and nothing enters, before it is [trusted](Self::trust).
    pub(crate) fn begin(&self) -> u64 {
        let _ending = lock(&self.ending);
        self.term.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Trusts the term until `silence` after `sent`, the moment at which what was answered was sent; whether it still lasts.
    pub(crate) fn trust(&self, term: u64, sent: Moment, silence: Duration) -> bool {
        let _ending = lock(&self.ending);
        let lasts = self.term.load(Ordering::Acquire) == term;
        if lasts {
            let silence = u64::try_from(silence.as_nanos()).unwrap_or(u64::MAX);
            self.trusted_until
                .store(self.ends(sent, silence), Ordering::Release);
        }
        lasts
    }

    /// The end of what lasts for so many nanoseconds from `start`, which is read off a clock that lags, as `now` will be.
    fn ends(&self, start: Moment, nanos: u64) -> Moment {
        start.saturating_add(nanos.saturating_sub(self.lag))
    }

    /// Ends the term, and empties the store; whether it lasted until now. What is given back is to be dropped where that may
    /// take a while.
    pub(crate) fn end(&self, term: u64) -> Option<Remains> {
        let _ending = lock(&self.ending);
        if self.term.load(Ordering::Acquire) != term {
            return None;
        }
        // In this order: nothing is served from here on, what is noted can't enter, and what has entered goes.
        self.trusted_until.store(0, Ordering::Release);
        self.term.fetch_add(1, Ordering::AcqRel);
        self.notes.iter().for_each(|shard| lock(shard).clear());
        Some(self.entries.clear())
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, HashMap<Arc<str>, Noted>> {
        lock(&self.notes[self.hasher.hash_one(key) as usize % SHARDS])
    }

    /// Notes a fetch, or a fill, that is about to be sent. None outside of the term.
    pub(crate) fn note(self: &Arc<Self>, key: &Arc<str>, term: u64) -> Option<Note> {
        let mut shard = self.shard(key);
        // A term that ends right after this look clears the shard when it is free, or refuses the entry.
        if self.term.load(Ordering::Acquire) != term {
            return None;
        }
        let noted = shard.entry(Arc::clone(key)).or_insert_with(|| Noted {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            count: 0,
        });
        noted.count += 1;
        Some(Note {
            near: Arc::clone(self),
            key: Arc::clone(key),
            number: noted.number,
            term,
            sent: self.now(),
        })
    }

    /// A key has changed: cancels its fetches and removes its entry, in one step. The entry is given to the caller to drop.
    pub(crate) fn void(&self, key: &str) -> Option<Entry> {
        let mut shard = self.shard(key);
        shard.remove(key);
        self.entries.take(key)
    }

    /// The same, of all keys that the pattern matches.
    pub(crate) fn void_matching(&self, pattern: &Pattern) {
        // Fetches first: one that enters in between is removed with the entries, and later ones were cancelled.
        for shard in &self.notes {
            lock(shard).retain(|key, _| !pattern.matches(key.as_bytes()));
        }
        self.entries.remove_matching(pattern, self.now());
    }
}

impl Note {
    /// Keeps what was fetched, if nothing has voided it; `left` milliseconds are what it has to live.
    pub(crate) fn enter(self, header: &Header, left: u64, bytes: usize, payload: Payload) {
        let entry = self.entry(header, left, bytes, payload);
        let shard = self.near.shard(&self.key);
        // What isn't kept is dropped outside of the lock, as foreign code must be, and so is what it replaces.
        let outcome = if self.stands(&shard) {
            Ok(self.insert(entry))
        } else {
            Err(entry)
        };
        drop(shard);
        drop(outcome);
    }

    /// Keeps what was filled, if nothing has voided it. The server tells nobody of a change over the very connection that hears
    /// of changes; so this is the word of it: what stood here goes, and what was fetched before may not enter after.
    pub(crate) fn replace(self, header: &Header, left: u64, bytes: usize, payload: Payload) {
        let entry = self.entry(header, left, bytes, payload);
        let mut shard = self.near.shard(&self.key);
        let stands = self.stands(&shard);
        shard.remove(&self.key);
        let outcome = if stands {
            Ok(self.insert(entry))
        } else {
            Err((entry, self.near.entries.take(&self.key)))
        };
        drop(shard);
        drop(outcome);
    }

    /// Whether nothing has voided it, in a term that lasts. To be asked, and acted upon, under the lock.
    fn stands(&self, notes: &HashMap<Arc<str>, Noted>) -> bool {
        let noted = notes.get(&self.key);
        noted.is_some_and(|noted| noted.number == self.number)
            && self.near.term.load(Ordering::Acquire) == self.term
    }

    fn insert(&self, entry: Entry) -> Insertion {
        let near = &self.near;
        near.entries.insert(&self.key, entry, near.now())
    }

    fn entry(&self, header: &Header, left: u64, bytes: usize, payload: Payload) -> Entry {
        let after = |millis: u64| self.near.ends(self.sent, millis.saturating_mul(1_000_000));
        Entry {
            payload,
            version: header.version,
            fresh_until: after(left.saturating_sub(header.grace)),
            expires: after(left),
            compute: Duration::from_micros(header.compute_micros.into()),
            paused_until: match header.claim_end {
                0 => 0,
                end => after(left.saturating_sub(end)),
            },
            bytes,
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let mut shard = self.near.shard(&self.key);
        if let Some(noted) = shard.get_mut(&self.key)
            && noted.number == self.number
        {
            noted.count -= 1;
            if noted.count == 0 {
                shard.remove(&self.key);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, shuttle))]
mod explored;
mod siblings;
#[cfg(all(test, not(shuttle)))]
mod tests;

pub(crate) use siblings::{enlist, of_prefix};
