//! One counter for each call site, in as many copies as the machine has processors: threads that count hits of one hot key
//! don't wait for one another's cache lines.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More would be memory that hardly any machine uses.
const MOST_STRIPES: usize = 64;

/// The counters of eight call sites in one stripe: a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 8]);

pub(super) struct Stripes {
    /// Stripe after stripe.
    lines: Box<[Line]>,
    /// A power of two.
    stripes: usize,
    /// Of one stripe.
    length: usize,
}

thread_local! {
    /// Which stripe this thread counts in, from 1; 0 until it has counted.
    static STRIPE: Cell<usize> = const { Cell::new(0) };
}

/// The next thread's.
#[cold]
fn choose() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let stripe = NEXT.fetch_add(1, Ordering::Relaxed) % MOST_STRIPES;
    STRIPE.set(stripe + 1);
    stripe
}

impl Stripes {
    pub(super) fn new(sites: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Twice as many, since threads are dealt to them in the order in which they come, whatever they count.
        let stripes = (2 * cores).next_power_of_two().min(MOST_STRIPES);
        let length = sites.div_ceil(8);
        Self {
            lines: std::iter::repeat_with(Line::default)
                .take(stripes * length)
                .collect(),
            stripes,
            length,
        }
    }

    #[inline]
    pub(super) fn count(&self, site: usize) {
        let stripe = match STRIPE.get() {
            0 => choose(),
            number => number - 1,
        };
        let line = (stripe & (self.stripes - 1)) * self.length + site / 8;
        if let Some(line) = self.lines.get(line) {
            line.0[site % 8].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn of(&self, site: usize) -> impl Iterator<Item = &AtomicU64> {
        let lines = self.lines.iter().skip(site / 8).step_by(self.length);
        lines.map(move |line| &line.0[site % 8])
    }

    pub(super) fn sum(&self, site: usize) -> u64 {
        self.of(site)
            .map(|count| count.load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    pub(super) fn reset(&self) {
        for count in self.lines.iter().flat_map(|line| &line.0) {
            count.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_is_summed_by_site() {
        for sites in [1, 8, 9, 30] {
            let stripes = Stripes::new(sites);
            std::thread::scope(|scope| {
                for _ in 0..10 {
                    scope.spawn(|| {
                        for site in 0..sites {
                            (0..=site).for_each(|_| stripes.count(site));
                        }
                    });
                }
            });
            for site in 0..sites {
                assert_eq!(
                    stripes.sum(site),
                    10 * (site as u64 + 1),
                    "{site} of {sites}"
                );
            }
            stripes.reset();
            assert!((0..sites).all(|site| stripes.sum(site) == 0));
        }
    }
}
