//! One counter for each call site, in many copies: a thread that counts hits has a copy of its own, so it waits for nobody's cache
//! line, and adds by a load and a store, where a shared counter wants an instruction that locks the line.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many threads have a copy of their own at a time; the others share one.
const OWN: u32 = 64;
/// The copy that all others share.
const SHARED: u32 = 0;
/// This thread has not counted yet.
const UNCHOSEN: u32 = u32::MAX;

/// The counters of eight call sites in one copy: a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 8]);

pub(super) struct Stripes {
    /// Copy after copy.
    lines: Box<[Line]>,
    /// The last copy that is anybody's own.
    last: u32,
    /// Of one copy.
    length: usize,
    /// What had been counted at the last reset. Nothing else could be set back while other threads count.
    bases: Box<[AtomicU64]>,
}

thread_local! {
    /// In which copy this thread counts. It has nothing to drop, so it is read like any other memory.
    static STRIPE: Cell<u32> = const { Cell::new(UNCHOSEN) };
    /// Gives the copy back when the thread ends.
    static OWNED: Cell<Option<Owned>> = const { Cell::new(None) };
}

/// Which copies are some thread's own: a bit for each, the first one's lowest. Who takes one over has locked this after who gave it
/// back, and so sees all that was counted in it.
static TAKEN: Mutex<u64> = Mutex::new(0);

/// The right to count in a copy alone, in all caches of the process.
struct Owned(u32);

impl Owned {
    fn take() -> Option<Self> {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = taken.trailing_ones();
        if free == OWN {
            return None;
        }
        *taken |= 1 << free;
        Some(Self(free + 1))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // What the thread still counts at its end is counted where all may.
        STRIPE.set(SHARED);
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        *taken &= !(1 << (self.0 - 1));
    }
}

impl Stripes {
    pub(super) fn new(sites: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let last = (4 * cores as u32).clamp(8, OWN);
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
            // Nobody else writes here.
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

    /// Takes back what was counted. In whichever copy: they are summed up.
    pub(super) fn take_back(&self, site: usize) {
        if let Some(count) = self.at(SHARED, site) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[inline]
    fn at(&self, stripe: u32, site: usize) -> Option<&AtomicU64> {
        let line = self.lines.get(stripe as usize * self.length + site / 8)?;
        Some(&line.0[site % 8])
    }

    fn counted(&self, site: usize) -> u64 {
        (SHARED..=self.last)
            .filter_map(|stripe| self.at(stripe, site))
            .map(|count| count.load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    /// Since the last reset.
    pub(super) fn sum(&self, site: usize) -> u64 {
        let base = self.bases.get(site);
        let base = base.map_or(0, |base| base.load(Ordering::Relaxed));
        let since = self.counted(site).wrapping_sub(base);
        // A reset may come between a count and its being taken back.
        if since > u64::MAX / 2 { 0 } else { since }
    }

    pub(super) fn reset(&self) {
        for (site, base) in self.bases.iter().enumerate() {
            base.store(self.counted(site), Ordering::Relaxed);
        }
    }
}

/// Takes a copy, if there is one: this thread's from now on.
fn choose() {
    let owned = Owned::take();
    STRIPE.set(owned.as_ref().map_or(SHARED, |owned| owned.0));
    // A thread that is ending has no place for it any more; it is dropped at once then.
    let _ = OWNED.try_with(|place| place.set(owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_is_summed_by_site() {
        for sites in [1, 8, 9, 30] {
            let stripes = Stripes::new(sites);
            // More of them at a time than there are copies, and then again, so that copies change hands.
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
    fn what_is_taken_back_after_a_reset_is_no_less_than_nothing() {
        let stripes = Stripes::new(1);
        stripes.count(0);
        stripes.take_back(0);
        assert_eq!(stripes.sum(0), 0);
        stripes.count(0);
        stripes.reset();
        stripes.take_back(0);
        assert_eq!(stripes.sum(0), 0);
        stripes.count(0);
        stripes.count(0);
        assert_eq!(stripes.sum(0), 1);
    }

    #[test]
    fn what_ends_after_its_copy_is_counted_too() {
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
            // Whichever is dropped first.
            let thread = std::thread::spawn(move || {
                if first {
                    LATE.set(Some(Late(std::sync::Arc::clone(&stripes))));
                }
                stripes.count(0);
                LATE.set(Some(Late(stripes)));
            });
            thread.join().expect("it counts");
        }
        assert_eq!(stripes.sum(0), 3 + 2);
    }
}
