//! Per-thread hit counters: each call site's counter exists in several copies. A thread that counts
//! hits owns a copy, so it never contends for a cache line, and increments with a plain load and
//! store where a shared counter needs a locked instruction.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Number of threads that can own a copy at a time; the others share one.
const OWNED_COPIES: u32 = 64;
/// The copy shared by threads that own none.
const SHARED: u32 = 0;
/// Marker of a thread that hasn't counted yet.
const UNCHOSEN: u32 = u32::MAX;

/// The counters of eight call sites in one copy: a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 8]);

pub(super) struct Stripes {
    /// The copies, one after the other.
    lines: Box<[Line]>,
    /// Number of the last copy that a thread can own.
    last: u32,
    /// Lines in one copy.
    length: usize,
    /// The sums at the last reset. Subtracting them is the only way to reset while other threads
    /// count.
    bases: Box<[AtomicU64]>,
}

thread_local! {
    /// The copy in which this thread counts. The type needs no drop, so it is read like plain
    /// memory.
    static STRIPE: Cell<u32> = const { Cell::new(UNCHOSEN) };
    /// Guard that returns the copy when the thread ends.
    static OWNED: Cell<Option<OwnedStripe>> = const { Cell::new(None) };
}

/// Bit set of owned copies; the lowest bit is the first copy's. A new owner locks this mutex after
/// the previous one released its copy, and so sees every earlier count.
static TAKEN: Mutex<u64> = Mutex::new(0);

/// Ownership of one copy, in all caches of the process.
struct OwnedStripe(u32);

impl OwnedStripe {
    fn take() -> Option<Self> {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = taken.trailing_ones();
        if free == OWNED_COPIES {
            return None;
        }
        *taken |= 1 << free;
        Some(Self(free + 1))
    }
}

impl Drop for OwnedStripe {
    fn drop(&mut self) {
        // Counts made during thread exit go to the shared copy.
        STRIPE.set(SHARED);
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        *taken &= !(1 << (self.0 - 1));
    }
}

impl Stripes {
    pub(super) fn new(sites: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let last = (4 * cores as u32).clamp(8, OWNED_COPIES);
        let length = sites.div_ceil(8);
        Self {
            lines: std::iter::repeat_with(Line::default)
                .take((1 + last as usize) * length)
                .collect(),
            last,
            length,
            bases: std::iter::repeat_with(AtomicU64::default)
                .take(sites)
                .collect(),
        }
    }

    #[inline]
    pub(super) fn count(&self, site: usize) {
        let stripe = STRIPE.get();
        if stripe == SHARED || stripe > self.last {
            return self.count_shared(site);
        }
        if let Some(count) = self.at(stripe, site) {
            // Only this thread writes here.
            let next = count.load(Ordering::Relaxed).wrapping_add(1);
            count.store(next, Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn count_shared(&self, site: usize) {
        if STRIPE.get() == UNCHOSEN {
            choose();
            return self.count(site);
        }
        if let Some(count) = self.at(SHARED, site) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Undo one count. Any copy will do, since they are summed.
    pub(super) fn undo_hit(&self, site: usize) {
        if let Some(count) = self.at(SHARED, site) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[inline]
    fn at(&self, stripe: u32, site: usize) -> Option<&AtomicU64> {
        let line = self.lines.get(stripe as usize * self.length + site / 8)?;
        Some(&line.0[site % 8])
    }

    /// Return the sum of all copies, which a reset leaves as it is.
    pub(super) fn counted(&self, site: usize) -> u64 {
        (SHARED..=self.last)
            .filter_map(|stripe| self.at(stripe, site))
            .map(|count| count.load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    /// Return the sum since the last reset.
    pub(super) fn sum(&self, site: usize) -> u64 {
        let base = self.bases.get(site);
        let base = base.map_or(0, |base| base.load(Ordering::Relaxed));
        let since = self.counted(site).wrapping_sub(base);
        // A reset may come between a count and its undo.
        if since > u64::MAX / 2 { 0 } else { since }
    }

    pub(super) fn reset(&self) {
        for (site, base) in self.bases.iter().enumerate() {
            base.store(self.counted(site), Ordering::Relaxed);
        }
    }
}

/// Choose a copy for this thread, if one is free.
fn choose() {
    let owned = OwnedStripe::take();
    STRIPE.set(owned.as_ref().map_or(SHARED, |owned| owned.0));
    // A thread that is ending can't store the guard, which is then dropped at once.
    let _ = OWNED.try_with(|place| place.set(owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_many_threads_are_summed_per_site() {
        for sites in [1, 8, 9, 30] {
            let stripes = Stripes::new(sites);
            // Use more threads than there are copies, several times, so that copies change owners.
            for round in 1..=3 {
                let together = std::sync::Barrier::new(100);
                std::thread::scope(|scope| {
                    for _ in 0..100 {
                        scope.spawn(|| {
                            for site in 0..sites {
                                (0..=site).for_each(|_| stripes.count(site));
                                together.wait();
                            }
                        });
                    }
                });
                for site in 0..sites {
                    let expected = round * 100 * (site as u64 + 1);
                    assert_eq!(stripes.sum(site), expected, "{site} of {sites}");
                }
            }
            stripes.reset();
            assert!((0..sites).all(|site| stripes.sum(site) == 0));
            stripes.count(0);
            assert_eq!(stripes.sum(0), 1);
        }
    }

    #[test]
    fn an_undo_after_a_reset_does_not_underflow() {
        let stripes = Stripes::new(1);
        stripes.count(0);
        stripes.undo_hit(0);
        assert_eq!(stripes.sum(0), 0);
        stripes.count(0);
        stripes.reset();
        stripes.undo_hit(0);
        assert_eq!(stripes.sum(0), 0);
        stripes.count(0);
        stripes.count(0);
        assert_eq!(stripes.sum(0), 1);
    }

    #[test]
    fn counts_after_the_copy_is_released_are_kept() {
        struct Late(std::sync::Arc<Stripes>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.count(0);
            }
        }
        thread_local! {
            static LATE: Cell<Option<Late>> = const { Cell::new(None) };
        }
        let stripes = std::sync::Arc::new(Stripes::new(1));
        for first in [true, false] {
            let stripes = std::sync::Arc::clone(&stripes);
            // The thread-locals may be dropped in either order.
            let thread = std::thread::spawn(move || {
                if first {
                    LATE.set(Some(Late(std::sync::Arc::clone(&stripes))));
                }
                stripes.count(0);
                LATE.set(Some(Late(stripes)));
            });
            thread.join().expect("no panic");
        }
        assert_eq!(stripes.sum(0), 3 + 2);
    }
}
