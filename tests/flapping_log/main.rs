//! Log lines of a server that fails repeatedly. The cache's own thread writes them, so the
//! subscriber has to be that of the process, and this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use cache_runtime::{Cache, Clock, cacheable};
use redis::Commands as _;
use tests::{
    Fault, PATIENCE, Proxy, RedisCluster, RedisServer, keep_operator_log, operator_log, until_well,
};
use tracing::Level;

fn warnings() -> Vec<String> {
    let logged = std::mem::take(&mut *operator_log()).into_iter();
    let warnings = logged.filter(|(level, _)| *level <= Level::WARN);
    warnings.map(|(_, line)| line).collect()
}

#[cacheable(key = "rows:<<id>>")]
async fn row(id: u32) -> u32 {
    id
}

/// Call with new keys for a while. Each call returns its value.
async fn use_it(cache: &Cache, time: Duration) {
    let started = Instant::now();
    for id in 0.. {
        assert_eq!(cache.scope(row(id)).await, id);
        if started.elapsed() > time {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// A node of a cluster owns some of the keys, so a check with a single key may succeed.
async fn a_node_of_a_cluster_is_refused_once_and_the_fix_is_named() {
    let cluster = RedisCluster::start();
    for node in cluster.masters() {
        let cache = Cache::builder()
            .prefix("app")
            .redis(node.url())
            .response_timeout(PATIENCE)
            .build()
            .unwrap();
        use_it(&cache, Duration::from_millis(700)).await;
        let error = cache.health_check().await.unwrap_err().to_string();
        assert!(error.contains("`redis_cluster`"), "{error}");
        let warnings = warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("`redis_cluster`"), "{warnings:?}");
    }
}

/// The server is full, or almost: small writes succeed after deletions, larger ones fail.
async fn a_server_at_the_limit_of_its_memory_is_logged_twice_at_most() {
    let server = RedisServer::start();
    let clock = Clock::manual();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .clock(clock.clone())
        .build()
        .unwrap();
    use_it(&cache, Duration::from_millis(50)).await;
    let mut admin = server.connect();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(2) {
        for bytes in ["1", "0"] {
            redis::cmd("CONFIG")
                .arg("SET")
                .arg("maxmemory")
                .arg(bytes)
                .exec(&mut admin)
                .unwrap();
            use_it(&cache, Duration::from_millis(70)).await;
        }
    }
    let warnings = warnings();
    assert!((1..=2).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings[0].contains("maxmemory"), "{warnings:?}");
    // After a minute without failures, the next one is a new outage.
    until_well(&cache).await;
    clock.advance(Duration::from_secs(61));
    server.connect().set::<_, _, ()>("other", 1).unwrap();
    redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory")
        .arg("1")
        .exec(&mut admin)
        .unwrap();
    use_it(&cache, Duration::from_millis(50)).await;
    let warnings = self::warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

/// A master and a replica share the address, and a connection may lead to either.
async fn an_address_of_a_master_and_a_replica_is_bounded() {
    let (master, replica) = (RedisServer::start(), RedisServer::start());
    redis::cmd("REPLICAOF")
        .arg("127.0.0.1")
        .arg(master.port())
        .exec(&mut replica.connect())
        .unwrap();
    let proxy = Proxy::before(master.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .response_timeout(PATIENCE)
        .clock(Clock::manual())
        .build()
        .unwrap();
    for server in [&master, &replica, &master, &replica, &master, &replica] {
        proxy.lead_to(server.port());
        proxy.close();
        use_it(&cache, Duration::from_millis(200)).await;
    }
    let warnings = warnings();
    assert!((1..=2).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings[0].contains("read only"), "{warnings:?}");
}

/// Connections succeed, and break soon afterwards.
async fn a_connection_that_breaks_at_each_reply_is_bounded() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .clock(Clock::manual())
        .build()
        .unwrap();
    for _ in 0..6 {
        until_well(&cache).await;
        proxy.set(Fault::Refuse);
        use_it(&cache, Duration::from_millis(20)).await;
        proxy.set(Fault::None);
    }
    let warnings = warnings();
    assert!((1..=4).contains(&warnings.len()), "{warnings:?}");
}

#[tokio::test]
async fn a_recurring_outage_is_logged_once_or_twice() {
    keep_operator_log();
    a_node_of_a_cluster_is_refused_once_and_the_fix_is_named().await;
    a_server_at_the_limit_of_its_memory_is_logged_twice_at_most().await;
    an_address_of_a_master_and_a_replica_is_bounded().await;
    a_connection_that_breaks_at_each_reply_is_bounded().await;
}
