//! Durations that were recorded in a histogram, as a value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sample::Buckets;
use crate::stats::histogram::{BOUNDS, BUCKETS, Histogram};

/// A distribution of durations: how many there were in each bucket, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Durations {
    /// The number of durations in each bucket: those that don't exceed [`BOUNDS`](Self::BOUNDS), and
    /// in the last one the longer ones. Empty if there are none.
    pub counts: Vec<u64>,
    /// The sum of all durations, in seconds.
    pub sum: f64,
}

impl Durations {
    /// The upper bounds of the buckets in seconds, without the last one: it has no bound.
    pub const BOUNDS: &'static [f64] = &BOUNDS;

    pub(crate) fn of(histogram: Option<&Histogram>) -> Self {
        let Some(histogram) = histogram else {
            return Self::default();
        };
        let (counts, sum) = histogram.read();
        Self {
            counts: counts.to_vec(),
            sum,
        }
    }

    /// Return the number of durations.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// assert_eq!(cache.snapshot().total().compute.count(), 1);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Return whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Return the mean in seconds; `None` if there are none.
    pub fn mean(&self) -> Option<f64> {
        match self.count() {
            0 => None,
            count => Some(self.sum / count as f64),
        }
    }

    /// Return the duration that a fraction of the durations doesn't exceed, such as the median for
    /// `0.5`, as exactly as the buckets allow: within a bucket they are taken to be spread evenly.
    /// `None` if there are none. A longer one than the last bound counts as that bound.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock};
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().get_or_set("answer", 60, || clock.advance(Duration::from_millis(40)));
    /// let median = cache.snapshot().total().compute.quantile(0.5).unwrap();
    /// assert!(median > Duration::from_millis(25) && median < Duration::from_millis(50));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn quantile(&self, fraction: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = fraction.clamp(0.0, 1.0) * count as f64;
        let mut below = 0.0;
        for (at, bucket) in self.counts.iter().enumerate() {
            let upper = below + *bucket as f64;
            if upper >= rank && *bucket > 0 {
                let Some(to) = BOUNDS.get(at) else { break };
                let from = at.checked_sub(1).map_or(0.0, |at| BOUNDS[at]);
                let part = (rank - below) / *bucket as f64;
                return Some(Duration::from_secs_f64(from + (to - from) * part));
            }
            below = upper;
        }
        Some(Duration::from_secs_f64(BOUNDS[BOUNDS.len() - 1]))
    }

    /// Add the durations of another process.
    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        self.sum += other.sum;
    }

    /// Return the buckets of a sample.
    pub(crate) fn buckets(&self) -> Buckets<'_> {
        const NONE: [u64; BUCKETS] = [0; BUCKETS];
        Buckets {
            bounds: &BOUNDS,
            counts: match self.counts.len() {
                BUCKETS => &self.counts,
                _ => &NONE,
            },
            sum: self.sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_the_bucket_of_its_rank() {
        let histogram = Histogram::default();
        for millis in [1, 1, 1, 30, 20_000] {
            histogram.record(Duration::from_millis(millis));
        }
        let durations = Durations::of(Some(&histogram));
        let at = |fraction| {
            durations
                .quantile(fraction)
                .map_or(0.0, |at| at.as_secs_f64())
        };
        assert!(at(0.0) >= 0.0 && at(0.5) <= 0.001, "{}", at(0.5));
        assert!(at(0.7) > 0.025 && at(0.8) <= 0.05, "{}", at(0.8));
        assert_eq!(at(1.0), 10.0);
        assert_eq!(Durations::default().quantile(0.5), None);
    }
}
