//! Connections that end while nothing is sent over them. That is no outage: the next call connects again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheBuilder, Clock, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, Proxy, RedisCluster, RedisServer, Sentinels};

use crate::common::until;

/// A row of a database, which counts its versions and how often it is read.
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
}

/// Closes every connection of clients, as `timeout` does.
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

/// Every kind of operation, each as the first one after `close`; none notices.
async fn nothing_notices(cache: &Cache, close: impl Fn()) {
    let row = Row::default();
    // The walk that makes a new index whole is over.
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
        assert_eq!(row.reads(), id + 1, "it is cached");
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
    nothing_notices(&cache, || close_all(&server)).await;
}

#[tokio::test]
async fn a_connection_that_a_proxy_closed_while_idle_is_replaced() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder().redis(proxy.url()).build().unwrap();
    nothing_notices(&cache, || proxy.close()).await;
}

#[tokio::test]
async fn the_connection_to_a_master_that_sentinels_name_is_replaced() {
    let server = RedisServer::start();
    let sentinels = Sentinels::one(server.port(), "");
    let cache = builder()
        .redis_sentinel(sentinels.urls(), Sentinels::MASTER)
        .build()
        .unwrap();
    nothing_notices(&cache, || close_all(&server)).await;
}

#[tokio::test]
async fn the_connections_to_the_masters_of_a_cluster_are_replaced() {
    let cluster = RedisCluster::start();
    let cache = builder().redis_cluster(cluster.urls()).build().unwrap();
    let masters = cluster.masters();
    nothing_notices(&cache, || {
        // What a registration leaves to do in the background is done: it would meet the end of each master's connection in turn.
        let mut before = u64::MAX;
        loop {
            let now = masters.iter().map(commands_processed).sum();
            // The question is one at each master.
            if now == before.saturating_add(masters.len() as u64) {
                break;
            }
            before = now;
            // The work is over if the servers ran no command in this pause.
            std::thread::sleep(Duration::from_millis(2));
        }
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
    nothing_notices(&cache, || close_all(&server)).await;
}

/// As `redis-server --timeout 1` does it, with the pause that it takes.
#[tokio::test]
async fn a_servers_own_idle_timeout_is_not_an_outage() {
    let server = RedisServer::start_with(&["--timeout", "1"]);
    let cache = builder().redis(server.url()).build().unwrap();
    let row = Row::default();
    for _ in 0..2 {
        for _ in 0..20 {
            assert_eq!(cache.scope(read(&row, 1)).await, 0);
        }
        until("all are closed", || async {
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

/// Callers that come at once share one new connection, and one of them computes what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn single_flight_survives_a_closed_connection() {
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

/// Connections are closed at any moment while calls are under way: one that may have been obeyed is sent again too, and
/// whoever took a lease finds it to be its own.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_closed_under_load_make_no_call_wait_for_a_lease() {
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
        // Real time between two cuts, in which some calls come through.
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    for call in calls {
        let longest = call.await.unwrap();
        assert!(
            longest < Duration::from_secs(4),
            "a lease lasts five: {longest:?}"
        );
    }
}

/// A load balancer forgets a flow without telling either side: what is sent then is lost. After half a minute without a word
/// the connection is asked before it is used.
#[tokio::test]
async fn a_connection_that_a_firewall_forgot_costs_part_of_a_timeout_and_is_not_an_outage() {
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
    // The walk that makes a new index whole is over.
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

/// The same where many callers come at once: one of them asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_connection_is_tried_by_one_of_many_callers() {
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

/// A server that has what another one has just now.
async fn copy_of(server: &RedisServer, key: &str) -> RedisServer {
    let copy = RedisServer::start();
    let mut admin = copy.connect();
    let mut follow = |host: &str, port: &str| {
        let mut follow = redis::cmd("REPLICAOF");
        follow.arg(host).arg(port).exec(&mut admin).unwrap();
    };
    follow("127.0.0.1", &server.port().to_string());
    until("it has caught up", || async {
        copy.connect().exists(key).unwrap()
    })
    .await;
    follow("NO", "ONE");
    copy
}

/// The new connection leads to a server that lacks an invalidation: it is told before anything is read there, and the call
/// that found the connection closed waits for that, and isn't run uncached.
#[tokio::test]
async fn another_server_at_the_same_address_gets_the_replayed_invalidations_before_reads() {
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

/// Readers of all kinds at once, while the server comes back with what it had before the update.
#[tokio::test(flavor = "multi_thread")]
async fn no_read_of_another_server_overtakes_the_replayed_invalidation() {
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
