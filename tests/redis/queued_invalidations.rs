//! Invalidations that could not be sent at once: values computed before them are not served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Fault, PATIENCE, Proxy, RedisServer, until, until_blocking, until_well};
use tokio::sync::Notify;

/// A row, and a reader that may stop between its read and its return.
#[derive(Clone, Default)]
struct Table {
    row: Arc<AtomicU32>,
    entered: Arc<Notify>,
    open: Arc<Notify>,
    /// Whether the next reader waits.
    slow: Arc<AtomicU32>,
}

#[cacheable(key = "rows:<<id>>", skip(table))]
async fn read(table: &Table, id: u32) -> u32 {
    let row = table.row.load(Ordering::SeqCst);
    if table.slow.swap(0, Ordering::SeqCst) > 0 {
        table.entered.notify_one();
        table.open.notified().await;
    }
    row
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(table: &Table, id: u32) -> u32 {
    let _ = id;
    table.row.fetch_add(1, Ordering::SeqCst) + 1
}

/// The reader reads before the update. The invalidation is queued and sent when the server is back.
/// The reader returns after that.
#[tokio::test]
async fn a_value_computed_before_a_queued_invalidation_is_not_stored_and_not_joined() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .build()
        .unwrap();
    for fault in [Fault::Refuse, Fault::Silent] {
        let table = Table::default();
        table.slow.store(1, Ordering::SeqCst);
        cache.delete("rows:1").await.unwrap();
        let stale = tokio::spawn(cache.scope({
            let table = table.clone();
            async move { read(&table, 1).await }
        }));
        table.entered.notified().await;
        proxy.set(fault);
        assert_eq!(cache.scope(update(&table, 1)).await, 1);
        assert_eq!(cache.scope(read(&table, 1)).await, 1, "{fault:?}: during");
        proxy.set(Fault::None);
        until_well(&cache).await;
        assert_eq!(cache.scope(read(&table, 1)).await, 1, "{fault:?}: after");
        table.open.notify_one();
        assert_eq!(
            stale.await.unwrap(),
            0,
            "a call that began before the update"
        );
        assert_eq!(cache.scope(read(&table, 1)).await, 1, "{fault:?}: filled");
        assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), Some(1));
    }
}

#[tokio::test]
async fn an_invalidation_during_a_delayed_set_removes_the_value() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let build = |url: String| {
        Cache::builder()
            .prefix("app")
            .redis(url)
            .response_timeout(PATIENCE)
            .build()
            .unwrap()
    };
    let (cache, other) = (build(proxy.url()), build(server.url()));
    cache.set("warm:1", &1, 60).await.unwrap();
    proxy.set(Fault::Delay(Duration::from_millis(150)));
    for many in [false, true] {
        let set = async {
            if many {
                cache.set_many([("a:1", 1), ("a:2", 2)], 60).await.unwrap();
            } else {
                cache.set("a:1", &1, 60).await.unwrap();
            }
        };
        let invalidation = async {
            let mut redis = server.connect();
            until("the value is stored", || {
                let stored = redis.exists("app:a:1").unwrap();
                async move { stored }
            })
            .await;
            other.delete_pattern("a:*").await.unwrap();
        };
        tokio::join!(set, invalidation);
        assert_eq!(other.get::<u32>("a:1").await.unwrap(), None);
    }
}

/// A server that refuses writes is an outage: otherwise reads would return values whose
/// invalidation it refused.
async fn no_read_is_stale_while_writes_are_refused(
    break_it: impl FnOnce(&RedisServer),
    repair: impl FnOnce(&RedisServer),
) {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .build()
        .unwrap();
    let table = Table::default();
    assert_eq!(cache.scope(read(&table, 1)).await, 0);
    break_it(&server);
    assert_eq!(cache.scope(update(&table, 1)).await, 1);
    assert_eq!(cache.scope(read(&table, 1)).await, 1);
    assert!(cache.health_check().await.is_err());
    repair(&server);
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read(&table, 1)).await, 1);
        matches!(cache.get::<u32>("rows:1").await, Ok(Some(1)))
    })
    .await;
}

fn run(server: &RedisServer, command: &[&str]) {
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    request.query::<()>(&mut server.connect()).unwrap();
}

#[tokio::test]
async fn no_read_is_stale_after_a_write_refused_for_lack_of_replicas() {
    let replicas = |count: &'static str| {
        move |server: &RedisServer| {
            run(server, &["CONFIG", "SET", "min-replicas-to-write", count]);
        }
    };
    no_read_is_stale_while_writes_are_refused(replicas("1"), replicas("0")).await;
}

#[tokio::test]
async fn no_read_is_stale_after_a_write_refused_by_a_replica() {
    no_read_is_stale_while_writes_are_refused(
        |server| run(server, &["REPLICAOF", "127.0.0.1", "1"]),
        |server| run(server, &["REPLICAOF", "NO", "ONE"]),
    )
    .await;
}

#[tokio::test]
async fn no_read_is_stale_after_a_write_refused_by_a_server_busy_with_a_script() {
    no_read_is_stale_while_writes_are_refused(
        |server| {
            run(server, &["CONFIG", "SET", "lua-time-limit", "10"]);
            let mut neighbour = server.connect();
            std::thread::spawn(move || {
                let mut endless = redis::cmd("EVAL");
                endless.arg("while true do end").arg(0);
                endless.query::<()>(&mut neighbour).unwrap_err();
            });
            let mut redis = server.connect();
            until_blocking("the server is busy", || {
                redis::cmd("PING").query::<String>(&mut redis).is_err()
            });
        },
        |server| run(server, &["SCRIPT", "KILL"]),
    )
    .await;
}

#[tokio::test]
async fn calls_during_an_outage_do_not_wait_for_a_timeout() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder().redis(proxy.url()).build().unwrap();
    let table = Table::default();
    proxy.set(Fault::Silent);
    cache.scope(read(&table, 1)).await;
    let started = Instant::now();
    for id in 0..10_000 {
        cache.scope(read(&table, id)).await;
    }
    // One response timeout for each call would be forty minutes. The bound is generous, for a debug
    // build on a busy machine; the benchmark measures the cost of a call.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(cache.stats().errors, 10_001);
}
