//! The near cache: memory in front of Redis that Redis keeps coherent. A plain connection that deletes a key stands for another
//! process; another cache of this one would void its entry by itself.

mod entries;
mod faults;
mod kinds;
mod own;
mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, RedisServer};

use crate::common::until;

/// A table of one column, which counts how often it is asked.
#[derive(Clone, Default)]
struct Rows(Arc<(AtomicU32, AtomicU32)>);

impl Rows {
    fn write(&self, value: u32) {
        self.0.0.store(value, Ordering::SeqCst);
    }

    fn runs(&self) -> u32 {
        self.0.1.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(rows))]
async fn row(rows: &Rows, id: u32) -> Arc<u32> {
    rows.0.1.fetch_add(1, Ordering::SeqCst);
    Arc::new(rows.0.0.load(Ordering::SeqCst))
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(rows: &Rows, id: u32, value: u32) {
    rows.write(value);
}

fn builder(url: String) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .response_timeout(PATIENCE)
        .near_cache(1 << 20)
}

fn cache(server: &RedisServer) -> Cache {
    builder(server.url()).build().unwrap()
}

/// What an invalidation by another process does to the entry.
fn deleted_elsewhere(server: &RedisServer, key: &str) {
    let _: () = server.connect().del(format!("app:{key}")).unwrap();
}

/// How many commands have read or filled entries.
fn asked(server: &RedisServer) -> u64 {
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut server.connect())
        .unwrap();
    let calls = |line: &str| -> Option<u64> {
        let counted = ["cmdstat_get:", "cmdstat_evalsha:"];
        counted.iter().find(|name| line.starts_with(**name))?;
        let calls = line.split("calls=").nth(1)?;
        calls.split(',').next()?.parse().ok()
    };
    info.lines().filter_map(calls).sum()
}

/// Reads until a read asks nothing of the server.
async fn until_near(server: &RedisServer, cache: &Cache, rows: &Rows, id: u32) {
    until("a hit is near", || async {
        let before = asked(server);
        cache.scope(row(rows, id)).await;
        asked(server) == before
    })
    .await;
}

/// Reads until the value has turned fresh, which it stays.
async fn until_fresh(cache: &Cache, rows: &Rows, id: u32, value: u32) {
    until("it turns fresh", || async {
        *cache.scope(row(rows, id)).await == value
    })
    .await;
    for _ in 0..20 {
        assert_eq!(*cache.scope(row(rows, id)).await, value);
    }
}
