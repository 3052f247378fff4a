//! `Cache::watch` on Redis: changes of other processes, leases, expiries, and connections that end.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, Change, ChangeKind, Watch, cacheable};
use redis::Commands;
use tests::{Gate, PATIENCE, Proxy, RedisServer, documented_users, run_words, soon, until};

const DOCS: &str = include_str!("../../docs/operations/redis.md");

fn builder(url: &str) -> CacheBuilder {
    let builder = Cache::builder().prefix("quickpost").redis(url);
    builder.response_timeout(PATIENCE).publish_stats(false)
}

async fn next(watch: &mut Watch) -> Change {
    soon(watch.next()).await.expect("the cache exists")
}

async fn next_kind(watch: &mut Watch) -> ChangeKind {
    next(watch).await.kind
}

/// Wait for a change of this kind, past those of other kinds.
async fn until_kind(watch: &mut Watch, kind: ChangeKind) -> Change {
    loop {
        let change = next(watch).await;
        if change.kind == kind {
            return change;
        }
    }
}

#[cacheable(key = "slow:<<id>>", ttl = 600, skip(gate))]
async fn slow(id: u32, gate: &Gate) -> Result<u32, String> {
    gate.pass().await;
    if id == 0 {
        Err("no".to_owned())
    } else {
        Ok(id)
    }
}

#[tokio::test]
async fn computations_of_another_process_are_told_from_their_lease_to_their_end() {
    let server = RedisServer::start();
    let (ours, theirs) = (
        builder(&server.url()).build().unwrap(),
        builder(&server.url()).build().unwrap(),
    );
    let mut watch = ours.watch("slow:*").await.unwrap();
    for (id, end) in [(1, ChangeKind::Filled), (0, ChangeKind::Abandoned)] {
        let gate = Gate::new();
        let running = tokio::spawn({
            let (cache, gate) = (theirs.clone(), gate.clone());
            async move { cache.scope(slow(id, &gate)).await }
        });
        let computing = next(&mut watch).await;
        assert_eq!(computing.kind, ChangeKind::Computing);
        assert_eq!(computing.key, Some(format!("quickpost:slow:{id}")));
        gate.open();
        let _ = running.await.unwrap();
        assert_eq!(next_kind(&mut watch).await, end);
    }
}

#[tokio::test]
async fn an_expiry_is_no_removal() {
    let server = RedisServer::start();
    let cache = builder(&server.url()).build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    let brief = Duration::from_millis(100);
    cache.set("brief", &1, brief).await.unwrap();
    let filled = until_kind(&mut watch, ChangeKind::Filled).await;
    assert!(filled.ttl.is_some_and(|ttl| ttl <= brief), "{filled:?}");
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Expired);
    cache.set("brief", &1, 60).await.unwrap();
    until_kind(&mut watch, ChangeKind::Filled).await;
    cache.delete("brief").await.unwrap();
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Removed);
}

#[tokio::test]
async fn what_is_no_entry_and_a_flush_are_told() {
    let server = RedisServer::start();
    let cache = builder(&server.url()).build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    let mut redis = server.connect();
    redis.set::<_, _, ()>("other:a", 1).unwrap();
    redis.set::<_, _, ()>("quickpost:a", "text").unwrap();
    let foreign = next(&mut watch).await;
    let shown = (foreign.kind, foreign.key.as_deref(), foreign.bytes);
    assert_eq!(shown, (ChangeKind::Unknown, Some("quickpost:a"), Some(4)));
    redis.lpush::<_, _, ()>("quickpost:list", 1).unwrap();
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Unknown);
    redis::cmd("FLUSHALL").exec(&mut redis).unwrap();
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Flushed);
}

#[tokio::test]
async fn a_connection_that_ends_is_told_and_opened_again() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder(&proxy.url()).build().unwrap();
    let other = builder(&server.url()).build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    other.set("a", &1, 60).await.unwrap();
    until_kind(&mut watch, ChangeKind::Filled).await;
    proxy.close();
    let interrupted = next(&mut watch).await;
    assert_eq!(interrupted.kind, ChangeKind::Interrupted);
    assert!(interrupted.cause.is_some());
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Resumed);
    other.delete("a").await.unwrap();
    assert_eq!(next_kind(&mut watch).await, ChangeKind::Removed);
}

/// The number of connections that report changes.
fn tracking(server: &RedisServer) -> usize {
    let clients: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut server.connect())
        .unwrap();
    let flags = clients
        .split(' ')
        .filter_map(|word| word.strip_prefix("flags="));
    flags.filter(|flags| flags.contains('B')).count()
}

#[tokio::test]
async fn a_dropped_watch_ends_its_connection() {
    let server = RedisServer::start();
    let cache = builder(&server.url()).build().unwrap();
    let watch = cache.watch("*").await.unwrap();
    assert_eq!(tracking(&server), 1);
    drop(watch);
    until("the connection ends", || async { tracking(&server) == 0 }).await;
    let mut watch = cache.watch("*").await.unwrap();
    drop(cache);
    assert_eq!(soon(watch.next()).await, None);
    until("the connection ends", || async { tracking(&server) == 0 }).await;
}

#[tokio::test]
async fn a_user_needs_one_right_more_than_calls() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    run_words(
        &documented_users(DOCS, "quickpost").swap_remove(0),
        &mut redis,
    );
    let url = format!("redis://quickpost:secret@127.0.0.1:{}", server.port());
    let cache = builder(&url).build().unwrap();
    let refused = cache.watch("*").await.unwrap_err().to_string();
    assert!(refused.contains("+client|tracking"), "{refused}");
    let words = ["ACL", "SETUSER", "quickpost", "+client|tracking"];
    run_words(&words.map(str::to_owned), &mut redis);
    let mut watch = cache.watch("*").await.unwrap();
    cache.set("a", &1, 60).await.unwrap();
    let filled = until_kind(&mut watch, ChangeKind::Filled).await;
    assert_eq!(filled.bytes, None, "it may not run STRLEN");
}

#[tokio::test]
async fn a_server_out_of_reach_is_an_error() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = builder(&server.url()).build().unwrap();
    assert!(cache.watch("*").await.is_err());
}
