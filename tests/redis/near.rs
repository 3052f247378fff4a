//! The near store: memory in front of Redis that Redis keeps coherent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{PATIENCE, RedisServer};

use crate::common::until;

#[derive(Default)]
struct Rows {
    value: AtomicU32,
    runs: AtomicU32,
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(rows))]
async fn row(rows: &Rows, id: u32) -> Arc<u32> {
    rows.runs.fetch_add(1, Ordering::SeqCst);
    Arc::new(rows.value.load(Ordering::SeqCst))
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(rows: &Rows, id: u32, value: u32) {
    rows.value.store(value, Ordering::SeqCst);
}

fn cache(server: &RedisServer) -> Cache {
    Cache::builder()
        .redis(server.url())
        .response_timeout(PATIENCE)
        .near(1 << 20)
        .build()
        .expect("it builds")
}

/// How many commands read or fill entries.
fn commands(server: &RedisServer) -> u64 {
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut server.connect())
        .unwrap();
    info.lines()
        .filter(|line| line.starts_with("cmdstat_get:") || line.starts_with("cmdstat_evalsha:"))
        .filter_map(|line| {
            line.split("calls=")
                .nth(1)?
                .split(',')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum()
}

/// Reads until a read asks nothing of the server.
async fn until_near(server: &RedisServer, cache: &Cache, rows: &Rows, id: u32) {
    until("a hit is near", || async {
        let before = commands(server);
        cache.scope(row(rows, id)).await;
        commands(server) == before
    })
    .await;
}

#[tokio::test]
async fn a_near_hit_asks_nothing_and_shares_the_value() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let (first, second) = cache
        .scope(async { (row(&rows, 1).await, row(&rows, 1).await) })
        .await;
    assert!(Arc::ptr_eq(&first, &second), "the value isn't copied");
    assert_eq!(rows.runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn another_process_learns_of_an_invalidation() {
    let server = RedisServer::start();
    let (a, b, rows) = (cache(&server), cache(&server), Rows::default());
    for round in 1..50 {
        until_near(&server, &b, &rows, 1).await;
        a.scope(update(&rows, 1, round)).await;
        let start = std::time::Instant::now();
        until("it turns fresh", || async {
            *b.scope(row(&rows, 1)).await == round
        })
        .await;
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn the_process_that_invalidates_never_reads_the_old_value() {
    let server = RedisServer::start();
    let (a, rows) = (cache(&server), Rows::default());
    for round in 1..200 {
        a.scope(async {
            row(&rows, 1).await;
            row(&rows, 1).await;
            update(&rows, 1, round).await;
            assert_eq!(*row(&rows, 1).await, round);
        })
        .await;
    }
}
