//! A small generator of pseudo-random numbers (SplitMix64).

use std::hash::{BuildHasher, RandomState};

#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Take the seed from the environment, or a new one.
    pub(crate) fn seed() -> u64 {
        match std::env::var("DIFFERENTIAL_SEED") {
            Ok(seed) => seed.parse().expect("DIFFERENTIAL_SEED is a number"),
            Err(_) => RandomState::new().hash_one(()) % 1_000_000,
        }
    }

    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
