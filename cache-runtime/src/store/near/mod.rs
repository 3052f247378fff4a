//! The near cache: memory in front of Redis (client-side caching).
//!
//! The near cache holds values that were read from Redis, and Redis sends an invalidation message
//! when one changes. The message and the reply it concerns travel through this process on different
//! paths. Each fetch is therefore *noted* before it is sent: an invalidation of its key cancels the
//! note, and only a value whose note is still valid may enter. Invalidation and entry are
//! serialized by one lock.
//!
//! Entries are trusted only while the connection that delivers invalidations is known to be alive:
//! each answer to a heartbeat extends the trust by a fixed time from when the heartbeat was *sent*.
//! A process that is cut off, stopped or starved thus serves old values for at most that time,
//! whether or not any of its threads could notice.
//!
//! A *term* lasts from the moment tracking is established until it is lost. A fetch noted in one
//! term can't enter in another.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::{self, Clock, Moment, earlier, unix_millis};
use crate::entry::Header;
use crate::entry::payload::Payload;
use crate::pattern::Pattern;
use crate::store::memory::{Cleared, Entry, Eviction, Insertion, MemoryStore};
use crate::sync::{AtomicU64, FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};

/// The near cache of one [`Cache`](crate::Cache).
pub(crate) struct NearCache {
    entries: MemoryStore,
    notes: [Mutex<HashMap<Arc<str>, Noted>>; SHARDS],
    hasher: RandomState,
    /// When entries stop being trusted; 0 outside a term.
    trusted_until: AtomicU64,
    term: AtomicU64,
    /// Held while a term ends, so that the next one begins only after this one's entries and notes
    /// are gone.
    ending: Mutex<()>,
    next: AtomicU64,
    /// Always the system's clock: Redis follows no other.
    clock: Clock,
    /// Largest lag of that clock. Deadlines here are earlier by this much, so that an entry never
    /// outlives its counterpart in Redis.
    lag: u64,
}

/// Fetches of one key that are in progress.
struct Noted {
    number: u64,
    count: usize,
}

/// A fetch in progress. Dropping it ends the fetch.
pub(crate) struct Note {
    near: Arc<NearCache>,
    key: Arc<str>,
    number: u64,
    term: u64,
    /// Upper bound of when the request was sent: the entry's lifetime counts from then.
    sent: Moment,
}

impl NearCache {
    pub(crate) fn new(capacity: usize, eviction: Eviction) -> Self {
        Self {
            entries: MemoryStore::new(capacity, eviction),
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

    /// Return the entries, if they may be served, and the moment at which to judge their age.
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

    /// Return the store of the entries, whether or not they may be served.
    pub(crate) fn entries(&self) -> &MemoryStore {
        &self.entries
    }

    /// Return the number of entries and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.entries.size()
    }

    /// Begin a term. Nothing is served and nothing enters before it is [trusted](Self::trust).
    pub(crate) fn begin(&self) -> u64 {
        let _ending = lock(&self.ending);
        self.term.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Trust the term until `silence` after `sent`, the moment at which the answered heartbeat was
    /// sent. Return whether the term still lasts.
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

    /// Return the end of a period of `nanos` from `start`. Both `start` and the later `now` are
    /// read from a clock that lags.
    fn ends(&self, start: Moment, nanos: u64) -> Moment {
        start.saturating_add(nanos.saturating_sub(self.lag))
    }

    /// End the term and empty the store. `None` if it had ended already. The caller drops the
    /// result where that may take a while.
    pub(crate) fn end(&self, term: u64) -> Option<Cleared> {
        let _ending = lock(&self.ending);
        if self.term.load(Ordering::Acquire) != term {
            return None;
        }
        // The order matters: first serving stops, then notes are refused, then the entries are
        // removed.
        self.trusted_until.store(0, Ordering::Release);
        self.term.fetch_add(1, Ordering::AcqRel);
        self.notes.iter().for_each(|shard| lock(shard).clear());
        Some(self.entries.clear())
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, HashMap<Arc<str>, Noted>> {
        lock(&self.notes[self.hasher.hash_one(key) as usize % SHARDS])
    }

    /// Note a fetch, or a fill, that is about to be sent. `None` outside the term.
    pub(crate) fn note(self: &Arc<Self>, key: &Arc<str>, term: u64) -> Option<Note> {
        let mut shard = self.shard(key);
        // If the term ends right after this check, `end` clears the shard once it is unlocked, or
        // the entry is refused.
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

    /// Handle a changed key: cancel its fetches and remove its entry, atomically. The caller drops
    /// the entry.
    pub(crate) fn void(&self, key: &str) -> Option<Entry> {
        let mut shard = self.shard(key);
        shard.remove(key);
        self.entries.take(key)
    }

    /// Void all keys that the pattern matches.
    pub(crate) fn void_matching(&self, pattern: &Pattern) {
        // Fetches first: an entry added in between is removed with the others, and later ones are
        // already cancelled.
        for shard in &self.notes {
            lock(shard).retain(|key, _| !pattern.matches(key.as_bytes()));
        }
        self.entries.remove_matching(pattern, self.now());
    }
}

impl Note {
    /// Store a fetched value unless its note was cancelled. `left` is its remaining lifetime in
    /// milliseconds.
    pub(crate) fn enter(self, header: &Header, left: u64, bytes: usize, payload: Payload) {
        let entry = self.entry(header, left, bytes, payload);
        let shard = self.near.shard(&self.key);
        // A value that isn't kept, or that is replaced, is dropped outside the lock, as foreign
        // code must be.
        let outcome = if self.is_valid(&shard) {
            Ok(self.insert(entry))
        } else {
            Err(entry)
        };
        drop(shard);
        drop(outcome);
    }

    /// Store a filled value unless its note was cancelled. The server doesn't report a change to
    /// the connection that made it, if that is also the tracking connection. This call therefore
    /// acts as the invalidation: it removes the previous entry and cancels earlier fetches.
    pub(crate) fn replace(self, header: &Header, left: u64, bytes: usize, payload: Payload) {
        let entry = self.entry(header, left, bytes, payload);
        let mut shard = self.near.shard(&self.key);
        let is_valid = self.is_valid(&shard);
        shard.remove(&self.key);
        let outcome = if is_valid {
            Ok(self.insert(entry))
        } else {
            Err((entry, self.near.entries.take(&self.key)))
        };
        drop(shard);
        drop(outcome);
    }

    /// Return whether the note is still valid, in a term that still lasts. Call it, and act on the
    /// result, under the lock.
    fn is_valid(&self, notes: &HashMap<Arc<str>, Noted>) -> bool {
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
            stored: {
                let age = Duration::from_millis(unix_millis().saturating_sub(header.created));
                earlier(self.near.now(), age)
            },
            bytes,
            owned: None,
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

pub(crate) use siblings::{of_prefix, register};
