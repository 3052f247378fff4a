mod stripes;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::site::registry;
use stripes::Stripes;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    Hits,
    Misses,
    Fills,
    Waits,
    Stale,
    Errors,
    Invalidated,
    TooLarge,
}
const COUNTERS: usize = 8;

/// One call site's counters, on cache lines of their own.
#[derive(Default)]
#[repr(align(64))]
struct Counts([AtomicU64; COUNTERS]);

/// The counters of a cache, by the number of the call site.
pub(crate) struct Counters {
    rows: Box<[Counts]>,
    /// Of calls that this process answers from memory: these alone are many enough to be in each other's way. They add to
    /// [`Counter::Hits`].
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

    /// A call was answered from memory.
    #[inline]
    pub(crate) fn hit(&self, site: usize) {
        self.hits.count(site);
    }

    /// The last hit of this call site was none.
    pub(crate) fn take_back(&self, site: usize) {
        self.hits.take_back(site);
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
        let sites = registry::places()
            .iter()
            .zip(rows.iter().skip(1))
            .map(|(place, row)| SiteStats {
                function: place.function,
                module: place.module,
                file: place.file,
                line: place.line,
                hits: row[Counter::Hits as usize],
                misses: row[Counter::Misses as usize],
                fills: row[Counter::Fills as usize],
                waits: row[Counter::Waits as usize],
                stale: row[Counter::Stale as usize],
                errors: row[Counter::Errors as usize],
                invalidated: row[Counter::Invalidated as usize],
                too_large: row[Counter::TooLarge as usize],
            })
            .collect();
        Stats {
            hits: sum(Counter::Hits),
            misses: sum(Counter::Misses),
            fills: sum(Counter::Fills),
            waits: sum(Counter::Waits),
            stale: sum(Counter::Stale),
            errors: sum(Counter::Errors),
            invalidated: sum(Counter::Invalidated),
            too_large: sum(Counter::TooLarge),
            entries,
            bytes,
            sites,
        }
    }
}

/// What a cache has done since it was built, or since [`Cache::reset_stats`](crate::Cache::reset_stats).
///
/// Counters are read one by one while others write them: exact when the cache is at rest.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls answered from the store.
    pub hits: u64,
    /// Calls that ran the body, since the store had nothing (or was down).
    pub misses: u64,
    /// Values stored.
    pub fills: u64,
    /// Calls answered by another caller's computation.
    pub waits: u64,
    /// Calls answered with an expired value, also those that ran the body and were spared its error.
    pub stale: u64,
    /// Operations of the store that failed, values that weren't stored since no codec carries them or they would come back
    /// changed, and calls without a key. Values that are too large count in `too_large` alone.
    pub errors: u64,
    /// Entries that invalidations removed.
    pub invalidated: u64,
    /// Values that weren't stored since they were too large.
    pub too_large: u64,
    /// Entries in the memory store now. On Redis, those in the near cache; 0 without one.
    pub entries: u64,
    /// Approximate bytes that the memory store takes now. On Redis, those of the near cache; 0
    /// without one.
    pub bytes: u64,
    /// The same for each annotated function of the program, in the order of their places in the source.
    pub sites: Vec<SiteStats>,
}

impl Stats {
    /// The part of all calls that was answered without running a body, from 0 to 1; 0 before the first call.
    pub fn hit_rate(&self) -> f64 {
        let answered = self.hits + self.waits + self.stale;
        match answered + self.misses {
            0 => 0.0,
            calls => answered as f64 / calls as f64,
        }
    }
}

/// What one annotated function has done on a cache.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Entries that its invalidations removed.
    pub invalidated: u64,
    /// Values that weren't stored since they were too large.
    pub too_large: u64,
}
