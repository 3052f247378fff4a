//! The near cache: memory in front of Redis that Redis keeps coherent (client-side caching). A
//! plain connection that deletes a key plays the part of another process: a second cache of this
//! process would remove the near entry itself.

mod entries;
mod faults;
mod functions;
mod own_writes;
mod unsupported;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, RedisServer, until};

/// A table of one column, which counts its reads.
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

/// Return the prefix of a test's entries. A write voids its key in all near caches of its prefix in
/// this process, also in those of tests that run at the same time.
fn prefix(url: &str) -> String {
    let (_, port) = url.trim_end_matches('/').rsplit_once(':').unwrap();
    format!("app-{port}")
}

/// Return the full key of a path.
fn key(server: &RedisServer, path: &str) -> String {
    format!("{}:{path}", prefix(&server.url()))
}

fn builder(url: String) -> CacheBuilder {
    Cache::builder()
        .prefix(prefix(&url))
        .redis(url)
        .response_timeout(PATIENCE)
        .near_cache(1 << 20)
        // A busy machine must not empty the near cache while a test counts entries or commands.
        .near_max_silence(Duration::from_secs(60))
}

fn cache(server: &RedisServer) -> Cache {
    builder(server.url()).build().unwrap()
}

/// Delete the entry, as an invalidation by another process does.
fn deleted_elsewhere(server: &RedisServer, path: &str) {
    let _: () = server.connect().del(key(server, path)).unwrap();
}

/// Return the number of commands so far that read or fill entries.
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

/// Read until a read sends no command to the server.
async fn until_near(server: &RedisServer, cache: &Cache, rows: &Rows, id: u32) {
    until("a hit comes from the near cache", || async {
        let before = asked(server);
        cache.scope(row(rows, id)).await;
        asked(server) == before
    })
    .await;
}

/// Read until the value is the new one, and assert that it stays.
async fn until_fresh(cache: &Cache, rows: &Rows, id: u32, value: u32) {
    until("the new value is read", || async {
        *cache.scope(row(rows, id)).await == value
    })
    .await;
    for _ in 0..20 {
        assert_eq!(*cache.scope(row(rows, id)).await, value);
    }
}
