//! Reads of entries, noted under the shard's read lock.

use std::sync::atomic::Ordering;

use crate::sync::{AtomicU8, AtomicU32};

/// Number of reads that the log holds. Later ones are lost until it is emptied, by the next
/// insertion.
const LOG: usize = 64;

/// How often an entry was read since its queue passed it, 3 at most. The bit above tells whether
/// the log contains its last read, or needn't.
///
/// A read writes only if something changes, otherwise readers of one hot key would contend for its
/// cache line. An entry that is read again and again is soon [`SETTLED`](ReadCount::SETTLED).
pub(super) struct ReadCount(AtomicU8);

const MOST: u8 = 3;
const LOGGED: u8 = 4;

impl ReadCount {
    const SETTLED: u8 = MOST | LOGGED;

    /// Start counting. `logs`: whether the log is to contain reads of this entry.
    pub(super) fn new(logs: bool) -> Self {
        Self(AtomicU8::new(if logs { 0 } else { LOGGED }))
    }

    /// Return whether another read changes nothing.
    #[inline(always)]
    pub(super) fn is_settled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::SETTLED
    }

    /// Return the count, and start again from zero. The caller holds the write lock.
    pub(super) fn take(&self) -> u8 {
        let reads = self.0.load(Ordering::Relaxed);
        self.0.store(reads & LOGGED, Ordering::Relaxed);
        reads & MOST
    }

    /// Let the log contain the next read. The caller holds the write lock.
    pub(super) fn log_next(&self) {
        let reads = self.0.load(Ordering::Relaxed);
        self.0.store(reads & MOST, Ordering::Relaxed);
    }
}

/// The entries that were read since the last insertion, each at most once.
pub(super) struct ReadLog {
    len: AtomicU32,
    numbers: [AtomicU32; LOG],
}

impl Default for ReadLog {
    fn default() -> Self {
        Self {
            len: AtomicU32::new(0),
            numbers: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

impl ReadLog {
    /// Count a read of an entry that isn't settled. Readers of one entry at the same time may count
    /// one read, or log two; neither matters.
    #[inline(never)]
    pub(super) fn note(&self, count: &ReadCount, number: u32) {
        let reads = count.0.load(Ordering::Relaxed);
        let more = (reads & MOST) + u8::from(reads & MOST < MOST);
        count.0.store(more | LOGGED, Ordering::Relaxed);
        if reads & LOGGED == 0 && (self.len.load(Ordering::Relaxed) as usize) < LOG {
            let at = self.len.fetch_add(1, Ordering::Relaxed) as usize;
            if let Some(place) = self.numbers.get(at) {
                place.store(number, Ordering::Relaxed);
            }
        }
    }

    /// Empty the log, and return the number of entries that it contained. The caller holds the write
    /// lock.
    pub(super) fn take(&mut self) -> usize {
        let len = self.len.load(Ordering::Relaxed) as usize;
        if len > 0 {
            self.len.store(0, Ordering::Relaxed);
        }
        len.min(LOG)
    }

    /// Return the entry at this position of the log, which was emptied since.
    pub(super) fn at(&self, position: usize) -> u32 {
        self.numbers[position].load(Ordering::Relaxed)
    }
}
