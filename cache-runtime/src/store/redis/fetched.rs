//! Result of reading an entry in Redis.

use crate::entry;
use crate::entry::payload::Payload;
use crate::store::near::Note;
use crate::store::redis::client::Found;

/// Remaining TTL of an entry in milliseconds; `None` if it doesn't expire.
pub(crate) type RemainingTtl = Option<u64>;

/// Result of one read.
pub(crate) struct Fetched {
    pub(crate) seen: Found,
    /// Remaining TTL, if it was queried.
    pub(crate) left: Option<RemainingTtl>,
    pub(crate) note: Option<Note>,
}

/// Entry that a call has read, on its way into the near cache.
pub(crate) struct NearCandidate {
    note: Note,
    header: entry::Header,
    left: u64,
}

impl Fetched {
    /// A read that returned the content only.
    pub(crate) fn plain(seen: Found) -> Self {
        Self {
            seen,
            left: None,
            note: None,
        }
    }

    /// Return what can enter the near cache: an entry whose remaining TTL is known.
    pub(crate) fn near_candidate(&mut self) -> Option<NearCandidate> {
        let (Found::Entry(bytes), Some(Some(left))) = (&self.seen, self.left) else {
            return None;
        };
        Some(NearCandidate {
            header: entry::inspect(bytes)?,
            left,
            note: self.note.take()?,
        })
    }
}

impl NearCandidate {
    /// Store the value decoded from the entry's bytes. `weight` is its approximate size in memory,
    /// in bytes.
    pub(crate) fn enter(self, payload: Payload, weight: usize) {
        self.note.enter(&self.header, self.left, weight, payload);
    }
}
