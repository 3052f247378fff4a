//! The counters as a metrics system sees them.

use std::time::Duration;

use cache_runtime::observe::{MetricKind, SampleValue, Snapshot};
use cache_runtime::{Cache, Clock, cacheable, invalidate, testing, write_through};
use tests::{
    Exposition, Fault, Gate, PATIENCE, Proxy, RedisServer, Stores, all, begin, on_both_stores,
    until, until_well,
};

const MODULE: &str = "observe::text";

/// The metrics that a cache on either store has.
const METRICS: [&str; 15] = [
    "cache_audit_total",
    "cache_build_info",
    "cache_bytes",
    "cache_capacity_bytes",
    "cache_compute_seconds",
    "cache_entries",
    "cache_errors_total",
    "cache_evictions_total",
    "cache_fills_refused_total",
    "cache_fills_total",
    "cache_gets_total",
    "cache_invalidated_entries_total",
    "cache_invalidations_total",
    "cache_saved_seconds_total",
    "cache_wait_seconds",
];
/// Those of a cache on Redis, with a near cache and an outbox.
const METRICS_OF_REDIS: [&str; 6] = [
    "cache_breaker_open",
    "cache_index_walks_total",
    "cache_near_trusted",
    "cache_outbox_rows",
    "cache_replay_queue",
    "cache_store_seconds",
];

#[cacheable(key = "observed:<<id>>", ttl = 600)]
async fn row(id: u32) -> u32 {
    id
}

#[cacheable(key = "observed:off:<<id>>", condition = *id > 10)]
async fn large(id: &u32) -> u32 {
    *id
}

#[cacheable(key = "observed:gated", skip(gate))]
async fn gated(gate: Gate) -> u32 {
    gate.pass().await
}

#[cacheable(
    key = "observed:brief",
    ttl = 10,
    stale = 10,
    stale_if_error = 60,
    skip(fails)
)]
async fn brief(fails: bool) -> Result<u32, String> {
    match fails {
        true => Err("no".to_owned()),
        false => Ok(1),
    }
}

#[cacheable(key = "observed:timed", skip(clock))]
fn timed(clock: &Clock) -> u32 {
    clock.advance(Duration::from_millis(30));
    1
}

#[cacheable(key = "observed:each:<<id>>", each = ids, skip(clock))]
fn timed_each(ids: &[u32], clock: &Clock) -> Vec<u32> {
    clock.advance(Duration::from_secs(3));
    ids.to_vec()
}

#[write_through(key = "observed:written")]
fn timed_write(clock: &Clock) -> u32 {
    clock.advance(Duration::from_secs(2));
    1
}

#[invalidate(patterns = ["observed:<<id>>:*"])]
async fn change(id: u32) {
    let _ = id;
}

/// Two functions of one name.
struct One;
struct Other;
impl One {
    #[cacheable(key = "observed:one", skip(self))]
    fn same_name(&self) -> u32 {
        1
    }
}
impl Other {
    #[cacheable(key = "observed:other", skip(self))]
    fn same_name(&self) -> u32 {
        2
    }
}

fn read(cache: &Cache) -> Exposition {
    Exposition::read(&cache.prometheus_text())
}

fn of(function: &str) -> String {
    format!("{MODULE}::{function}")
}

fn gets(text: &Exposition, function: &str, tier: &str, result: &str) -> f64 {
    let function = of(function);
    text.sum(
        "cache_gets_total",
        &[("function", &function), ("tier", tier), ("result", result)],
    )
}

#[tokio::test]
async fn the_text_counts_the_calls_that_were_made() {
    let stores = Stores::new();
    for (tier, cache) in &stores.caches {
        let calls = async {
            for _ in 0..7 {
                row(1).await;
            }
            row(2).await;
            change(1).await;
            row(1).await;
            large(&1).await;
        };
        cache.scope(calls).await;
        let text = read(cache);
        assert_eq!(gets(&text, "row", tier, "hit"), 6.0, "on {tier}");
        assert_eq!(gets(&text, "row", tier, "miss"), 3.0, "on {tier}");
        assert_eq!(gets(&text, "row", tier, "stale"), 0.0, "on {tier}");
        assert_eq!(gets(&text, "large", tier, "bypass"), 1.0, "on {tier}");
        let (row, change) = (of("row"), of("change"));
        let row = [("function", row.as_str())];
        let change = [("function", change.as_str())];
        assert_eq!(text.sum("cache_fills_total", &row), 3.0);
        assert_eq!(text.sum("cache_compute_seconds_count", &row), 3.0);
        let done = [change[0], ("outcome", "done")];
        assert_eq!(text.sum("cache_invalidations_total", &done), 1.0);
        assert_eq!(text.sum("cache_invalidated_entries_total", &change), 1.0);
        assert_eq!(text.sum("cache_errors_total", &[]), 0.0);
    }
}

#[tokio::test]
async fn every_metric_is_there_and_its_labels_are_fixed() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("quickpost")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .near_cache(8 << 20)
        .build()
        .unwrap();
    cache.report_outbox_rows(3);
    cache.scope(row(1)).await;
    let (text, memory) = (read(&cache), read(&testing::cache()));
    let mut expected = [&METRICS[..], &METRICS_OF_REDIS].concat();
    expected.sort_unstable();
    assert_eq!(text.names().collect::<Vec<_>>(), expected);
    assert_eq!(memory.names().collect::<Vec<_>>(), METRICS);
    assert_eq!(text.sum("cache_outbox_rows", &[]), 3.0);
    let labels = text.labels();
    let names: Vec<&str> = labels.keys().copied().collect();
    assert_eq!(
        names,
        [
            "cache", "cause", "function", "kind", "le", "op", "outcome", "reason", "result",
            "tier", "version"
        ]
    );
    let of = |label| labels[label].iter().copied().collect::<Vec<_>>().join(" ");
    assert_eq!(of("cache"), "quickpost");
    assert_eq!(of("tier"), "near redis");
    let of_audits_and_gets = "bypass failed hit miss ok raced stale stale_on_error wait";
    assert_eq!(of("result"), of_audits_and_gets);
    assert_eq!(of("outcome"), "done postponed replayed");
    assert_eq!(of("cause"), "expired size");
    assert_eq!(of("reason"), "invalidated not_storable store too_large");
    assert_eq!(of("kind"), "background key store timeout unavailable value");
    assert_eq!(of("op"), "fill get invalidate lease other set");
}

#[tokio::test]
async fn a_kind_a_unit_and_a_help_text_belong_to_each_sample() {
    let cache = testing::cache();
    let mut before = "";
    let mut seen = std::collections::BTreeSet::new();
    cache.observe(&mut |sample| {
        assert!(sample.help.ends_with('.'), "{}", sample.help);
        if let Some(unit) = sample.unit {
            assert!(sample.name.contains(unit.name()), "{}", sample.name);
        }
        let is_histogram = matches!(sample.value, SampleValue::Histogram(_));
        assert_eq!(sample.kind() == MetricKind::Histogram, is_histogram);
        if sample.name != before {
            assert!(seen.insert(sample.name), "{} is shown at once", sample.name);
            before = sample.name;
        }
    });
}

#[tokio::test]
async fn a_reset_of_the_stats_sets_no_total_back() {
    on_both_stores(|cache| async move {
        for _ in 0..3 {
            row(5).await;
        }
        change(5).await;
        let before = read(&cache).totals();
        cache.reset_stats();
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.invalidated), (0, 0, 0));
        let after = read(&cache).totals();
        for (name, value) in &before {
            assert!(after[name] >= *value, "{name} went back");
        }
        row(5).await;
        row(5).await;
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.fills), (1, 1, 1));
        let total = cache.snapshot().total();
        assert_eq!((total.hits, total.misses, total.fills), (3, 2, 2));
    })
    .await;
}

#[tokio::test]
async fn waits_and_their_durations_are_counted() {
    let stores = Stores::new();
    for (tier, cache) in &stores.caches {
        let gate = Gate::new();
        let mut calls = Vec::new();
        for _ in 0..4 {
            calls.push(begin(cache, gated(gate.clone())).await);
        }
        gate.open();
        all(calls).await;
        let text = read(cache);
        assert_eq!(gets(&text, "gated", tier, "wait"), 3.0);
        let function = of("gated");
        let waits = text.sum("cache_wait_seconds_count", &[("function", &function)]);
        assert_eq!(waits, 3.0);
        assert!(text.sum("cache_wait_seconds_sum", &[("function", &function)]) > 0.0);
    }
}

#[tokio::test]
async fn a_stale_value_and_one_that_is_served_for_an_error_are_told_apart() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let calls = async {
        brief(false).await.unwrap();
        clock.advance(Duration::from_secs(30));
        assert_eq!(brief(true).await, Ok(1), "instead of its error");
        assert_eq!(brief(true).await, Ok(1), "during the pause after it");
        clock.advance(Duration::from_secs(5));
        brief(false).await.unwrap();
        clock.advance(Duration::from_secs(11));
        assert_eq!(brief(false).await, Ok(1), "stale");
    };
    cache.scope(calls).await;
    let text = read(&cache);
    assert_eq!(gets(&text, "brief", "memory", "stale_on_error"), 2.0);
    assert_eq!(gets(&text, "brief", "memory", "stale"), 1.0);
    assert_eq!(cache.stats().stale, 3);
}

#[test]
fn the_time_of_a_body_is_recorded_and_each_hit_saves_it() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache.scope_sync(|| assert_eq!((0..5).map(|_| timed(&clock)).sum::<u32>(), 5));
    let text = read(&cache);
    let function = of("timed");
    let function = [("function", function.as_str())];
    let near = |value: f64, expected: f64| (value - expected).abs() < 1e-6;
    assert!(near(text.sum("cache_compute_seconds_sum", &function), 0.03));
    assert!(near(text.sum("cache_saved_seconds_total", &function), 0.12));
    let in_bucket = |le| text.sum("cache_compute_seconds_bucket", &[function[0], ("le", le)]);
    assert_eq!((in_bucket("0.025"), in_bucket("0.05")), (0.0, 1.0));
}

#[test]
fn items_that_are_computed_together_share_the_time() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache.scope_sync(|| timed_each(&[1, 2, 3], &clock));
    let text = read(&cache);
    let function = of("timed_each");
    let function = [("function", function.as_str())];
    assert_eq!(text.sum("cache_compute_seconds_count", &function), 3.0);
    assert_eq!(text.sum("cache_compute_seconds_sum", &function), 3.0);
}

#[test]
fn the_time_of_a_body_that_writes_through_is_recorded() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache.scope_sync(|| timed_write(&clock));
    let text = read(&cache);
    let function = of("timed_write");
    let function = [("function", function.as_str())];
    assert_eq!(text.sum("cache_compute_seconds_count", &function), 1.0);
    assert_eq!(text.sum("cache_compute_seconds_sum", &function), 2.0);
}

#[tokio::test]
async fn the_wait_of_items_for_another_process_is_recorded() {
    let server = RedisServer::start();
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    // The lease of a computation that has ended, as another process holds one.
    let gate = Gate::new();
    let call = begin(&cache, gated(gate.clone())).await;
    let mut connection = server.connect();
    let mut get = redis::cmd("GET");
    let lease: Vec<u8> = get
        .arg("quickpost:observed:gated")
        .query(&mut connection)
        .unwrap();
    cache.delete("observed:gated").await.unwrap();
    gate.open();
    call.await.unwrap();
    let mut set = redis::cmd("SET");
    let set = set.arg("quickpost:observed:each:1").arg(lease);
    let _: () = set.arg("PX").arg(100).query(&mut connection).unwrap();
    let (within, clock) = (cache.clone(), Clock::manual());
    let items = move || within.scope_sync(|| timed_each(&[1, 2], &clock));
    let values = tokio::task::spawn_blocking(items).await.unwrap();
    assert_eq!(values, [1, 2]);
    let text = read(&cache);
    let function = of("timed_each");
    let function = [("function", function.as_str())];
    assert_eq!(text.sum("cache_wait_seconds_count", &function), 1.0);
    let waited = text.sum("cache_wait_seconds_sum", &function);
    assert!(waited > 0.01 && waited < 5.0, "{waited}");
}

#[test]
fn two_functions_of_one_name_in_one_module_count_together() {
    let cache = testing::cache();
    let values = cache.scope_sync(|| (One.same_name(), Other.same_name()));
    assert_eq!(values, (1, 2));
    assert_eq!(gets(&read(&cache), "same_name", "memory", "miss"), 2.0);
}

#[tokio::test]
async fn the_near_cache_is_a_tier_of_its_own() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        // A write voids its key in all near caches of its prefix in this process.
        .prefix("near-tier")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .near_cache(8 << 20)
        // Entries are counted, so a busy machine must not empty the near cache.
        .near_max_silence(Duration::from_secs(60))
        .build()
        .unwrap();
    cache.scope(row(1)).await;
    until("one reading shows the value in the near cache", || async {
        cache.scope(row(1)).await;
        let text = read(&cache);
        text.sum("cache_near_trusted", &[]) == 1.0
            && text.sum("cache_entries", &[("tier", "near")]) == 1.0
            && gets(&text, "row", "near", "hit") > 0.0
    })
    .await;
    let text = read(&cache);
    let stats = cache.stats();
    let hits = gets(&text, "row", "near", "hit") + gets(&text, "row", "redis", "hit");
    assert_eq!(hits, stats.hits as f64);
    assert_eq!(
        text.sum("cache_capacity_bytes", &[("tier", "near")]),
        (8 << 20) as f64
    );
}

#[tokio::test]
async fn an_outage_is_counted_and_what_was_postponed_is_replayed() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("quickpost")
        .redis(proxy.url())
        .response_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    cache.scope(row(1)).await;
    proxy.set(Fault::Refuse);
    cache.scope(row(1)).await;
    cache.scope(change(1)).await;
    let text = read(&cache);
    assert_eq!(text.sum("cache_breaker_open", &[]), 1.0);
    assert_eq!(text.sum("cache_replay_queue", &[]), 1.0);
    assert_eq!(gets(&text, "row", "redis", "bypass"), 1.0);
    let outcome =
        |text: &Exposition, outcome| text.sum("cache_invalidations_total", &[("outcome", outcome)]);
    assert_eq!(
        (outcome(&text, "postponed"), outcome(&text, "done")),
        (1.0, 0.0)
    );
    assert!(text.sum("cache_errors_total", &[]) >= 2.0);
    proxy.set(Fault::None);
    until_well(&cache).await;
    let text = read(&cache);
    assert_eq!(text.sum("cache_breaker_open", &[]), 0.0);
    assert_eq!(text.sum("cache_replay_queue", &[]), 0.0);
    assert!(outcome(&text, "replayed") >= 1.0);
}

#[tokio::test]
async fn evicted_and_expired_entries_are_told_apart() {
    let clock = Clock::manual();
    let cache = Cache::builder()
        .memory_capacity(64 << 10)
        .clock(clock.clone())
        .build()
        .unwrap();
    for number in 0..200 {
        let value = vec![0_u8; 1 << 10];
        cache
            .set(&format!("large:{number}"), &value, 60)
            .await
            .unwrap();
    }
    let cause = |cause| read(&cache).sum("cache_evictions_total", &[("cause", cause)]);
    let evicted = cause("size");
    assert!(evicted > 100.0, "{evicted}");
    assert_eq!(cause("expired"), 0.0);
    clock.advance(Duration::from_secs(61));
    for number in 0..200 {
        cache.set(&format!("small:{number}"), &1, 60).await.unwrap();
    }
    assert!(cause("expired") > 10.0);
    let text = read(&cache);
    assert!(text.sum("cache_bytes", &[]) <= text.sum("cache_capacity_bytes", &[]));
}

#[tokio::test]
async fn sums_of_snapshots_are_by_function() {
    let (one, other) = (testing::cache(), testing::cache());
    one.scope(async { (row(1).await, row(1).await) }).await;
    other.scope(row(1)).await;
    let sums = Snapshot::sums(&[one.snapshot(), other.snapshot()]);
    let of_row = sums.iter().find(|sum| sum.function == of("row")).unwrap();
    assert_eq!((of_row.hits, of_row.misses, of_row.fills), (1, 2, 2));
    assert_eq!(of_row.compute.count(), 2);
}
