//! Connections on the callers' own runtimes, for plain reads.

mod faults;
mod runtimes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use tests::{PATIENCE, RedisServer, until};

/// A row of a database: its version.
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

/// Return the last command of each connection except the one that asks.
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

/// Read until the reads of this runtime go over a connection of its own. Writes go over the main
/// connection, so its last command is then a script, and that of the other connection a `GET`.
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

/// Read until the row is cached again. No read returns an old row.
async fn only_the_new_row_returns(cache: &Cache, row: &Row) {
    let version = row.version();
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read(row, 1)).await, version);
        matches!(cache.get::<u32>("rows:1").await, Ok(Some(found)) if found == version)
    })
    .await;
}
