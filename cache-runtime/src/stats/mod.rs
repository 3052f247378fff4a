//! The counters of a cache, in total and per call site.

pub(crate) mod histogram;
#[cfg(feature = "redis")]
pub(crate) mod looks;
pub(crate) mod owners;
mod stripes;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::error::CacheError;
use crate::site::registry;
use histogram::Histogram;
#[cfg(feature = "redis")]
use looks::Looks;
use stripes::Stripes;

/// The counted events.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    /// Calls answered by the store, apart from those in [`Counters::hit`].
    Hits,
    /// Calls answered by the near cache, apart from those in [`Counters::hit`].
    NearHits,
    Misses,
    /// Calls that looked for an entry, and then ran the body without the cache.
    Bypasses,
    /// Calls that didn't look for an entry: the cache is disabled, `condition` is false, or there is
    /// no key.
    Uncached,
    Fills,
    Waits,
    Stale,
    /// Stale values that were served because the body has failed.
    StaleOnError,
    /// Patterns and keys whose entries were removed.
    Invalidations,
    /// Patterns and keys that were queued.
    Postponed,
    /// Entries that were removed.
    Invalidated,
    TooLarge,
    /// Values that no codec carries, that would come back changed or that nest too deep.
    NotStorable,
    /// Values that weren't stored because an invalidation came in between.
    Overtaken,
    /// Values that weren't stored because the store has failed.
    Unfilled,
    StoreErrors,
    Timeouts,
    Unavailable,
    /// The cache's thread didn't start, or panicked.
    BackgroundErrors,
    /// Audits whose recomputed value was the entry's.
    AuditsOk,
    /// Audits during which the entry, or what it is made of, changed.
    AuditsRaced,
    /// Audits that found a stale entry.
    AuditsStale,
    /// Audits that couldn't tell.
    AuditsFailed,
    // The last one: `COUNTERS` is derived from it.
    /// Calls without a key.
    NoKey,
}
const COUNTERS: usize = Counter::NoKey as usize + 1;

impl Counter {
    /// Return the counter of a failed operation.
    pub(crate) fn of(error: &CacheError) -> Self {
        match error {
            CacheError::Timeout { .. } => Self::Timeouts,
            CacheError::Unavailable { .. } => Self::Unavailable,
            CacheError::Background { .. } => Self::BackgroundErrors,
            CacheError::Encode { .. } | CacheError::Changed { .. } | CacheError::TooDeep { .. } => {
                Self::NotStorable
            }
            _ => Self::StoreErrors,
        }
    }
}

/// Construct [`Stats`] or [`SiteStats`], which have the same counters, from a [`Row`].
macro_rules! with_counts {
    ($stats:ident, $row:expr, $($field:ident: $value:expr),* $(,)?) => {{
        let row: &Row = $row;
        $stats {
            hits: row.hits(),
            misses: row.misses(),
            fills: row.of(Counter::Fills),
            waits: row.of(Counter::Waits),
            stale: row.stale(),
            errors: row.errors(),
            invalidated: row.of(Counter::Invalidated),
            too_large: row.of(Counter::TooLarge),
            $($field: $value),*
        }
    }};
}

/// The counts of one call site.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    counts: [u64; COUNTERS],
    /// Hits answered from this process's memory: the memory store or the near cache.
    pub(crate) here: u64,
}

impl Row {
    pub(crate) fn of(&self, counter: Counter) -> u64 {
        self.counts[counter as usize]
    }

    fn hits(&self) -> u64 {
        self.here + self.of(Counter::Hits) + self.of(Counter::NearHits)
    }

    fn misses(&self) -> u64 {
        self.of(Counter::Misses) + self.of(Counter::Bypasses)
    }

    fn stale(&self) -> u64 {
        self.of(Counter::Stale) + self.of(Counter::StaleOnError)
    }

    fn errors(&self) -> u64 {
        let of_the_store = self.of(Counter::StoreErrors) + self.of(Counter::Timeouts);
        let of_the_state = self.of(Counter::Unavailable) + self.of(Counter::BackgroundErrors);
        of_the_store + of_the_state + self.of(Counter::NotStorable) + self.of(Counter::NoKey)
    }

    fn add(&mut self, other: &Self) {
        self.here += other.here;
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
    }
}

/// One call site's counters, on cache lines of their own.
#[derive(Default)]
#[repr(align(64))]
struct Counts {
    now: [AtomicU64; COUNTERS],
    /// The counts at the last reset.
    bases: [AtomicU64; COUNTERS],
}

impl Counts {
    fn total(&self) -> [u64; COUNTERS] {
        std::array::from_fn(|at| self.now[at].load(Ordering::Relaxed))
    }

    fn since_reset(&self) -> [u64; COUNTERS] {
        std::array::from_fn(|at| {
            let base = self.bases[at].load(Ordering::Relaxed);
            self.now[at].load(Ordering::Relaxed).saturating_sub(base)
        })
    }
}

/// One call site's durations. Most call sites of a program have none, so they are allocated when
/// the first one is recorded.
#[derive(Default)]
struct Times {
    compute: OnceLock<Box<Histogram>>,
    wait: OnceLock<Box<Histogram>>,
}

/// The counters of a cache, by call-site number. They only grow: [`reset`](Self::reset) notes where
/// the counts of [`Stats`] begin.
pub(crate) struct Counters {
    /// Allocated when a call site counts: most call sites of a program never do in one cache, and
    /// reading the counters then passes over them.
    rows: Box<[OnceLock<Box<Counts>>]>,
    /// Hits answered from this process's memory, added to [`Counter::Hits`]. Only these are
    /// frequent enough to cause contention.
    hits: Stripes,
    /// The most hits that were read of each call site. A hit may be undone after it was read, and an
    /// exported counter must not go back.
    read_hits: Box<[AtomicU64]>,
    times: Box<[Times]>,
    #[cfg(feature = "redis")]
    looks: Box<[Looks]>,
    saved: Mutex<Vec<Saved>>,
}

/// The time that cached values have saved, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Saved {
    /// Number of calls that are included.
    calls: u64,
    seconds: f64,
}

fn by_site<T: Default>() -> Box<[T]> {
    std::iter::repeat_with(T::default)
        .take(registry::numbers())
        .collect()
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            rows: by_site(),
            hits: Stripes::new(registry::numbers()),
            read_hits: by_site(),
            times: by_site(),
            #[cfg(feature = "redis")]
            looks: by_site(),
            saved: Mutex::new(vec![Saved::default(); registry::numbers()]),
        }
    }

    pub(crate) fn add(&self, site: usize, counter: Counter, count: u64) {
        if let Some(row) = self.rows.get(site) {
            let counts = row.get_or_init(Box::default);
            counts.now[counter as usize].fetch_add(count, Ordering::Relaxed);
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

    /// Return the estimate of whether the next look of a call site will miss.
    #[cfg(feature = "redis")]
    pub(crate) fn looks(&self, site: usize) -> Option<&Looks> {
        self.looks.get(site)
    }

    /// Record how long a body took.
    pub(crate) fn computed(&self, site: usize, took: Duration) {
        if let Some(times) = self.times.get(site) {
            times.compute.get_or_init(Box::default).record(took);
        }
    }

    /// Record how long a call waited for another caller's computation.
    pub(crate) fn waited(&self, site: usize, took: Duration) {
        if let Some(times) = self.times.get(site) {
            times.wait.get_or_init(Box::default).record(took);
        }
    }

    /// Begin the counts of [`Stats`] again. The counters themselves go on, since an exported counter
    /// must not go back.
    pub(crate) fn reset(&self) {
        for counts in self.rows.iter().filter_map(OnceLock::get) {
            for (base, counter) in counts.bases.iter().zip(&counts.now) {
                base.store(counter.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        self.hits.reset();
    }

    /// Return the counts of a call site since the last reset.
    fn row(&self, site: usize) -> Row {
        let counts = self.rows[site].get();
        Row {
            counts: counts.map_or([0; COUNTERS], |counts| counts.since_reset()),
            here: self.hits.sum(site),
        }
    }

    /// Return the counts of a call site since the cache was built. None of them is ever less than
    /// in an earlier call.
    pub(crate) fn total(&self, site: usize) -> Row {
        let counts = self.rows[site].get();
        let hits = self.hits.counted(site);
        let read = self.read_hits[site].fetch_max(hits, Ordering::Relaxed);
        Row {
            counts: counts.map_or([0; COUNTERS], |counts| counts.total()),
            here: hits.max(read),
        }
    }

    /// Return the recorded times of a call site: of its bodies, and of its waits.
    pub(crate) fn times(&self, site: usize) -> (Option<&Histogram>, Option<&Histogram>) {
        let times = &self.times[site];
        (
            times.compute.get().map(|times| &**times),
            times.wait.get().map(|times| &**times),
        )
    }

    /// Return the seconds that the calls of a call site have saved. `calls`: the number of calls
    /// that were answered without running the body. `mean`: how long a body takes, in seconds.
    ///
    /// Each call counts with the mean of the time when it is first read here, so the result never
    /// goes back. Calls are left for later as long as no body was measured in this process.
    pub(crate) fn saved(&self, site: usize, calls: u64, mean: Option<f64>) -> f64 {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = &mut saved[site];
        if let Some(mean) = mean {
            saved.seconds += calls.saturating_sub(saved.calls) as f64 * mean;
            saved.calls = saved.calls.max(calls);
        }
        saved.seconds
    }

    pub(crate) fn snapshot(&self, (entries, bytes): (u64, u64)) -> Stats {
        let rows: Vec<Row> = (0..self.rows.len()).map(|site| self.row(site)).collect();
        let mut sum = Row::default();
        for (row, counts) in rows.iter().zip(&self.rows) {
            match counts.get() {
                Some(_) => sum.add(row),
                None => sum.here += row.here,
            }
        }
        let sites = registry::positions()
            .iter()
            .zip(rows.iter().skip(1))
            .map(|(position, row)| {
                with_counts!(
                    SiteStats,
                    row,
                    function: position.function,
                    module: position.module,
                    file: position.file,
                    line: position.line,
                )
            })
            .collect();
        with_counts!(Stats, &sum, entries: entries, bytes: bytes, sites: sites)
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
        hit_rate(self.hits + self.waits + self.stale, self.misses)
    }
}

/// Return the fraction of calls that were answered, from 0 to 1; 0 without any call.
pub(crate) fn hit_rate(answered: u64, misses: u64) -> f64 {
    match answered + misses {
        0 => 0.0,
        calls => answered as f64 / calls as f64,
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
