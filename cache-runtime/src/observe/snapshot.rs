//! The counters of one process, as a value that can be sent and summed.

use serde::{Deserialize, Serialize};

use super::durations::Durations;
use crate::core::Cache;
use crate::core::audits::AuditFinding;
use crate::site::registry::{self, EXPLICIT, Roles};
use crate::stats::{Counter, Counters, Row};
use crate::store::Store;

/// The name under which operations of the handle are counted. No function has it: each is named
/// with its module.
pub(crate) const HANDLE: &str = "Cache";

/// The counters of one cache in one process. Returned by [`Cache::snapshot`] and [`Cache::fleet`].
///
/// All counts are those since the cache was built. [`Cache::reset_stats`] doesn't change them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Snapshot {
    /// Identifies the cache in its process, among all of the fleet. It differs after a restart.
    pub instance: String,
    /// The process's number on its machine.
    pub pid: u32,
    /// When the cache was built, in milliseconds since the Unix epoch, by the clock of its machine.
    pub started: u64,
    /// When the counters were read, likewise.
    pub taken: u64,
    /// The version of `cache-runtime`.
    pub version: String,
    /// `memory` or `redis`.
    pub store: String,
    /// The functions that were called, and `Cache` for the operations of the handle. Functions of the
    /// same name in one module count together.
    pub functions: Vec<FunctionSnapshot>,
    /// Entries of the memory store; on Redis, those of the near cache.
    pub entries: u64,
    /// Approximate bytes that these take.
    pub bytes: u64,
    /// The bytes that they may take.
    pub capacity_bytes: u64,
    /// Number of these that were evicted to make room.
    pub evicted: u64,
    /// Number of these that were removed because they had expired, before a call asked for them.
    pub expired: u64,
    /// Whether Redis is out of reach, so that functions run their bodies.
    pub breaker_open: bool,
    /// Number of invalidations that wait for Redis.
    pub replay_queue: u64,
    /// Number of invalidations that were sent after they had waited, or once more to another server.
    pub replayed: u64,
    /// Whether the near cache is in use; `None` without one.
    pub near_trusted: Option<bool>,
    /// Number of walks over all keys of Redis, to build the index.
    pub index_walks: u64,
    /// How long Redis takes.
    pub operations: Vec<OperationSnapshot>,
    /// Rows in the outbox of `cache-sql`, as its relay has last counted them.
    pub outbox_rows: Option<u64>,
    /// The stale entries that audits have found last. See [`Cache::audits`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audits: Vec<AuditFinding>,
}

/// The counters of one function in a [`Snapshot`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FunctionSnapshot {
    /// Its module and its name, such as `blog::posts::get_post`.
    pub function: String,
    /// Calls answered by the store: memory or Redis.
    #[serde(skip_serializing_if = "is_zero")]
    pub hits: u64,
    /// Calls answered by the near cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub near_hits: u64,
    /// Calls answered with an expired value while it was recomputed.
    #[serde(skip_serializing_if = "is_zero")]
    pub stale: u64,
    /// Calls answered with an expired value because the body failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub stale_on_error: u64,
    /// Calls answered by another caller's computation.
    #[serde(skip_serializing_if = "is_zero")]
    pub waits: u64,
    /// Calls that ran the body because no usable entry was found.
    #[serde(skip_serializing_if = "is_zero")]
    pub misses: u64,
    /// Calls that ran the body without the cache: it is disabled or out of reach, `condition` is
    /// false, or the call waited too long.
    #[serde(skip_serializing_if = "is_zero")]
    pub bypasses: u64,
    /// Values stored.
    #[serde(skip_serializing_if = "is_zero")]
    pub fills: u64,
    /// Values not stored because they were too large.
    #[serde(skip_serializing_if = "is_zero")]
    pub too_large: u64,
    /// Values not stored because no codec carries them, they would come back changed, or they nest
    /// too deep.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_storable: u64,
    /// Values not stored because an invalidation came in between.
    #[serde(skip_serializing_if = "is_zero")]
    pub overtaken: u64,
    /// Values not stored because the store failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub unfilled: u64,
    /// Patterns and keys that were invalidated.
    #[serde(skip_serializing_if = "is_zero")]
    pub invalidations: u64,
    /// Patterns and keys whose invalidation had to wait for Redis.
    #[serde(skip_serializing_if = "is_zero")]
    pub postponed: u64,
    /// Entries that were removed.
    #[serde(skip_serializing_if = "is_zero")]
    pub invalidated_entries: u64,
    /// Errors of the store.
    #[serde(skip_serializing_if = "is_zero")]
    pub store_errors: u64,
    /// Operations that the store didn't answer in time.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeouts: u64,
    /// Operations that were refused because the store is known to be out of reach.
    #[serde(skip_serializing_if = "is_zero")]
    pub unavailable: u64,
    /// Operations that the cache's own thread couldn't do.
    #[serde(skip_serializing_if = "is_zero")]
    pub background_errors: u64,
    /// Calls without a key, because an argument couldn't be written.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_key: u64,
    /// Audits whose recomputed value was the entry's.
    #[serde(skip_serializing_if = "is_zero")]
    pub audits_ok: u64,
    /// Audits during which the entry, or what it is made of, changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub audits_raced: u64,
    /// Audits that found a stale entry.
    #[serde(skip_serializing_if = "is_zero")]
    pub audits_stale: u64,
    /// Audits that couldn't tell: the body failed, or doesn't return the same value twice.
    #[serde(skip_serializing_if = "is_zero")]
    pub audits_failed: u64,
    /// Approximate seconds of computation that were saved: each call that was answered without
    /// running the body, times the mean duration of the body in this process.
    pub saved_seconds: f64,
    /// How long the body took.
    #[serde(skip_serializing_if = "Durations::is_empty")]
    pub compute: Durations,
    /// How long calls waited for another caller's computation.
    #[serde(skip_serializing_if = "Durations::is_empty")]
    pub wait: Durations,
}

/// How long one kind of operation on Redis takes, in a [`Snapshot`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OperationSnapshot {
    /// `get`, `lease`, `fill`, `set`, `invalidate` or `other`.
    pub operation: String,
    /// The durations, as callers see them.
    pub times: Durations,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Cache {
    /// Return the counters of this cache in this process.
    ///
    /// Unlike [`stats`](Self::stats) they are never set back, and they include durations and the
    /// state of the connection. Asks no server. The counters are read one by one while other threads
    /// update them, so they are exact only while the cache is idle.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// for _ in 0..4 {
    ///     cache.blocking().get_or_set("answer", 60, || 42);
    /// }
    /// cache.reset_stats();
    /// let total = cache.snapshot().total();
    /// assert_eq!((total.hits, total.misses, total.fills), (3, 1, 1));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let (mut snapshot, _) = self.snapshot_with_idle();
        snapshot.functions.retain(|function| !function.is_idle());
        snapshot
    }

    /// Return the same with all functions of the program, and what each of them does.
    pub(super) fn snapshot_with_idle(&self) -> (Snapshot, Vec<Roles>) {
        let inner = self.inner();
        let is_far = !matches!(inner.store, Store::Memory(_));
        let (functions, roles) = functions(&inner.counters, is_far).into_iter().unzip();
        let mut snapshot = Snapshot {
            instance: inner.instance.name(),
            pid: std::process::id(),
            started: inner.instance.started(),
            taken: crate::clock::unix_millis(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: inner.store.name().to_owned(),
            functions,
            breaker_open: !self.is_reachable(),
            outbox_rows: inner.instance.outbox_rows(),
            audits: inner.audits.findings(),
            ..Snapshot::default()
        };
        if let Some(entries) = inner.store.in_process() {
            (snapshot.entries, snapshot.bytes) = entries.size();
            snapshot.capacity_bytes = entries.capacity() as u64;
            (snapshot.evicted, snapshot.expired) = (entries.evicted(), entries.expired());
        }
        #[cfg(feature = "redis")]
        if let Store::Redis(store) = &inner.store {
            (snapshot.replay_queue, snapshot.replayed) = store.replays();
            snapshot.near_trusted = store.near().map(|near| near.usable().is_some());
            snapshot.index_walks = store.walks();
            let operations = store.times().all().map(|(name, times)| OperationSnapshot {
                operation: name.to_owned(),
                times: Durations::of(Some(times)),
            });
            snapshot.operations = operations.collect();
        }
        (snapshot, roles)
    }

    fn is_reachable(&self) -> bool {
        match &self.inner().store {
            Store::Memory(_) => true,
            #[cfg(feature = "redis")]
            Store::Redis(store) => !store.is_down(),
        }
    }
}

/// Return the counters of the handle and of every function, in the order of their names.
fn functions(counters: &Counters, far: bool) -> Vec<(FunctionSnapshot, Roles)> {
    let handle = (HANDLE.to_owned(), Roles::ALL);
    let sites = registry::positions().iter().zip(registry::roles());
    let sites = sites.map(|(at, roles)| (format!("{}::{}", at.module, at.function), *roles));
    let named = std::iter::once(handle).chain(sites).enumerate();
    let mut rows: Vec<(FunctionSnapshot, Roles)> = named
        .map(|(number, (name, roles))| (FunctionSnapshot::read(counters, number, name, far), roles))
        .collect();
    // The handle stays the first one.
    rows[EXPLICIT + 1..].sort_by(|(one, _), (other, _)| one.function.cmp(&other.function));
    let mut merged: Vec<(FunctionSnapshot, Roles)> = Vec::with_capacity(rows.len());
    for (row, roles) in rows {
        match merged.last_mut() {
            Some((last, of_both)) if last.function == row.function => {
                last.add(&row);
                *of_both = of_both.and(roles);
            }
            _ => merged.push((row, roles)),
        }
    }
    merged
}

impl FunctionSnapshot {
    /// Read the counters of a call site. `far`: entries are in Redis, and hits in this process are
    /// those of the near cache.
    fn read(counters: &Counters, number: usize, function: String, far: bool) -> Self {
        let row: Row = counters.total(number);
        let (compute, wait) = counters.times(number);
        let of = |counter| row.of(counter);
        let (here, near) = match far {
            true => (0, row.here),
            false => (row.here, 0),
        };
        #[cfg(feature = "redis")]
        let near = near + of(Counter::NearHits);
        let mut read = Self {
            function,
            hits: here + of(Counter::Hits),
            near_hits: near,
            stale: of(Counter::Stale),
            stale_on_error: of(Counter::StaleOnError),
            waits: of(Counter::Waits),
            misses: of(Counter::Misses),
            bypasses: of(Counter::Bypasses) + of(Counter::Uncached),
            fills: of(Counter::Fills),
            too_large: of(Counter::TooLarge),
            not_storable: of(Counter::NotStorable),
            overtaken: of(Counter::Overtaken),
            unfilled: of(Counter::Unfilled),
            invalidations: of(Counter::Invalidations),
            postponed: of(Counter::Postponed),
            invalidated_entries: of(Counter::Invalidated),
            store_errors: of(Counter::StoreErrors),
            timeouts: of(Counter::Timeouts),
            unavailable: of(Counter::Unavailable),
            background_errors: of(Counter::BackgroundErrors),
            without_key: of(Counter::NoKey),
            audits_ok: of(Counter::AuditsOk),
            audits_raced: of(Counter::AuditsRaced),
            audits_stale: of(Counter::AuditsStale),
            audits_failed: of(Counter::AuditsFailed),
            saved_seconds: 0.0,
            compute: Durations::of(compute),
            wait: Durations::of(wait),
        };
        let answered = read.hits + read.near_hits + read.stale + read.waits;
        read.saved_seconds = counters.saved(number, answered, read.compute.mean());
        read
    }

    /// Return the fraction of calls answered without running the body, from 0 to 1; 0 before the
    /// first call. Calls that bypass the cache count, too.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// for _ in 0..4 {
    ///     cache.blocking().get_or_set("answer", 60, || 42);
    /// }
    /// assert_eq!(cache.snapshot().total().hit_rate(), 0.75);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn hit_rate(&self) -> f64 {
        match self.calls() {
            0 => 0.0,
            calls => (calls - self.misses - self.bypasses) as f64 / calls as f64,
        }
    }

    /// Return the number of calls.
    pub fn calls(&self) -> u64 {
        let found = self.hits + self.near_hits + self.stale + self.stale_on_error + self.waits;
        found + self.misses + self.bypasses
    }

    /// Add the counters of another process, or of another function.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// let mut total = cache.snapshot().total();
    /// total.add(&cache.snapshot().total());
    /// assert_eq!(total.misses, 2);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn add(&mut self, other: &Self) {
        // Named one by one, so that a new counter can't be forgotten.
        let Self {
            function: _,
            hits,
            near_hits,
            stale,
            stale_on_error,
            waits,
            misses,
            bypasses,
            fills,
            too_large,
            not_storable,
            overtaken,
            unfilled,
            invalidations,
            postponed,
            invalidated_entries,
            store_errors,
            timeouts,
            unavailable,
            background_errors,
            without_key,
            audits_ok,
            audits_raced,
            audits_stale,
            audits_failed,
            saved_seconds,
            compute,
            wait,
        } = other;
        self.hits += hits;
        self.near_hits += near_hits;
        self.stale += stale;
        self.stale_on_error += stale_on_error;
        self.waits += waits;
        self.misses += misses;
        self.bypasses += bypasses;
        self.fills += fills;
        self.too_large += too_large;
        self.not_storable += not_storable;
        self.overtaken += overtaken;
        self.unfilled += unfilled;
        self.invalidations += invalidations;
        self.postponed += postponed;
        self.invalidated_entries += invalidated_entries;
        self.store_errors += store_errors;
        self.timeouts += timeouts;
        self.unavailable += unavailable;
        self.background_errors += background_errors;
        self.without_key += without_key;
        self.audits_ok += audits_ok;
        self.audits_raced += audits_raced;
        self.audits_stale += audits_stale;
        self.audits_failed += audits_failed;
        self.saved_seconds += saved_seconds;
        self.compute.add(compute);
        self.wait.add(wait);
    }

    /// Whether nothing was counted.
    fn is_idle(&self) -> bool {
        *self
            == Self {
                function: self.function.clone(),
                ..Self::default()
            }
    }
}

impl Snapshot {
    /// Return the sum of all functions and of the handle's operations.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// assert_eq!(cache.snapshot().total().fills, 1);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn total(&self) -> FunctionSnapshot {
        let mut total = FunctionSnapshot::default();
        self.functions
            .iter()
            .for_each(|function| total.add(function));
        total
    }

    /// Return the sums of many processes, by function, in the order of their names.
    ///
    /// ```
    /// # use cache_runtime::{Cache, observe::Snapshot};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let sums = Snapshot::sums(&cache.fleet().await?);
    /// assert_eq!((sums[0].function.as_str(), sums[0].fills), ("Cache", 1));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn sums(fleet: &[Self]) -> Vec<FunctionSnapshot> {
        let mut sums = std::collections::BTreeMap::<&str, FunctionSnapshot>::new();
        for function in fleet.iter().flat_map(|one| &one.functions) {
            let sum = sums.entry(&function.function).or_default();
            sum.add(function);
            sum.function.clone_from(&function.function);
        }
        sums.into_values().collect()
    }
}
