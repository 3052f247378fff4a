//! `stats`: the counters of all processes.

use std::process::ExitCode;
use std::time::Duration;

use cache_runtime::StoreStats;
use cache_runtime::observe::{FunctionSnapshot, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Output, duration, printable, size, table};
use crate::source::Source;

/// The JSON output.
#[derive(Serialize)]
struct Shown<'a> {
    prefix: &'a str,
    /// `null` if the user may not ask the server for it.
    store: Option<StoreStats>,
    processes: &'a [Snapshot],
    functions: &'a [FunctionSnapshot],
}

pub(crate) async fn run(source: Source<'_>, output: &Output) -> Result<ExitCode, Failure> {
    let cache = match source {
        Source::Cache(cache) => cache,
        Source::App(app) => return of_app(app, *output),
    };
    let mut processes = cache.fleet().await?;
    processes.sort_by(|one, other| one.instance.cmp(&other.instance));
    let functions = Snapshot::sums(&processes);
    let shown = Shown {
        prefix: cache.prefix(),
        store: cache.store_stats().await.ok(),
        processes: &processes,
        functions: &functions,
    };
    match output.json {
        true => output.json(&shown)?,
        false => output.text(&text(&shown)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The counters of a service, as its admin API tells them.
#[derive(Deserialize)]
struct Told {
    cause: Option<String>,
    cache_stats: ToldStats,
}

#[derive(Deserialize)]
struct ToldStats {
    backend: String,
    memory_usage: Option<u64>,
    keys_count: Option<u64>,
    evicted_keys: Option<u64>,
    hit_rate: f64,
    uptime_seconds: u64,
    functions: Vec<ToldFunction>,
}

#[derive(Deserialize)]
struct ToldFunction {
    function: String,
    module: String,
    hits: u64,
    misses: u64,
    fills: u64,
    waits: u64,
    stale: u64,
    invalidated: u64,
    hit_rate: f64,
}

fn of_app(app: &App, output: Output) -> Result<ExitCode, Failure> {
    let told: Value = app.get("stats", &[])?;
    if output.json {
        output.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let told: Told = serde_json::from_value(told)
        .map_err(|error| Failure::Failed(format!("the answer can't be read: {error}")))?;
    let stats = told.cache_stats;
    let store = match (stats.keys_count, stats.memory_usage) {
        (Some(entries), Some(bytes)) => format!(
            "{entries} entries, {}; {} evicted",
            size(bytes),
            stats.evicted_keys.unwrap_or(0)
        ),
        _ => format!("unknown: {}", told.cause.as_deref().unwrap_or("no cause")),
    };
    let rows: Vec<Vec<String>> = stats
        .functions
        .iter()
        .map(|function| {
            let answered = function.hits + function.waits + function.stale;
            vec![
                printable(&format!("{}::{}", function.module, function.function)),
                (answered + function.misses).to_string(),
                format!("{:.1}%", function.hit_rate),
                function.misses.to_string(),
                function.fills.to_string(),
                function.invalidated.to_string(),
            ]
        })
        .collect();
    output.text(&format!(
        "service    {}\nstore      {}: {}\nup         {}\nhits       {:.1}%\n\n{}",
        app.shown(),
        printable(&stats.backend),
        printable(&store),
        duration(Duration::from_secs(stats.uptime_seconds)),
        stats.hit_rate,
        table(
            &["FUNCTION", "CALLS", "HITS", "MISSES", "FILLS", "REMOVED"],
            &[false, true, true, true, true, true],
            &rows
        )
    ));
    Ok(ExitCode::SUCCESS)
}

fn text(shown: &Shown<'_>) -> String {
    let mut text = format!("prefix     {}\n", shown.prefix);
    match &shown.store {
        Some(store) => text.push_str(&format!(
            "store      {}: {} entries; the server uses {}, and has evicted {} keys\n",
            store.store,
            store.entries,
            size(store.bytes),
            store.evictions
        )),
        None => text.push_str("store      unknown: the user may not ask (`+info +zlexcount`)\n"),
    }
    text.push_str(&format!("processes  {}\n\n", shown.processes.len()));
    if shown.processes.is_empty() {
        text.push_str("No process has published its counters in the last fifteen seconds.\n");
        return text;
    }
    text.push_str(&processes(shown.processes));
    text.push('\n');
    text.push_str(&functions(shown.functions));
    text
}

fn processes(processes: &[Snapshot]) -> String {
    let rows: Vec<Vec<String>> = processes
        .iter()
        .map(|process| {
            let total = process.total();
            let up = process.taken.saturating_sub(process.started);
            let breaker = if process.breaker_open {
                "open"
            } else {
                "closed"
            };
            vec![
                printable(&process.instance),
                process.pid.to_string(),
                printable(&process.version),
                duration(Duration::from_secs(up / 1000)),
                total.calls().to_string(),
                percent(&total),
                breaker.to_owned(),
                process.replay_queue.to_string(),
            ]
        })
        .collect();
    table(
        &[
            "PROCESS", "PID", "VERSION", "UP", "CALLS", "HITS", "BREAKER", "QUEUE",
        ],
        &[false, true, false, true, true, true, false, true],
        &rows,
    )
}

fn functions(functions: &[FunctionSnapshot]) -> String {
    let rows: Vec<Vec<String>> = functions
        .iter()
        .map(|function| {
            let at = |fraction| function.compute.quantile(fraction);
            let time = |fraction| at(fraction).map_or_else(|| "-".to_owned(), duration);
            vec![
                printable(&function.function),
                function.calls().to_string(),
                percent(function),
                function.misses.to_string(),
                function.fills.to_string(),
                function.invalidated_entries.to_string(),
                time(0.5),
                time(0.99),
                duration(Duration::from_secs_f64(
                    function.saved_seconds.clamp(0.0, 1e12),
                )),
            ]
        })
        .collect();
    table(
        &[
            "FUNCTION", "CALLS", "HITS", "MISSES", "FILLS", "REMOVED", "P50", "P99", "SAVED",
        ],
        &[false, true, true, true, true, true, true, true, true],
        &rows,
    )
}

fn percent(function: &FunctionSnapshot) -> String {
    match function.calls() {
        0 => "-".to_owned(),
        _ => format!("{:.1}%", function.hit_rate() * 100.0),
    }
}
