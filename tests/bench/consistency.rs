//! Figures of the Redis store, as ratios from one run on one server of its own:
//! `cargo run --release -p tests --bin consistency`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use redis::{Commands, Connection};
use tests::{Fault, Proxy, RedisServer};

const TTL: Duration = Duration::from_secs(3_600);

#[cacheable(key = "rows:<<id>>")]
async fn row(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    println!("| what | figure |\n|---|---|");
    index().await;
    memory_index().await;
    short_lived().await;
    deletion_in_batches().await;
    miss().await;
    herd().await;
    outage().await;
}

fn line(what: &str, figure: impl std::fmt::Display) {
    println!("| {what} | {figure} |");
}

fn cache_at(url: String) -> Cache {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .invalidation_timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Store entries that the cache indexes by a scan.
fn fill(redis: &mut Connection, from: u64, to: u64) {
    for start in (from..to).step_by(10_000) {
        let mut batch = redis::pipe();
        for id in start..(start + 10_000).min(to) {
            batch
                .cmd("SET")
                .arg(format!("app:posts:{}:{id}", id / 100))
                .arg("value")
                .ignore();
        }
        batch.query::<()>(redis).unwrap();
    }
}

async fn index() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_at(server.url()), server.connect());
    let mut indexed = Vec::new();
    for (from, to) in [(0, 10_000), (10_000, 1_000_000)] {
        fill(&mut redis, from, to);
        // Without its index, the next invalidation rebuilds it from all keys.
        let sets: Vec<String> = redis::cmd("KEYS")
            .arg("app#index:*")
            .query(&mut redis)
            .unwrap();
        if !sets.is_empty() {
            redis.del::<_, ()>(sets).unwrap();
        }
        let started = Instant::now();
        cache.delete_pattern("none:*").await.unwrap();
        line(
            &format!("index of {to} keys made by one walk"),
            format_args!("{:.0?}", started.elapsed()),
        );
        let mut times = Vec::new();
        for group in 0..21 {
            let group = group * (to / 100) / 21;
            let entries: Vec<(String, u64)> = (0..100)
                .map(|at| (format!("posts:{group}:{}", group * 100 + at), at))
                .collect();
            cache.set_many(&entries, TTL).await.unwrap();
            let started = Instant::now();
            assert_eq!(
                cache
                    .delete_pattern(&format!("posts:{group}:*"))
                    .await
                    .unwrap(),
                100
            );
            times.push(started.elapsed());
            cache.set_many(&entries, TTL).await.unwrap();
        }
        indexed.push(median(times));
        line(
            &format!("100 matches of {to} keys, by the index"),
            format_args!("{:.0?}", indexed[indexed.len() - 1]),
        );
    }
    let started = Instant::now();
    let mut cursor = 0u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg("app:posts:7:*")
            .arg("COUNT")
            .arg(1_000);
        let (next, _keys): (u64, Vec<String>) = scan.query(&mut redis).unwrap();
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let walk = started.elapsed();
    line(
        "the same by a SCAN walk, COUNT 1000",
        format_args!("{walk:.0?}"),
    );
    line(
        "walk / index",
        format_args!("{:.0}", walk.as_secs_f64() / indexed[1].as_secs_f64()),
    );
    line(
        "index at 1,000,000 / at 10,000 keys",
        format_args!("{:.2}", indexed[1].as_secs_f64() / indexed[0].as_secs_f64()),
    );
    let set: u64 = redis::cmd("MEMORY")
        .arg("USAGE")
        .arg(index_of(&mut redis))
        .arg("SAMPLES")
        .arg(0)
        .query(&mut redis)
        .unwrap();
    line(
        "bytes of index a key",
        format_args!("{:.0}", set as f64 / 1e6),
    );
}

/// The memory store's own index: the same growth.
async fn memory_index() {
    let mut medians = Vec::new();
    for count in [10_000u64, 1_000_000] {
        let cache = Cache::builder().memory_capacity(1 << 30).build().unwrap();
        let group = |id: u64| (format!("posts:{}:{id}", id / 100), id);
        cache.set_many((0..count).map(group), TTL).await.unwrap();
        let mut times = Vec::new();
        for round in 0..51 {
            let pattern = format!("posts:{}:*", round * (count / 100) / 51);
            let started = Instant::now();
            assert_eq!(cache.delete_pattern(&pattern).await.unwrap(), 100);
            times.push(started.elapsed());
        }
        medians.push(median(times));
        line(
            &format!("100 matches of {count} entries in memory"),
            format_args!("{:.0?}", medians[medians.len() - 1]),
        );
    }
    line(
        "memory at 1,000,000 / at 10,000",
        format_args!("{:.2}", medians[1].as_secs_f64() / medians[0].as_secs_f64()),
    );
}

/// Store a million entries that live a tenth of a second. Compare the index's members with the live
/// keys.
async fn short_lived() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_at(server.url()), server.connect());
    for start in (0..1_000_000u64).step_by(5_000) {
        let entries = (start..start + 5_000).map(|id| (format!("short:{id}"), id));
        cache
            .set_many(entries, Duration::from_millis(100))
            .await
            .unwrap();
    }
    let sets: Vec<String> = redis::cmd("KEYS")
        .arg("app#index:*")
        .query(&mut redis)
        .unwrap();
    let members: u64 = sets
        .iter()
        .map(|set| redis.zcard::<_, u64>(set).unwrap())
        .sum();
    let live: Vec<String> = redis::cmd("KEYS")
        .arg("app:short:*")
        .query(&mut redis)
        .unwrap();
    line(
        "members of the index after 1,000,000 short-lived fills",
        members,
    );
    line("entries that live at that moment", live.len());
}

/// The set with the most members.
fn index_of(redis: &mut Connection) -> String {
    let sets: Vec<String> = redis::cmd("KEYS").arg("app#index:*").query(redis).unwrap();
    sets.into_iter()
        .max_by_key(|set| redis.zcard::<_, u64>(set).unwrap())
        .unwrap()
}

async fn deletion_in_batches() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_at(server.url()), server.connect());
    fill(&mut redis, 0, 500_000);
    cache.delete_pattern("none:*").await.unwrap();
    let slow = redis::cmd("CONFIG")
        .arg("SET")
        .arg("slowlog-log-slower-than")
        .arg(10_000)
        .to_owned();
    slow.query::<()>(&mut redis).unwrap();
    redis::cmd("SLOWLOG")
        .arg("RESET")
        .query::<()>(&mut redis)
        .unwrap();
    let deleting = tokio::spawn(async move {
        (
            Instant::now(),
            cache.delete_pattern("posts:*").await.unwrap(),
            Instant::now(),
        )
    });
    let mut pings = Vec::new();
    while !deleting.is_finished() {
        let started = Instant::now();
        redis::cmd("PING").query::<()>(&mut redis).unwrap();
        pings.push(started.elapsed());
        tokio::task::yield_now().await;
    }
    let (started, count, ended) = deleting.await.unwrap();
    let logged: u64 = redis::cmd("SLOWLOG").arg("LEN").query(&mut redis).unwrap();
    line(
        &format!("{count} matches deleted"),
        format_args!("{:.1?}", ended - started),
    );
    line("commands over 10 ms meanwhile", logged);
    line(
        "slowest PING meanwhile",
        format_args!("{:.1?}", pings.iter().max().unwrap()),
    );
    line(
        "median PING meanwhile",
        format_args!("{:.0?}", median(pings)),
    );
}

/// Microseconds of one run of the work, as the median of 2,000.
async fn timed<F: Future>(work: impl Fn(u64) -> F) -> f64 {
    let mut times = Vec::new();
    for id in 0..2_000 {
        let started = Instant::now();
        work(id).await;
        times.push(started.elapsed());
    }
    median(times).as_secs_f64() * 1e6
}

async fn miss() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_at(server.url()), server.connect());
    cache.delete_pattern("none:*").await.unwrap();
    cache.scope(row(1_000_000)).await;
    let missing = timed(|id| cache.scope(row(id))).await;
    let hitting = timed(|id| cache.scope(row(id))).await;
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let by_hand = timed(|id| {
        let mut connection = connection.clone();
        async move {
            use redis::AsyncCommands;
            let key = format!("hand:{id}");
            let _: Option<Vec<u8>> = connection.get(&key).await.unwrap();
            let _: () = connection.set_ex(&key, id, 60).await.unwrap();
        }
    })
    .await;
    let sent = round_trips(&cache, &mut redis).await;
    line("a miss, microseconds", format_args!("{missing:.0}"));
    line(
        "GET and SET by hand, microseconds",
        format_args!("{by_hand:.0}"),
    );
    line("miss / by hand", format_args!("{:.2}", missing / by_hand));
    line("round trips of a miss (by hand: 2)", sent);
    line("a hit, microseconds", format_args!("{hitting:.0}"));
}

/// Round trips of one miss: `GET`, lease, fill. Commands that scripts run inside the server aren't
/// round trips.
async fn round_trips(cache: &Cache, redis: &mut Connection) -> u64 {
    let calls = |redis: &mut Connection| -> u64 {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
        let evals = stats
            .lines()
            .filter(|line| line.starts_with("cmdstat_evalsha:"));
        evals
            .filter_map(|line| {
                line.split("calls=")
                    .nth(1)?
                    .split(',')
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .sum()
    };
    let before = calls(redis);
    cache.scope(row(3_000_000)).await;
    1 + calls(redis) - before
}

async fn herd() {
    let server = RedisServer::start();
    let caches: Vec<Cache> = (0..4).map(|_| cache_at(server.url())).collect();
    let runs = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    let started = Instant::now();
    for cache in &caches {
        for _ in 0..250 {
            let (cache, runs) = (cache.clone(), Arc::clone(&runs));
            callers.push(tokio::spawn(async move {
                let compute = || async {
                    runs.fetch_add(1, Ordering::SeqCst);
                    // The duration of the body.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    7
                };
                cache.get_or_set("cold", 60, compute).await
            }));
        }
    }
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 7);
    }
    line(
        "4 caches times 250 callers of one cold key, body runs",
        runs.load(Ordering::SeqCst),
    );
    line(
        "the slowest of them / a body of 100 ms",
        format_args!("{:.2}", started.elapsed().as_secs_f64() / 0.1),
    );
}

async fn outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    cache.scope(row(1)).await;
    proxy.set(Fault::Silent);
    let started = Instant::now();
    cache.scope(row(2)).await;
    line(
        "the first call on a silent server",
        format_args!("{:.0?}", started.elapsed()),
    );
    let (mut with, mut bare) = (Vec::new(), Vec::new());
    for id in 0..20_000 {
        let started = Instant::now();
        cache.scope(row(id)).await;
        with.push(started.elapsed());
        let started = Instant::now();
        cache.scope(row_no_cache(id)).await;
        bare.push(started.elapsed());
    }
    let over = median(with).saturating_sub(median(bare));
    line(
        "each later call over its bare body",
        format_args!("{:.2} microseconds", over.as_secs_f64() * 1e6),
    );
}
