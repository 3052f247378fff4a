//! Figures of the near cache, with two processes on one server of their own:
//! `cargo run --release -p tests --bin near [rounds]`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::RedisServer;

const ROUNDS: u64 = 20_000;
/// Readers of other keys in each process.
const READERS: u64 = 4;
const OTHER_KEYS: u64 = 500;
/// The key of the row's version, in place of a database.
const VERSION: &str = "database";

#[cacheable(key = "watched", ttl = 3_600, skip(database))]
fn watched(database: &mut redis::Connection) -> u64 {
    database.get(VERSION).unwrap()
}

#[invalidate(patterns = ["watched"])]
async fn change(database: &mut redis::Connection, version: u64) {
    database.set::<_, _, ()>(VERSION, version).unwrap();
}

#[cacheable(key = "others:<<id>>", ttl = 3_600)]
async fn other(id: u64) -> u64 {
    id
}

#[cacheable(key = "far:<<id>>", ttl = 3_600, near = false)]
async fn far(id: u64) -> u64 {
    id
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("watch") => watch(&runtime, &std::env::args().nth(2).unwrap()),
        rounds => {
            let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
            println!("| what | figure |\n|---|---|");
            let server = RedisServer::start();
            runtime.block_on(hits(&server));
            coherence(&runtime, &server, rounds);
        }
    }
}

fn cache(url: &str) -> Cache {
    let cache = Cache::builder()
        .prefix("app")
        .redis(url)
        .near_cache(16 << 20);
    let patient = cache.response_timeout(Duration::from_secs(10));
    patient.build().unwrap()
}

/// Return the nanoseconds of one call: the median of many short batches, few of which are
/// interrupted.
async fn timed<F: Future<Output = u64>>(batch: u32, call: impl Fn() -> F) -> f64 {
    let mut times = Vec::new();
    for _ in 0..2_001 {
        let started = Instant::now();
        for _ in 0..batch {
            black_box(call().await);
        }
        times.push(started.elapsed().as_secs_f64() * 1e9 / f64::from(batch));
    }
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn hits(server: &RedisServer) {
    let memory = Cache::builder().prefix("app").build().unwrap();
    let in_memory = async {
        other(1).await;
        timed(100, || other(1)).await
    };
    let in_memory = memory.scope(in_memory).await;
    println!("| a hit of the memory store | {in_memory:.0} ns |");
    let cache = cache(&server.url());
    cache
        .scope(async {
            while cache.stats().entries == 0 {
                other(1).await;
            }
            far(1).await;
            let near = timed(100, || other(1)).await;
            let redis = timed(1, || far(1)).await;
            println!("| a near hit | {near:.0} ns |");
            println!("| a Redis hit, in the same run | {:.1} µs |", redis / 1e3);
            println!("| so many times longer | {:.0} |", redis / near);
        })
        .await;
}

/// Read other keys in bursts, as long as the runtime lives.
fn load(runtime: &tokio::runtime::Runtime, cache: &Cache) {
    for task in 0..READERS {
        runtime.spawn(cache.scope(async move {
            for at in 0_u64.. {
                other((at * 7 + task * 31) % OTHER_KEYS).await;
                // A burst ends.
                if at % 200 == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }));
    }
}

/// One process changes what the other polls. Return how long after the change returned the other
/// read the new version.
fn coherence(runtime: &tokio::runtime::Runtime, server: &RedisServer, rounds: u64) {
    let mut database = server.connect();
    let _: () = database.set(VERSION, 0).unwrap();
    let cache = cache(&server.url());
    load(runtime, &cache);
    let mut watcher = Command::new(std::env::current_exe().unwrap())
        .args(["watch", &server.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = BufReader::new(watcher.stdout.take().unwrap()).lines();
    let mut seen = || -> Seen { Seen::parse(&seen.next().unwrap().unwrap()) };
    seen();
    let mut times = Vec::new();
    let mut near = 0;
    for version in 1..=rounds {
        runtime.block_on(cache.scope(change(&mut database, version)));
        let returned = now();
        let seen = seen();
        assert_eq!(seen.version, version);
        times.push(seen.at.saturating_sub(returned));
        near += u64::from(seen.was_near);
    }
    drop(watcher.stdin.take());
    watcher.wait().unwrap();
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share) as usize;
        format!("{:.0?}", Duration::from_nanos(times[index]))
    };
    println!("| changes that another process was to see, both loaded | {rounds} |");
    println!("| of which it had the old value near | {near} |");
    println!("| it reads the new one after, p50 | {} |", at(0.5));
    println!("| p99 | {} |", at(0.99));
    println!("| at most | {} |", at(1.0));
}

struct Seen {
    version: u64,
    /// The time, in nanoseconds.
    at: u64,
    /// Whether the earlier version was a near hit.
    was_near: bool,
}

impl Seen {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ').map(|word| word.parse().unwrap());
        let mut word = || words.next().unwrap();
        Self {
            version: word(),
            at: word(),
            was_near: word() == 1,
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// The other process: poll, and print when each version was seen. End with the parent's pipe.
fn watch(runtime: &tokio::runtime::Runtime, url: &str) {
    let cache = cache(url);
    load(runtime, &cache);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let mut database = redis::Client::open(url).unwrap().get_connection().unwrap();
    let (mut out, mut next, mut was_near) = (std::io::stdout(), 0, false);
    loop {
        // The fastest of a few reads: one from the server takes a hundred times as long.
        let (version, fastest) = cache.scope_sync(|| {
            let mut fastest = Duration::MAX;
            let mut version = 0;
            for _ in 0..3 {
                let started = Instant::now();
                version = watched(&mut database);
                fastest = fastest.min(started.elapsed());
                if version >= next {
                    break;
                }
            }
            (version, fastest)
        });
        if version < next {
            was_near |= fastest < Duration::from_micros(10);
            // Leave the server time for other work between two reads.
            std::thread::sleep(Duration::from_micros(20));
            continue;
        }
        let line = format!(
            "{version} {} {}",
            now(),
            u8::from(std::mem::take(&mut was_near))
        );
        writeln!(out, "{line}").unwrap();
        out.flush().unwrap();
        next = version + 1;
    }
}
