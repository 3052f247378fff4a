//! Whether the next look of a call site will probably miss.

use std::sync::atomic::{AtomicU8, Ordering};

/// A moving average of the looks that missed, each with an eighth of the weight: 0 for none, 255
/// for all. Racing updates may lose one of each other, which an estimate survives.
#[derive(Debug, Default)]
pub(crate) struct Looks(AtomicU8);

/// The average from which on a miss is likely: a quarter of the looks. A look that takes the lease
/// saves a round trip if it misses, and costs the server about twice a `GET` if it doesn't.
const LIKELY: u8 = 64;

impl Looks {
    pub(crate) fn is_miss_likely(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= LIKELY
    }

    pub(crate) fn missed(&self) {
        let missed = self.0.load(Ordering::Relaxed);
        self.store(missed, missed + (u8::MAX - missed).div_ceil(8));
    }

    pub(crate) fn found(&self) {
        let missed = self.0.load(Ordering::Relaxed);
        self.store(missed, missed - missed.div_ceil(8));
    }

    /// Write only where it changes something: most call sites always hit.
    fn store(&self, old: u8, new: u8) {
        if new != old {
            self.0.store(new, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn after(outcomes: impl IntoIterator<Item = bool>) -> Looks {
        let looks = Looks::default();
        for missed in outcomes {
            match missed {
                true => looks.missed(),
                false => looks.found(),
            }
        }
        looks
    }

    #[test]
    fn a_miss_is_likely_after_three_in_a_row() {
        assert!(!after([true; 2]).is_miss_likely());
        assert!(after([true; 3]).is_miss_likely());
        assert_eq!(after([true; 100]).0.into_inner(), u8::MAX);
    }

    #[test]
    fn a_site_that_always_hits_comes_to_zero() {
        let looks = after([true; 100].into_iter().chain([false; 12]));
        assert!(!looks.is_miss_likely());
        let looks = after([true; 100].into_iter().chain([false; 60]));
        assert_eq!(looks.0.into_inner(), 0);
    }

    #[test]
    fn misses_in_a_third_of_the_looks_are_likely_and_in_a_tenth_are_not() {
        let share = |of: usize| after((0..of * 40).map(|at| at % of == 0));
        assert!(share(3).is_miss_likely());
        assert!(!share(10).is_miss_likely());
    }
}
