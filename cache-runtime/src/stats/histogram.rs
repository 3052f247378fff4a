//! A histogram of durations that many threads record into.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in seconds, from a round trip to Redis to a slow query. A
/// further bucket has no bound.
pub(crate) const BOUNDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// Number of buckets.
pub(crate) const BUCKETS: usize = BOUNDS.len() + 1;

/// The durations recorded since the cache was built.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Histogram {
    /// Record a duration that occurred once.
    pub(crate) fn record(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        // The sum first: a reader that sees the count then doesn't compute too small a mean.
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Return the number of durations in each bucket, and the sum of all in seconds.
    pub(crate) fn read(&self) -> ([u64; BUCKETS], f64) {
        let buckets = std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed));
        let nanos = self.nanos.load(Ordering::Relaxed);
        (buckets, Duration::from_nanos(nanos).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let histogram = Histogram::default();
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            histogram.record(Duration::from_micros(micros));
        }
        let (buckets, sum) = histogram.read();
        assert_eq!(
            (buckets[0], buckets[1], buckets[15], buckets[16]),
            (2, 1, 1, 1)
        );
        assert_eq!(buckets.iter().sum::<u64>(), 5);
        assert!((sum - 20.000_202).abs() < 1e-9, "{sum}");
    }
}
