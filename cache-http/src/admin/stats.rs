//! `GET /stats`, `/hit-rate`, `/metrics` and `/topology`.

use std::sync::OnceLock;

use cache_runtime::observe::PROMETHEUS_CONTENT_TYPE;
use cache_runtime::{Cache, DeadPattern, ReadNode, SiteStats, Topology, topology};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::query::Parameters;
use super::reply::Reply;

#[derive(Serialize)]
struct Overview {
    status: &'static str,
    /// Why the store doesn't tell its sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    cache_stats: CacheStats,
}

#[derive(Serialize)]
struct CacheStats {
    backend: String,
    memory_usage: Option<u64>,
    memory_usage_human: Option<String>,
    keys_count: Option<u64>,
    evicted_keys: Option<u64>,
    hit_rate: f64,
    uptime_seconds: u64,
    functions: Vec<Function>,
}

#[derive(Serialize)]
struct Function {
    #[serde(flatten)]
    counts: SiteStats,
    hit_rate: f64,
}

/// Return the counters, and the sizes of the store, which on Redis the server knows. If it doesn't
/// answer, its sizes are `null`, and the counters of this process are there all the same.
///
/// Cancel safety: nothing is changed.
pub(super) async fn stats(cache: &Cache) -> Reply {
    let (store, cause) = match cache.store_stats().await {
        Ok(store) => (Some(store), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let process = cache.snapshot();
    let stats = cache.stats();
    let overview = Overview {
        status: match store {
            Some(_) => "success",
            None => "degraded",
        },
        cause,
        cache_stats: CacheStats {
            backend: process.store,
            memory_usage: store.as_ref().map(|store| store.bytes),
            memory_usage_human: store.as_ref().map(|store| human(store.bytes)),
            keys_count: store.as_ref().map(|store| store.entries),
            evicted_keys: store.as_ref().map(|store| store.evictions),
            hit_rate: percent(stats.hit_rate()),
            uptime_seconds: process.taken.saturating_sub(process.started) / 1_000,
            functions: functions(stats.sites),
        },
    };
    Reply::ok(&overview)
}

fn functions(sites: Vec<SiteStats>) -> Vec<Function> {
    let function = |counts: SiteStats| Function {
        hit_rate: hit_rate(counts.hits + counts.waits + counts.stale, counts.misses),
        counts,
    };
    sites.into_iter().map(function).collect()
}

#[derive(Serialize)]
struct HitRates {
    status: &'static str,
    hit_rate: f64,
    answered: u64,
    misses: u64,
    functions: Vec<HitRate>,
}

#[derive(Serialize)]
struct HitRate {
    function: &'static str,
    module: &'static str,
    hit_rate: f64,
    answered: u64,
    misses: u64,
}

/// Return the hit rates since the cache was built or its counters were set back. Functions without a
/// call are left out.
pub(super) fn hit_rates(cache: &Cache) -> Reply {
    let stats = cache.stats();
    let sites = stats.sites.iter().map(|site| {
        let answered = site.hits + site.waits + site.stale;
        HitRate {
            function: site.function,
            module: site.module,
            hit_rate: hit_rate(answered, site.misses),
            answered,
            misses: site.misses,
        }
    });
    let rates = HitRates {
        status: "success",
        hit_rate: percent(stats.hit_rate()),
        answered: stats.hits + stats.waits + stats.stale,
        misses: stats.misses,
        functions: sites
            .filter(|site| site.answered + site.misses > 0)
            .collect(),
    };
    Reply::ok(&rates)
}

/// Return the counters for Prometheus.
pub(super) fn metrics(cache: &Cache) -> Reply {
    let text = cache.prometheus_text().into_bytes();
    Reply::text(StatusCode::OK, PROMETHEUS_CONTENT_TYPE, text)
}

#[derive(Serialize)]
struct Functions {
    status: &'static str,
    #[serde(flatten)]
    topology: Topology,
    dead_patterns: Vec<DeadPattern>,
    never_invalidated: Vec<ReadNode>,
    /// Which write removes entries of which read: positions in `writes` and `reads`.
    edges: &'static [(usize, usize)],
}

/// The same as long as the program runs, and slow to find out.
static EDGES: OnceLock<Vec<(usize, usize)>> = OnceLock::new();

fn edges(topology: &Topology) -> Vec<(usize, usize)> {
    let of = |(from, write)| {
        let removed = topology.removed_by(write);
        let reads = topology.reads.iter().enumerate();
        let reached =
            reads.filter(|(_, read)| removed.iter().any(|other| std::ptr::eq(*other, *read)));
        reached.map(|(to, _)| (from, to)).collect::<Vec<_>>()
    };
    topology.writes.iter().enumerate().flat_map(of).collect()
}

/// Return the annotated functions of the program, as JSON or as a graph.
pub(super) fn functions_of_program(parts: &Parts) -> Result<Reply, Reply> {
    let mut parameters = Parameters::of(parts)?;
    let format = parameters.take("format")?;
    parameters.end()?;
    let topology = topology();
    match format.as_deref() {
        None | Some("json") => {}
        Some("mermaid") => {
            let graph = topology.mermaid().into_bytes();
            return Ok(Reply::text(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                graph,
            ));
        }
        Some(_) => {
            let error = "`format` is `json`, `mermaid`, or isn't there";
            return Err(Reply::error(StatusCode::BAD_REQUEST, error));
        }
    }
    let edges = EDGES.get_or_init(|| edges(&topology));
    Ok(Reply::ok(&Functions {
        edges,
        status: "success",
        dead_patterns: topology.dead_patterns(),
        never_invalidated: topology.never_invalidated(),
        topology,
    }))
}

fn hit_rate(answered: u64, misses: u64) -> f64 {
    match answered + misses {
        0 => 0.0,
        calls => percent(answered as f64 / calls as f64),
    }
}

/// Return a fraction in percent, with two decimals.
fn percent(fraction: f64) -> f64 {
    (fraction * 10_000.0).round() / 100.0
}

/// Write a size as Redis does: `2.0M`.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    let mut size = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if size < 1_024.0 {
            break;
        }
        (size, unit) = (size / 1_024.0, larger);
    }
    match unit {
        "B" => format!("{bytes}B"),
        _ => format!("{size:.1}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_short() {
        let sizes = [0, 1_023, 1_024, 2 << 20, 3 << 30].map(human);
        assert_eq!(sizes, ["0B", "1023B", "1.0K", "2.0M", "3.0G"]);
        assert_eq!(human(u64::MAX), "16384.0P");
        assert_eq!(percent(0.785), 78.5);
        assert_eq!(hit_rate(2, 1), 66.67);
        assert_eq!(hit_rate(0, 0), 0.0);
    }
}
