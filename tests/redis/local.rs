//! Connections on the callers' own runtimes, over which plain reads go.

mod faults;
mod runtimes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use tests::{PATIENCE, RedisServer};

use crate::common::until;

/// A row of a database, which counts its versions.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

impl Row {
    fn version(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(row))]
async fn read(row: &Row, id: u32) -> u32 {
    row.version()
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(row))]
fn read_blocking(row: &Row, id: u32) -> u32 {
    row.version()
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.fetch_add(1, Ordering::SeqCst) + 1
}

fn builder(url: String) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
}

/// What each connection but the asking one has sent last.
fn last_commands(server: &RedisServer) -> Vec<String> {
    let clients: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut server.connect())
        .unwrap();
    let commands = clients
        .split_whitespace()
        .filter_map(|field| field.strip_prefix("cmd="));
    let others = commands.filter(|command| !command.starts_with("client"));
    others.map(str::to_owned).collect()
}

fn connections(server: &RedisServer) -> usize {
    last_commands(server).len()
}

/// Reads until this runtime has a connection of its own, and its reads go over it: what is stored goes over the main one, and no
/// `GET` came there after it. A `GET` came last over another one.
async fn until_local(server: &RedisServer, cache: &Cache, row: &Row) {
    until("a read goes over another connection", || async {
        cache.scope(read(row, 1)).await;
        cache.set("main", &1_u32, 60).await.unwrap();
        cache.scope(read(row, 1)).await;
        let last = last_commands(server);
        ["get", "evalsha"]
            .iter()
            .all(|command| last.iter().any(|last| last == command))
    })
    .await;
}

/// Reads until the entry is there again; no read is older than the row.
async fn only_the_new_row_returns(cache: &Cache, row: &Row) {
    let version = row.version();
    until("cached again", || async {
        assert_eq!(cache.scope(read(row, 1)).await, version);
        matches!(cache.get::<u32>("rows:1").await, Ok(Some(found)) if found == version)
    })
    .await;
}
