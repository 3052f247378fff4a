//! `GET /fleet` and `GET /sizes`: what the dashboard shows of all processes and functions.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cache_runtime::observe::{Durations, FunctionSnapshot, OperationSnapshot, Snapshot};
use cache_runtime::{AuditFinding, Cache, CacheError, StoreStats, Topology, topology};
use http::StatusCode;
use serde::Serialize;

use super::reply::Reply;

/// The counters of all processes, in the order of the processes' names.
#[derive(Serialize)]
pub(super) struct Fleet {
    status: &'static str,
    /// Why the counters of other processes, or the sizes of the store, aren't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    pub(super) prefix: String,
    backend: String,
    store: Option<StoreStats>,
    pub(super) total: Counts,
    audit: Audit,
    processes: Vec<Process>,
    pub(super) functions: Vec<Function>,
    operations: Vec<Operation>,
}

/// Results of the audits so far.
#[derive(Serialize)]
struct Audit {
    /// Hits whose body was run once more.
    total: u64,
    ok: u64,
    raced: u64,
    stale: u64,
    failed: u64,
    /// The stale entries that were found last, the last one first.
    found: Vec<AuditFinding>,
}

#[derive(Serialize)]
struct Process {
    instance: String,
    pid: u32,
    version: String,
    /// In milliseconds since the Unix epoch.
    started: u64,
    /// Likewise: when the counters were read.
    taken: u64,
    entries: u64,
    bytes: u64,
    capacity_bytes: u64,
    evicted: u64,
    breaker_open: bool,
    replay_queue: u64,
    near_trusted: Option<bool>,
    index_walks: u64,
    outbox_rows: Option<u64>,
    total: Counts,
}

/// A function of the program, or the operations of the handle (`Cache`).
#[derive(Serialize)]
pub(super) struct Function {
    /// Module and name.
    function: String,
    pub(super) module: String,
    pub(super) name: String,
    /// Its keys as written; several functions of one module may have the same name.
    pub(super) templates: Vec<String>,
    pub(super) ttl: String,
    is_read: bool,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

impl Function {
    /// Whether it belongs into a table of reads.
    pub(super) fn is_shown(&self) -> bool {
        self.is_read || self.counts.calls > 0
    }
}

/// Counters, and what follows from them. Times are in seconds.
#[derive(Serialize)]
pub(super) struct Counts {
    pub(super) calls: u64,
    /// From 0 to 1.
    pub(super) hit_rate: f64,
    /// Calls that ran the body.
    computed: u64,
    hits: u64,
    near_hits: u64,
    stale: u64,
    stale_on_error: u64,
    waits: u64,
    misses: u64,
    bypasses: u64,
    fills: u64,
    fills_refused: u64,
    invalidations: u64,
    postponed: u64,
    invalidated_entries: u64,
    store_errors: u64,
    timeouts: u64,
    unavailable: u64,
    background_errors: u64,
    without_key: u64,
    saved_seconds: f64,
    /// How long the body takes.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
}

#[derive(Serialize)]
struct Operation {
    operation: String,
    count: u64,
    p50: Option<f64>,
    p99: Option<f64>,
}

fn quantile(times: &Durations, fraction: f64) -> Option<f64> {
    times.quantile(fraction).map(|time| time.as_secs_f64())
}

impl From<&FunctionSnapshot> for Counts {
    fn from(counts: &FunctionSnapshot) -> Self {
        Self {
            calls: counts.calls(),
            hit_rate: counts.hit_rate(),
            computed: counts.misses + counts.bypasses,
            hits: counts.hits,
            near_hits: counts.near_hits,
            stale: counts.stale,
            stale_on_error: counts.stale_on_error,
            waits: counts.waits,
            misses: counts.misses,
            bypasses: counts.bypasses,
            fills: counts.fills,
            fills_refused: counts.too_large
                + counts.not_storable
                + counts.overtaken
                + counts.unfilled,
            invalidations: counts.invalidations,
            postponed: counts.postponed,
            invalidated_entries: counts.invalidated_entries,
            store_errors: counts.store_errors,
            timeouts: counts.timeouts,
            unavailable: counts.unavailable,
            background_errors: counts.background_errors,
            without_key: counts.without_key,
            saved_seconds: counts.saved_seconds,
            p50: quantile(&counts.compute, 0.5),
            p99: quantile(&counts.compute, 0.99),
        }
    }
}

impl From<&Snapshot> for Process {
    fn from(process: &Snapshot) -> Self {
        Self {
            instance: process.instance.clone(),
            pid: process.pid,
            version: process.version.clone(),
            started: process.started,
            taken: process.taken,
            entries: process.entries,
            bytes: process.bytes,
            capacity_bytes: process.capacity_bytes,
            evicted: process.evicted,
            breaker_open: process.breaker_open,
            replay_queue: process.replay_queue,
            near_trusted: process.near_trusted,
            index_walks: process.index_walks,
            outbox_rows: process.outbox_rows,
            total: Counts::from(&process.total()),
        }
    }
}

impl Fleet {
    /// Read the counters of all processes; those of this one alone if Redis doesn't tell the
    /// others.
    ///
    /// Cancel safety: nothing is changed.
    pub(super) async fn of(cache: &Cache) -> Self {
        let (fleet, no_fleet) = match cache.fleet().await {
            Ok(fleet) => (fleet, None),
            Err(error) => (vec![cache.snapshot()], Some(error)),
        };
        // After an error, the store is likely to be away, and would let us wait once more.
        let (store, no_store) = match &no_fleet {
            Some(_) => (None, None),
            None => match cache.store_stats().await {
                Ok(store) => (Some(store), None),
                Err(error) => (None, Some(error)),
            },
        };
        let cause = no_fleet.or(no_store).map(|error| error.to_string());
        let mut total = FunctionSnapshot::default();
        fleet.iter().for_each(|process| total.add(&process.total()));
        let mut processes: Vec<Process> = fleet.iter().map(Process::from).collect();
        processes.sort_by(|one, other| one.instance.cmp(&other.instance));
        Self {
            status: match cause {
                None => "success",
                Some(_) => "degraded",
            },
            cause,
            prefix: cache.prefix().to_owned(),
            backend: cache.snapshot().store,
            store,
            audit: audit(&total, &fleet),
            total: Counts::from(&total),
            processes,
            functions: functions(&topology(), Snapshot::sums(&fleet)),
            operations: operations(&fleet),
        }
    }
}

fn audit(total: &FunctionSnapshot, fleet: &[Snapshot]) -> Audit {
    let mut found: Vec<AuditFinding> = fleet.iter().flat_map(|one| one.audits.clone()).collect();
    found.sort_by_key(|finding| Reverse(finding.found));
    let (ok, raced) = (total.audits_ok, total.audits_raced);
    let (stale, failed) = (total.audits_stale, total.audits_failed);
    Audit {
        total: ok + raced + stale + failed,
        ok,
        raced,
        stale,
        failed,
        found,
    }
}

/// Return the functions that read, called or not, and all others with counters.
fn functions(topology: &Topology, sums: Vec<FunctionSnapshot>) -> Vec<Function> {
    let mut functions: BTreeMap<String, (FunctionSnapshot, Vec<String>, Vec<String>)> = sums
        .into_iter()
        .map(|counts| (counts.function.clone(), (counts, Vec::new(), Vec::new())))
        .collect();
    for read in &topology.reads {
        let name = format!("{}::{}", read.module, read.function);
        let (_, templates, ttls) = functions.entry(name).or_default();
        templates.push(read.template.clone());
        ttls.push(read.ttl.to_string());
    }
    let functions = functions.into_iter();
    let shown = functions.map(|(function, (counts, templates, mut ttls))| {
        let (module, name) = function.rsplit_once("::").unwrap_or(("", &function));
        ttls.dedup();
        Function {
            module: module.to_owned(),
            name: name.to_owned(),
            is_read: !templates.is_empty(),
            templates,
            ttl: ttls.join(", "),
            counts: Counts::from(&counts),
            function,
        }
    });
    shown.collect()
}

fn operations(fleet: &[Snapshot]) -> Vec<Operation> {
    let mut sums: BTreeMap<&str, Durations> = BTreeMap::new();
    for OperationSnapshot {
        operation, times, ..
    } in fleet.iter().flat_map(|process| &process.operations)
    {
        sums.entry(operation).or_default().add(times);
    }
    let sums = sums.into_iter().filter(|(_, times)| !times.is_empty());
    let shown = sums.map(|(operation, times)| Operation {
        operation: operation.to_owned(),
        count: times.count(),
        p50: quantile(&times, 0.5),
        p99: quantile(&times, 0.99),
    });
    shown.collect()
}

/// Return the counters of all processes.
pub(super) async fn fleet(cache: &Cache) -> Reply {
    Reply::ok(&Fleet::of(cache).await)
}

/// Number of entries that are counted for each function.
const COUNTED: usize = 1_000;

#[derive(Serialize)]
struct Sizes {
    status: &'static str,
    functions: Vec<SizeOf>,
}

#[derive(Serialize)]
struct SizeOf {
    function: String,
    entries: u64,
    bytes: u64,
    /// There are more entries than were counted.
    more: bool,
}

/// Return the number and the size of the entries that each function's template matches.
///
/// Cancel safety: nothing is changed.
pub(super) async fn sizes(cache: &Cache) -> Result<Reply, Reply> {
    let unreachable =
        |error: CacheError| Reply::error(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    let topology = topology();
    let mut sizes: Vec<SizeOf> = Vec::new();
    for read in &topology.reads {
        let pattern = read.pattern();
        let page = cache.entries_page(&pattern, None, COUNTED).await;
        let page = page.map_err(unreachable)?;
        let function = format!("{}::{}", read.module, read.function);
        let at = sizes.iter().position(|size| size.function == function);
        let at = at.unwrap_or_else(|| {
            sizes.push(SizeOf {
                function,
                entries: 0,
                bytes: 0,
                more: false,
            });
            sizes.len() - 1
        });
        // A `*` also matches further segments, and a placeholder is within one.
        let is_its = |path: &str| path.matches(':').count() == pattern.matches(':').count();
        let entries = page.entries.iter().filter(|entry| is_its(&entry.path));
        for entry in entries {
            sizes[at].entries += 1;
            sizes[at].bytes += entry.bytes;
        }
        sizes[at].more |= page.next.is_some();
    }
    Ok(Reply::ok(&Sizes {
        status: "success",
        functions: sizes,
    }))
}
