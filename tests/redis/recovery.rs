//! After an outage: what was owed is sent, whatever happened meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Fault, PATIENCE, Proxy, RedisServer};
use tokio::sync::Notify;

use crate::common::{until, until_well};

#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

#[cacheable(key = "rows:<<id>>", skip(row))]
async fn read_row(row: &Row, id: u32) -> u32 {
    row.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update_row(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.fetch_add(1, Ordering::SeqCst) + 1
}

/// Reads until the row is cached again; it is never the old one.
async fn only_the_new_row_returns(cache: &Cache, row: &Row) {
    let version = row.0.load(Ordering::SeqCst);
    until("cached again", || async {
        assert_eq!(cache.scope(read_row(row, 1)).await, version);
        matches!(cache.get::<u32>("rows:1").await, Ok(Some(found)) if found == version)
    })
    .await;
}

/// The window counts back from when the server was lost, not from its return.
#[tokio::test]
async fn invalidations_of_an_outage_longer_than_the_replay_window_are_sent() {
    const WINDOW: Duration = Duration::from_millis(300);
    for noticed_at_once in [true, false] {
        let mut server = RedisServer::start();
        let cache = Cache::builder()
            .prefix("app")
            .redis(server.url())
            .replay_window(WINDOW)
            .build()
            .unwrap();
        let row = Row::default();
        assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
        let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
        assert_eq!(cache.scope(update_row(&row, 1)).await, 1);
        server.kill();
        let killed = Instant::now();
        until("the window is over", || async {
            if noticed_at_once {
                assert_eq!(cache.scope(read_row(&row, 1)).await, 1);
            }
            killed.elapsed() > 2 * WINDOW
        })
        .await;
        server.restart();
        only_the_new_row_returns(&cache, &row).await;
    }
}

#[tokio::test]
async fn invalidations_are_replayed_each_time_that_a_server_restarts_from_a_snapshot() {
    let mut server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .build()
        .unwrap();
    let row = Row::default();
    assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
    let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
    assert_eq!(cache.scope(update_row(&row, 1)).await, 1);
    for _ in 0..2 {
        server.kill();
        server.restart();
        only_the_new_row_returns(&cache, &row).await;
    }
}

/// The same process, whose data became another's meanwhile.
#[tokio::test]
async fn invalidations_are_replayed_to_a_server_that_was_a_replica() {
    let (server, elder) = (RedisServer::start(), RedisServer::start());
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .build()
        .unwrap();
    let row = Row::default();
    assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
    let mut admin = server.connect();
    // The other one has the data of before the update.
    let _: () = redis::cmd("REPLICAOF")
        .arg("127.0.0.1")
        .arg(server.port())
        .query(&mut elder.connect())
        .unwrap();
    until("it has caught up", || async {
        elder.connect().exists("app:rows:1").unwrap()
    })
    .await;
    let _: () = redis::cmd("REPLICAOF")
        .arg("NO")
        .arg("ONE")
        .query(&mut elder.connect())
        .unwrap();
    assert_eq!(cache.scope(update_row(&row, 1)).await, 1);
    let _: () = redis::cmd("REPLICAOF")
        .arg("127.0.0.1")
        .arg(elder.port())
        .query(&mut admin)
        .unwrap();
    until("it follows", || async {
        server.connect().exists("app:rows:1").unwrap()
    })
    .await;
    // A replica takes no lease, so that is noticed.
    cache.scope(read_row(&row, 2)).await;
    assert!(cache.get::<u32>("rows:1").await.is_err());
    let _: () = redis::cmd("REPLICAOF")
        .arg("NO")
        .arg("ONE")
        .query(&mut admin)
        .unwrap();
    only_the_new_row_returns(&cache, &row).await;
}

#[tokio::test]
async fn owed_invalidations_are_sent_after_the_last_handle_is_dropped() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .build()
        .unwrap();
    let row = Row::default();
    cache.scope(read_row(&row, 1)).await;
    proxy.set(Fault::Refuse);
    cache.scope(update_row(&row, 1)).await;
    drop(cache);
    proxy.set(Fault::None);
    until("it was sent", || async {
        !server.connect().exists::<_, bool>("app:rows:1").unwrap()
    })
    .await;
}

/// An invalidation that comes while the same one of before is being replayed may come after another process
/// has filled the old value once more: being replayed doesn't count for it.
#[tokio::test]
async fn an_invalidation_during_its_own_replay_is_sent_too() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
        .build()
        .unwrap();
    let other = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let row = Row::default();
    cache.scope(read_row(&row, 1)).await;
    proxy.set(Fault::Refuse);
    cache.scope(update_row(&row, 1)).await;
    proxy.set(Fault::Delay(Duration::from_millis(200)));
    until("the server has obeyed", || async {
        !server.connect().exists::<_, bool>("app:rows:1").unwrap()
    })
    .await;
    other.set("rows:1", &1_u32, 60).await.unwrap();
    cache.scope(update_row(&row, 1)).await;
    proxy.set(Fault::None);
    until_well(&cache).await;
    assert_eq!(cache.scope(read_row(&row, 1)).await, 2);
}

#[cacheable(key = "slow", skip(gate))]
async fn slow(gate: &(Notify, Notify)) -> u32 {
    gate.0.notify_one();
    gate.1.notified().await;
    1
}

#[tokio::test]
async fn a_lease_that_could_not_be_released_delays_no_caller() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let build = |url: String| {
        Cache::builder()
            .prefix("app")
            .redis(url)
            .lease_ttl(Duration::from_secs(25))
            .build()
            .unwrap()
    };
    let (cache, other) = (build(proxy.url()), build(server.url()));
    let gate = (Notify::new(), Notify::new());
    let outage = async {
        gate.0.notified().await;
        proxy.set(Fault::Refuse);
        gate.1.notify_one();
    };
    let (value, ()) = tokio::join!(cache.scope(slow(&gate)), outage);
    assert_eq!(value, 1);
    assert!(server.connect().exists::<_, bool>("app:slow").unwrap());
    proxy.set(Fault::None);
    until_well(&cache).await;
    let started = Instant::now();
    gate.1.notify_one();
    assert_eq!(other.scope(slow(&gate)).await, 1, "another process");
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// The command that took the lease arrives when nobody waits for it any more, and after all of the recovery.
#[tokio::test]
async fn a_lease_that_arrives_late_delays_no_caller_of_this_process() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .lease_ttl(Duration::from_secs(25))
        .build()
        .unwrap();
    let gate = (Notify::new(), Notify::new());
    let outage = async {
        gate.0.notified().await;
        let lease: Vec<u8> = server.connect().get("app:slow").unwrap();
        proxy.set(Fault::Refuse);
        gate.1.notify_one();
        lease
    };
    let (value, lease) = tokio::join!(cache.scope(slow(&gate)), outage);
    assert_eq!(value, 1);
    proxy.set(Fault::None);
    until_well(&cache).await;
    let _: () = server.connect().set_ex("app:slow", lease, 25).unwrap();
    let started = Instant::now();
    gate.1.notify_one();
    assert_eq!(cache.scope(slow(&gate)).await, 1);
    assert!(started.elapsed() < Duration::from_secs(10));
}
