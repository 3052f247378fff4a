//! Owners on a real Redis: lost accounts, faults, rights, the near cache and several processes. A
//! program of its own, since a program that names owners needs more rights.
#![allow(missing_docs, clippy::unwrap_used)]

mod accounts;
mod acl;
mod calls;
mod cluster;
mod faults;
mod lost;

use cache_runtime::{Cache, CacheBuilder, cacheable};
use tests::{Gate, PATIENCE, RedisServer, Runs};

/// The owner is a part of the path.
#[cacheable(key = "file:<<user>>:<<id>>", ttl = 600, owner = user, skip(runs))]
async fn file(user: u32, id: u32, runs: &Runs) -> String {
    runs.next();
    format!("{user}:{id}:{}", "x".repeat(1_000))
}

/// The owner isn't a part of the path.
#[cacheable(key = "thumbnail:<<id>>", ttl = 600, owner = user, skip(gate))]
async fn thumbnail(user: u32, id: u32, gate: &Gate) -> u32 {
    let _ = (user, id);
    gate.pass().await
}

#[cacheable(key = "brief:<<user>>:<<id>>", ttl = "50ms", owner = user)]
async fn brief(user: u32, id: u32) -> u32 {
    user + id
}

fn builder(url: String) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .response_timeout(PATIENCE)
}

fn cache_on(server: &RedisServer) -> Cache {
    builder(server.url()).build().unwrap()
}

/// Store an owner's files.
async fn fill(cache: &Cache, user: u32, ids: std::ops::Range<u32>) {
    let runs = Runs::default();
    let calls = async {
        for id in ids {
            file(user, id, &runs).await;
        }
    };
    cache.scope(calls).await;
}

async fn entries(cache: &Cache, user: u32) -> u64 {
    cache.owner_stats(user).await.unwrap().entries
}

/// The keys of the server that match.
fn keys(server: &RedisServer, pattern: &str) -> Vec<String> {
    let mut keys = redis::cmd("KEYS");
    keys.arg(pattern).query(&mut server.connect()).unwrap()
}
