//! The counters of a cache, in total and per call site.

mod stripes;

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::site::registry;
use stripes::Stripes;

/// The counted events.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    Hits,
    Misses,
    Fills,
    Waits,
    Stale,
    Errors,
    Invalidated,
    // The last one: `COUNTERS` is derived from it.
    TooLarge,
}
const COUNTERS: usize = Counter::TooLarge as usize + 1;

/// Construct [`Stats`] or [`SiteStats`], which have one field for each counter, from a function of
/// the counter.
macro_rules! with_counts {
    ($stats:ident, $count:expr, $($field:ident: $value:expr),* $(,)?) => {{
        let count = $count;
        $stats {
            hits: count(Counter::Hits),
            misses: count(Counter::Misses),
            fills: count(Counter::Fills),
            waits: count(Counter::Waits),
            stale: count(Counter::Stale),
            errors: count(Counter::Errors),
            invalidated: count(Counter::Invalidated),
            too_large: count(Counter::TooLarge),
            $($field: $value),*
        }
    }};
}

/// One call site's counters, on cache lines of their own.
#[derive(Default)]
#[repr(align(64))]
struct Counts([AtomicU64; COUNTERS]);

/// The counters of a cache, by call-site number.
pub(crate) struct Counters {
    rows: Box<[Counts]>,
    /// Hits answered from this process's memory, added to [`Counter::Hits`]. Only these are
    /// frequent enough to cause contention.
    hits: Stripes,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            rows: std::iter::repeat_with(Counts::default)
                .take(registry::numbers())
                .collect(),
            hits: Stripes::new(registry::numbers()),
        }
    }

    pub(crate) fn add(&self, site: usize, counter: Counter, count: u64) {
        if let Some(counts) = self.rows.get(site) {
            counts.0[counter as usize].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Count a call answered from memory.
    #[inline]
    pub(crate) fn hit(&self, site: usize) {
        self.hits.count(site);
    }

    /// Undo the last hit of this call site.
    pub(crate) fn undo_hit(&self, site: usize) {
        self.hits.undo_hit(site);
    }

    pub(crate) fn reset(&self) {
        for counter in self.rows.iter().flat_map(|counts| &counts.0) {
            counter.store(0, Ordering::Relaxed);
        }
        self.hits.reset();
    }

    pub(crate) fn snapshot(&self, (entries, bytes): (u64, u64)) -> Stats {
        let row = |(site, counts): (usize, &Counts)| {
            let mut row = std::array::from_fn(|at| counts.0[at].load(Ordering::Relaxed));
            row[Counter::Hits as usize] += self.hits.sum(site);
            row
        };
        let rows: Vec<[u64; COUNTERS]> = self.rows.iter().enumerate().map(row).collect();
        let sum = |counter: Counter| rows.iter().map(|row| row[counter as usize]).sum();
        let sites = registry::positions()
            .iter()
            .zip(rows.iter().skip(1))
            .map(|(position, row)| {
                with_counts!(
                    SiteStats,
                    |counter: Counter| row[counter as usize],
                    function: position.function,
                    module: position.module,
                    file: position.file,
                    line: position.line,
                )
            })
            .collect();
        with_counts!(Stats, sum, entries: entries, bytes: bytes, sites: sites)
    }
}

/// Activity of a cache since it was built, or since
/// [`Cache::reset_stats`](crate::Cache::reset_stats).
///
/// Counters are read one by one while other threads update them, so they are exact only while the
/// cache is idle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Calls answered from the store.
    pub hits: u64,
    /// Calls that ran the body because no usable entry was found or Redis was down. A call that
    /// bypasses the cache, such as one whose `condition` is false, isn't counted.
    pub misses: u64,
    /// Values stored.
    pub fills: u64,
    /// Calls answered by another caller's computation.
    pub waits: u64,
    /// Calls answered with an expired value, including calls whose body failed and that returned it
    /// instead of the error.
    pub stale: u64,
    /// Store operations that failed, values that weren't stored because no codec carries them or
    /// they would come back changed, and calls without a key. Values that are too large count only
    /// in `too_large`.
    pub errors: u64,
    /// Entries removed by invalidations.
    pub invalidated: u64,
    /// Values that weren't stored because they were too large.
    pub too_large: u64,
    /// Entries in the memory store now. On Redis, those in the near cache; 0 without one.
    pub entries: u64,
    /// Approximate bytes that the memory store takes now. On Redis, those of the near cache; 0
    /// without one.
    pub bytes: u64,
    /// The same counters for each annotated function of the program, ordered by source position.
    pub sites: Vec<SiteStats>,
}

impl Stats {
    /// Return the fraction of calls answered from the store, by another caller's computation or with
    /// an expired value, from 0 to 1; 0 before the first call.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// for _ in 0..4 {
    ///     cache.blocking().get_or_set("answer", 60, || 42);
    /// }
    /// assert_eq!(cache.stats().hit_rate(), 0.75);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn hit_rate(&self) -> f64 {
        let answered = self.hits + self.waits + self.stale;
        match answered + self.misses {
            0 => 0.0,
            calls => answered as f64 / calls as f64,
        }
    }
}

/// Activity of one annotated function on a cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SiteStats {
    /// The function's name.
    pub function: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// The line of its attribute.
    pub line: u32,
    /// Calls answered from the store.
    pub hits: u64,
    /// Calls that ran the body.
    pub misses: u64,
    /// Values stored.
    pub fills: u64,
    /// Calls answered by another caller's computation.
    pub waits: u64,
    /// Calls answered with an expired value.
    pub stale: u64,
    /// Operations that failed.
    pub errors: u64,
    /// Entries removed by its invalidations.
    pub invalidated: u64,
    /// Values that weren't stored because they were too large.
    pub too_large: u64,
}
