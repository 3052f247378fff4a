//! The metrics: their names, and which counter is which sample.

use super::durations::Durations;
#[cfg(any(feature = "opentelemetry-0_33", test))]
use super::sample::MetricKind;
use super::sample::{Sample, SampleValue, Unit};
use super::snapshot::{FunctionSnapshot, HANDLE, Snapshot};
use crate::site::registry::Roles;

/// A metric, without its values.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: Option<Unit>,
    pub(super) help: &'static str,
}

const fn metric(name: &'static str, unit: Option<Unit>, help: &'static str) -> Metric {
    Metric { name, unit, help }
}

const GETS: Metric = metric(
    "cache_gets_total",
    None,
    "Calls of cached functions, by how they were answered and by the tier that did.",
);
const FILLS: Metric = metric("cache_fills_total", None, "Values stored.");
const REFUSED: Metric = metric(
    "cache_fills_refused_total",
    None,
    "Values computed and not stored, by reason.",
);
const INVALIDATIONS: Metric = metric(
    "cache_invalidations_total",
    None,
    "Patterns and keys invalidated: done, postponed because Redis was out of reach, or replayed later.",
);
const INVALIDATED: Metric = metric(
    "cache_invalidated_entries_total",
    None,
    "Entries removed by invalidations.",
);
const EVICTIONS: Metric = metric(
    "cache_evictions_total",
    None,
    "Entries in this process removed for their size or because they had expired.",
);
const ENTRIES: Metric = metric("cache_entries", None, "Entries in this process.");
const BYTES: Metric = metric(
    "cache_bytes",
    Some(Unit::Bytes),
    "Approximate bytes that the entries in this process take.",
);
const CAPACITY: Metric = metric(
    "cache_capacity_bytes",
    Some(Unit::Bytes),
    "Bytes that the entries in this process may take.",
);
const ERRORS: Metric = metric(
    "cache_errors_total",
    None,
    "Operations that failed, by kind. The calls ran their bodies instead.",
);
const AUDITS: Metric = metric(
    "cache_audit_total",
    None,
    "Cached values that were compared with a recomputed one, by result.",
);
const COMPUTE: Metric = metric(
    "cache_compute_seconds",
    Some(Unit::Seconds),
    "Time that bodies took.",
);
const WAIT: Metric = metric(
    "cache_wait_seconds",
    Some(Unit::Seconds),
    "Time that calls waited for another caller's computation.",
);
const STORE: Metric = metric(
    "cache_store_seconds",
    Some(Unit::Seconds),
    "Time that operations on Redis took, as callers see it.",
);
const SAVED: Metric = metric(
    "cache_saved_seconds_total",
    Some(Unit::Seconds),
    "Approximate time of computation saved: answered calls, each with the mean of its function.",
);
const BREAKER: Metric = metric(
    "cache_breaker_open",
    None,
    "1 while Redis is out of reach and functions run uncached.",
);
const QUEUE: Metric = metric(
    "cache_replay_queue",
    None,
    "Invalidations that wait for Redis.",
);
const TRUSTED: Metric = metric(
    "cache_near_trusted",
    None,
    "1 while the near cache is in use.",
);
const WALKS: Metric = metric(
    "cache_index_walks_total",
    None,
    "Walks over all keys of Redis, to build the index.",
);
const OUTBOX: Metric = metric(
    "cache_outbox_rows",
    None,
    "Rows in the outbox, as the relay has last counted them.",
);
const BUILD: Metric = metric(
    "cache_build_info",
    None,
    "1, with the version of the cache.",
);

/// All metrics, with their kinds.
#[cfg(any(feature = "opentelemetry-0_33", test))]
pub(super) const ALL: [(&Metric, MetricKind); 21] = [
    (&GETS, MetricKind::Counter),
    (&FILLS, MetricKind::Counter),
    (&REFUSED, MetricKind::Counter),
    (&INVALIDATIONS, MetricKind::Counter),
    (&INVALIDATED, MetricKind::Counter),
    (&EVICTIONS, MetricKind::Counter),
    (&ENTRIES, MetricKind::Gauge),
    (&BYTES, MetricKind::Gauge),
    (&CAPACITY, MetricKind::Gauge),
    (&ERRORS, MetricKind::Counter),
    (&AUDITS, MetricKind::Counter),
    (&COMPUTE, MetricKind::Histogram),
    (&WAIT, MetricKind::Histogram),
    (&STORE, MetricKind::Histogram),
    (&SAVED, MetricKind::Counter),
    (&BREAKER, MetricKind::Gauge),
    (&QUEUE, MetricKind::Gauge),
    (&TRUSTED, MetricKind::Gauge),
    (&WALKS, MetricKind::Counter),
    (&OUTBOX, MetricKind::Gauge),
    (&BUILD, MetricKind::Gauge),
];

/// Shows samples to an observer.
struct Showing<'a> {
    cache: &'a str,
    observer: &'a mut dyn FnMut(Sample<'_>),
}

impl Showing<'_> {
    fn show(
        &mut self,
        metric: &Metric,
        function: Option<&str>,
        fixed: &[(&'static str, &str)],
        value: SampleValue<'_>,
    ) {
        let mut labels = Vec::with_capacity(2 + fixed.len());
        labels.push(("cache", self.cache));
        labels.extend(function.map(|function| ("function", function)));
        labels.extend(fixed);
        (self.observer)(Sample {
            name: metric.name,
            help: metric.help,
            unit: metric.unit,
            labels: &labels,
            value,
        });
    }

    fn gauge(&mut self, metric: &Metric, fixed: &[(&'static str, &str)], value: u64) {
        self.show(metric, None, fixed, SampleValue::Gauge(value as f64));
    }

    fn counter(&mut self, metric: &Metric, fixed: &[(&'static str, &str)], count: u64) {
        self.show(metric, None, fixed, SampleValue::Counter(count as f64));
    }
}

/// A function of the program, as far as samples need it.
#[derive(Clone, Copy)]
struct Row<'a> {
    counts: &'a FunctionSnapshot,
    roles: Roles,
    /// Whether this is the handle: all its samples are shown, so that every metric exists.
    is_handle: bool,
}

/// The functions whose samples of zero are shown. Without them, a rate misses the first count of a series; but
/// a program has many functions, and most of them never count most of the rare events.
#[derive(Clone, Copy)]
enum Zeros {
    Reads,
    Writes,
    Audited,
    Handle,
}

impl Row<'_> {
    fn shows(&self, zeros: Zeros, count: u64) -> bool {
        count > 0
            || self.is_handle
            || match zeros {
                Zeros::Reads => self.roles.reads,
                Zeros::Writes => self.roles.writes,
                Zeros::Audited => self.roles.audits,
                Zeros::Handle => false,
            }
    }
}

/// Show all samples of a cache.
pub(super) fn show(
    snapshot: &Snapshot,
    roles: &[Roles],
    cache: &str,
    observer: &mut dyn FnMut(Sample<'_>),
) {
    let rows = snapshot.functions.iter().zip(roles);
    let rows: Vec<Row<'_>> = rows
        .map(|(counts, roles)| Row {
            counts,
            roles: *roles,
            is_handle: counts.function == HANDLE,
        })
        .collect();
    let mut to = Showing { cache, observer };
    show_gets(snapshot, &rows, &mut to);
    show_writes(snapshot, &rows, &mut to);
    show_times(snapshot, &rows, &mut to);
    show_state(snapshot, &mut to);
}

fn show_gets(snapshot: &Snapshot, rows: &[Row<'_>], to: &mut Showing<'_>) {
    let tier = snapshot.store.as_str();
    for row in rows {
        let counts = row.counts;
        let results = [
            ("hit", counts.hits),
            ("stale", counts.stale),
            ("stale_on_error", counts.stale_on_error),
            ("wait", counts.waits),
            ("miss", counts.misses),
            ("bypass", counts.bypasses),
        ];
        let near = ("near", "hit", counts.near_hits);
        let near = (counts.near_hits > 0 || snapshot.near_trusted.is_some()).then_some(near);
        let results = results.map(|(result, count)| (tier, result, count));
        for (tier, result, count) in near.into_iter().chain(results) {
            if row.shows(Zeros::Reads, count) {
                let fixed = [("tier", tier), ("result", result)];
                let value = SampleValue::Counter(count as f64);
                to.show(&GETS, Some(&counts.function), &fixed, value);
            }
        }
    }
    each(rows, to, &FILLS, Zeros::Reads, |counts| {
        [(None, counts.fills)]
    });
    each(rows, to, &REFUSED, Zeros::Handle, |counts| {
        [
            (Some(("reason", "too_large")), counts.too_large),
            (Some(("reason", "not_storable")), counts.not_storable),
            (Some(("reason", "invalidated")), counts.overtaken),
            (Some(("reason", "store")), counts.unfilled),
        ]
    });
}

fn show_writes(snapshot: &Snapshot, rows: &[Row<'_>], to: &mut Showing<'_>) {
    // The queue doesn't know whose invalidations it has, so those that are sent later count for the
    // handle.
    let replayed = |counts: &FunctionSnapshot| match counts.function == HANDLE {
        true => snapshot.replayed,
        false => 0,
    };
    each(rows, to, &INVALIDATIONS, Zeros::Writes, |counts| {
        [
            (Some(("outcome", "done")), counts.invalidations),
            (Some(("outcome", "postponed")), counts.postponed),
        ]
    });
    each(rows, to, &INVALIDATIONS, Zeros::Handle, |counts| {
        [(Some(("outcome", "replayed")), replayed(counts))]
    });
    each(rows, to, &INVALIDATED, Zeros::Writes, |counts| {
        [(None, counts.invalidated_entries)]
    });
    each(rows, to, &ERRORS, Zeros::Handle, |counts| {
        [
            (Some(("kind", "store")), counts.store_errors),
            (Some(("kind", "timeout")), counts.timeouts),
            (Some(("kind", "unavailable")), counts.unavailable),
            (Some(("kind", "background")), counts.background_errors),
            (Some(("kind", "value")), counts.not_storable),
            (Some(("kind", "key")), counts.without_key),
        ]
    });
    each(rows, to, &AUDITS, Zeros::Audited, |counts| {
        [
            (Some(("result", "ok")), counts.audits_ok),
            (Some(("result", "raced")), counts.audits_raced),
            (Some(("result", "stale")), counts.audits_stale),
            (Some(("result", "failed")), counts.audits_failed),
        ]
    });
}

/// Show counters of each function.
fn each<'c, const N: usize>(
    rows: &[Row<'c>],
    to: &mut Showing<'_>,
    metric: &Metric,
    zeros: Zeros,
    counts: impl Fn(&'c FunctionSnapshot) -> [(Option<(&'static str, &'static str)>, u64); N],
) {
    for row in rows {
        for (fixed, count) in counts(row.counts) {
            if row.shows(zeros, count) {
                let value = SampleValue::Counter(count as f64);
                to.show(metric, Some(&row.counts.function), fixed.as_slice(), value);
            }
        }
    }
}

fn show_times(snapshot: &Snapshot, rows: &[Row<'_>], to: &mut Showing<'_>) {
    let histogram = |times: &'_ Durations, row: &Row<'_>| row.is_handle || !times.is_empty();
    for row in rows
        .iter()
        .filter(|row| histogram(&row.counts.compute, row))
    {
        let value = SampleValue::Histogram(row.counts.compute.buckets());
        to.show(&COMPUTE, Some(&row.counts.function), &[], value);
    }
    for row in rows.iter().filter(|row| histogram(&row.counts.wait, row)) {
        let value = SampleValue::Histogram(row.counts.wait.buckets());
        to.show(&WAIT, Some(&row.counts.function), &[], value);
    }
    for operation in &snapshot.operations {
        let value = SampleValue::Histogram(operation.times.buckets());
        to.show(&STORE, None, &[("op", &operation.operation)], value);
    }
    for row in rows {
        let saved = row.counts.saved_seconds;
        if saved > 0.0 || row.is_handle {
            let value = SampleValue::Counter(saved);
            to.show(&SAVED, Some(&row.counts.function), &[], value);
        }
    }
}

fn show_state(snapshot: &Snapshot, to: &mut Showing<'_>) {
    let is_redis = snapshot.store == "redis";
    let tier = match is_redis {
        true => "near",
        false => "memory",
    };
    let is_here = !is_redis || snapshot.near_trusted.is_some();
    if is_here {
        to.counter(&EVICTIONS, &[("cause", "size")], snapshot.evicted);
        to.counter(&EVICTIONS, &[("cause", "expired")], snapshot.expired);
        to.gauge(&ENTRIES, &[("tier", tier)], snapshot.entries);
        to.gauge(&BYTES, &[("tier", tier)], snapshot.bytes);
        to.gauge(&CAPACITY, &[("tier", tier)], snapshot.capacity_bytes);
    }
    if is_redis {
        to.gauge(&BREAKER, &[], snapshot.breaker_open.into());
        to.gauge(&QUEUE, &[], snapshot.replay_queue);
        to.counter(&WALKS, &[], snapshot.index_walks);
    }
    if let Some(trusted) = snapshot.near_trusted {
        to.gauge(&TRUSTED, &[], trusted.into());
    }
    if let Some(rows) = snapshot.outbox_rows {
        to.gauge(&OUTBOX, &[], rows);
    }
    to.gauge(&BUILD, &[("version", &snapshot.version)], 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Cache;

    #[test]
    fn each_sample_is_of_a_listed_metric_and_kind() {
        let cache = Cache::builder().build().expect("memory builds");
        cache.observe(&mut |sample| {
            let listed = ALL.iter().find(|(metric, _)| metric.name == sample.name);
            assert_eq!(listed.map(|(_, kind)| *kind), Some(sample.kind()));
        });
    }
}
