//! Connections that end while nothing is sent over them. That is no outage: the next call connects
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheBuilder, Clock, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, Proxy, RedisCluster, RedisServer, Sentinels, until, until_blocking};

/// A row of a database, with its version and the number of its reads.
#[derive(Clone, Default)]
struct Row(Arc<(AtomicU32, AtomicU32)>);

impl Row {
    fn reads(&self) -> u32 {
        self.0.1.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(row))]
async fn read(row: &Row, id: u32) -> u32 {
    row.0.1.fetch_add(1, Ordering::SeqCst);
    row.0.0.load(Ordering::SeqCst)
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(row))]
fn read_blocking(row: &Row, id: u32) -> u32 {
    row.0.1.fetch_add(1, Ordering::SeqCst);
    row.0.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.0.fetch_add(1, Ordering::SeqCst) + 1
}

fn builder() -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
        // Idle connections are what is tested.
        .publish_stats(false)
}

/// Close every client connection, as the option `timeout` does.
fn close_all(server: &RedisServer) {
    let _: u32 = redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("normal")
        .arg("SKIPME")
        .arg("yes")
        .query(&mut server.connect())
        .unwrap();
}

fn commands_processed(server: &RedisServer) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("stats")
        .query(&mut server.connect())
        .unwrap();
    let count = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_commands_processed:"));
    count.unwrap().trim().parse().unwrap()
}

/// Wait until background work has ended: a registration starts some. A close that it meets while it
/// replaces the connection of the close before would be its second failure in a row, an outage.
/// It has ended once the servers repeatedly ran no command but the one that asks them.
fn until_quiet(servers: &[RedisServer]) {
    let (mut before, mut quiet) = (u64::MAX, 0);
    until_blocking("the background work has ended", || {
        let now = servers.iter().map(commands_processed).sum();
        let is_quiet = now == before.saturating_add(servers.len() as u64);
        quiet = if is_quiet { quiet + 1 } else { 0 };
        before = now;
        quiet == 3
    });
}

/// Perform every kind of operation, each as the first one after `close`. None of them fails.
async fn all_operations_succeed_after(cache: &Cache, close: impl Fn()) {
    let row = Row::default();
    // The scan that completes a new index has ended.
    cache.delete_pattern("rows:*").await.unwrap();
    for id in 0..10 {
        close();
        assert_eq!(cache.scope(read(&row, id)).await, id);
        close();
        assert_eq!(cache.scope(read(&row, id)).await, id);
        close();
        assert_eq!(cache.scope_sync(|| read_blocking(&row, id)), id);
        close();
        assert_eq!(
            cache.get::<u32>(&format!("rows:{id}")).await.unwrap(),
            Some(id)
        );
        assert_eq!(row.reads(), id + 1, "the row is cached");
        close();
        cache.set("other", &id, 60).await.unwrap();
        close();
        assert_eq!(cache.get_many::<u32>(["other"]).await.unwrap(), [Some(id)]);
        close();
        assert!(cache.ttl("other").await.unwrap().is_some());
        close();
        assert_eq!(cache.delete_pattern("oth*").await.unwrap(), 1);
        close();
        assert_eq!(cache.scope(update(&row, 1_000)).await, id + 1);
    }
    assert_eq!(cache.stats().errors, 0);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let server = RedisServer::start();
    let cache = builder().redis(server.url()).build().unwrap();
    all_operations_succeed_after(&cache, || {
        until_quiet(std::slice::from_ref(&server));
        close_all(&server);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_a_proxy_closed_while_idle_is_replaced() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder().redis(proxy.url()).build().unwrap();
    all_operations_succeed_after(&cache, || {
        until_quiet(std::slice::from_ref(&server));
        proxy.close();
    })
    .await;
}

#[tokio::test]
async fn the_connection_to_a_master_that_sentinels_name_is_replaced() {
    let server = RedisServer::start();
    let sentinels = Sentinels::one(server.port(), "");
    let cache = builder()
        .redis_sentinel(sentinels.urls(), Sentinels::MASTER)
        .build()
        .unwrap();
    all_operations_succeed_after(&cache, || {
        until_quiet(std::slice::from_ref(&server));
        close_all(&server);
    })
    .await;
}

#[tokio::test]
async fn the_connections_to_the_masters_of_a_cluster_are_replaced() {
    let cluster = RedisCluster::start();
    let cache = builder().redis_cluster(cluster.urls()).build().unwrap();
    let masters = cluster.masters();
    all_operations_succeed_after(&cache, || {
        until_quiet(masters);
        masters.iter().for_each(close_all);
    })
    .await;
}

#[tokio::test]
async fn idle_connections_of_a_near_cache_are_replaced() {
    let server = RedisServer::start();
    let cache = builder()
        .redis(server.url())
        .near_cache(1 << 20)
        .build()
        .unwrap();
    all_operations_succeed_after(&cache, || {
        until_quiet(std::slice::from_ref(&server));
        close_all(&server);
    })
    .await;
}

/// The server runs with `--timeout 1`, and the test waits until it has closed the connections.
#[tokio::test]
async fn the_idle_timeout_of_the_server_is_not_an_outage() {
    let server = RedisServer::start_with(&["--timeout", "1"]);
    let cache = builder().redis(server.url()).build().unwrap();
    let row = Row::default();
    for _ in 0..2 {
        for _ in 0..20 {
            assert_eq!(cache.scope(read(&row, 1)).await, 0);
        }
        until("all connections are closed", || async {
            let clients: String = redis::cmd("CLIENT")
                .arg("LIST")
                .query(&mut server.connect())
                .unwrap();
            clients.lines().count() == 1
        })
        .await;
    }
    assert_eq!(cache.scope(read(&row, 1)).await, 0);
    assert_eq!((row.reads(), cache.stats().errors), (1, 0));
}

/// Concurrent callers share one new connection, and one of them computes the missing entry.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_find_the_connection_closed_run_one_body() {
    let server = RedisServer::start();
    let cache = builder().redis(server.url()).build().unwrap();
    let row = Row::default();
    for id in 0..30 {
        cache.scope(read(&row, 1_000 + id)).await;
        let before = row.reads();
        close_all(&server);
        let calls = (0..20).map(|_| {
            let (cache, row) = (cache.clone(), row.clone());
            tokio::spawn(async move { cache.scope(read(&row, id)).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 0);
        }
        assert_eq!(row.reads() - before, 1, "round {id}");
    }
    assert_eq!(cache.stats().errors, 0);
}

/// Connections are closed at any moment during calls. A command that the server may have run is
/// sent again too, and a caller that took a lease recognises it as its own.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_waits_for_a_lease_to_expire_while_connections_are_closed_under_load() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder().redis(proxy.url()).build().unwrap();
    let row = Row::default();
    let started = Instant::now();
    let calls = (0..8).map(|task| {
        let (cache, row) = (cache.clone(), row.clone());
        tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            for round in 0..150 {
                let began = Instant::now();
                assert_eq!(cache.scope(read(&row, task * 1_000 + round)).await, 0);
                longest = longest.max(began.elapsed());
            }
            longest
        })
    });
    let calls: Vec<_> = calls.collect();
    while calls.iter().any(|call| !call.is_finished()) {
        proxy.close();
        // Real time between two closes, in which some calls succeed.
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    for call in calls {
        let longest = call.await.unwrap();
        assert!(
            longest < Duration::from_secs(4),
            "a lease lasts five seconds, and a call took {longest:?}"
        );
    }
}

/// A load balancer drops a connection without telling either side, and later packets are lost.
/// After half a minute without traffic, the connection is checked before it is used.
#[tokio::test]
async fn a_connection_dropped_silently_by_a_firewall_costs_part_of_a_timeout_and_is_not_an_outage()
{
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let clock = Clock::manual();
    let cache = builder()
        .redis(proxy.url())
        .clock(clock.clone())
        .response_timeout(Duration::from_secs(4))
        .build()
        .unwrap();
    let row = Row::default();
    // The scan that completes a new index has ended.
    cache.delete_pattern("rows:*").await.unwrap();
    for id in 0..3 {
        cache.scope(read(&row, id)).await;
        proxy.vanish();
        clock.advance(Duration::from_secs(31));
        let began = Instant::now();
        assert_eq!(cache.scope(read(&row, id)).await, 0);
        assert_eq!(cache.scope_sync(|| read_blocking(&row, id)), 0);
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
    }
    assert_eq!((row.reads(), cache.stats().errors), (3, 0));
}

/// The same with many concurrent callers: one of them checks the connection.
#[tokio::test(flavor = "multi_thread")]
async fn many_callers_on_a_silently_dropped_connection_all_hit() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let clock = Clock::manual();
    let cache = builder()
        .redis(proxy.url())
        .clock(clock.clone())
        .response_timeout(Duration::from_secs(4))
        .build()
        .unwrap();
    let row = Row::default();
    cache.delete_pattern("rows:*").await.unwrap();
    cache.scope(read(&row, 1)).await;
    proxy.vanish();
    clock.advance(Duration::from_secs(31));
    let calls = (0..50).map(|_| {
        let (cache, row) = (cache.clone(), row.clone());
        tokio::spawn(async move { cache.scope(read(&row, 1)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 0);
    }
    assert_eq!((row.reads(), cache.stats().errors), (1, 0));
}

/// Start a server with the current data of another one.
async fn copy_of(server: &RedisServer, key: &str) -> RedisServer {
    let copy = RedisServer::start();
    let mut admin = copy.connect();
    let mut follow = |host: &str, port: &str| {
        let mut follow = redis::cmd("REPLICAOF");
        follow.arg(host).arg(port).exec(&mut admin).unwrap();
    };
    follow("127.0.0.1", &server.port().to_string());
    until("the replica has the key", || async {
        copy.connect().exists(key).unwrap()
    })
    .await;
    follow("NO", "ONE");
    copy
}

/// The new connection leads to a server that lacks an invalidation, which is replayed before
/// anything is read there. The call that found the connection closed waits for that instead of
/// running uncached.
#[tokio::test]
async fn another_server_at_the_same_address_receives_replayed_invalidations_before_reads() {
    let mut server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder().redis(proxy.url()).build().unwrap();
    let row = Row::default();
    for round in 0..4 {
        assert_eq!(cache.scope(read(&row, 1)).await, round);
        let other = copy_of(&server, "app:rows:1").await;
        assert_eq!(cache.scope(update(&row, 1)).await, round + 1);
        proxy.lead_to(other.port());
        proxy.close();
        assert!(other.connect().exists::<_, bool>("app:rows:1").unwrap());
        assert_eq!(cache.scope(read(&row, 1)).await, round + 1);
        assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), Some(round + 1));
        server = other;
    }
    assert_eq!(cache.stats().errors, 0);
}

/// Many concurrent readers, while the server restarts with its data from before the update.
#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_after_a_restart_from_an_old_snapshot() {
    let mut server = RedisServer::start();
    let cache = builder().redis(server.url()).build().unwrap();
    let row = Row::default();
    for round in 0..5 {
        for _ in 0..40 {
            assert_eq!(cache.scope(read(&row, 1)).await, round);
        }
        redis::cmd("SAVE").exec(&mut server.connect()).unwrap();
        assert_eq!(cache.scope(update(&row, 1)).await, round + 1);
        server.kill();
        server.restart();
        let calls = (0..20).map(|_| {
            let (cache, row) = (cache.clone(), row.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    assert_eq!(cache.scope(read(&row, 1)).await, round + 1);
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
    }
}
