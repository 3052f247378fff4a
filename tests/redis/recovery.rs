//! Recovery from an outage: queued invalidations are sent, and leases delay no caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Fault, PATIENCE, Proxy, RedisServer, until, until_well};
use tokio::sync::Notify;

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

/// Read until the row is cached again. No read returns an old row.
async fn only_the_new_row_returns(cache: &Cache, row: &Row) {
    let version = row.0.load(Ordering::SeqCst);
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read_row(row, 1)).await, version);
        matches!(cache.get::<u32>("rows:1").await, Ok(Some(found)) if found == version)
    })
    .await;
}

/// The window counts back from the loss of the server, not from its return.
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
        until("the window has passed", || async {
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

/// The server keeps running, and its data is replaced by that of another server.
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
    // The other server has the data from before the update.
    let _: () = redis::cmd("REPLICAOF")
        .arg("127.0.0.1")
        .arg(server.port())
        .query(&mut elder.connect())
        .unwrap();
    until("the replica has the key", || async {
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
    until("the server has the replica's data", || async {
        server.connect().exists("app:rows:1").unwrap()
    })
    .await;
    // A replica refuses a lease, which opens the breaker.
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
async fn queued_invalidations_are_sent_after_the_last_handle_is_dropped() {
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
    until("the invalidation was sent", || async {
        !server.connect().exists::<_, bool>("app:rows:1").unwrap()
    })
    .await;
}

/// A replay may delete the entry before another process stores the old value once more. A later
/// invalidation of the same pattern must therefore be sent itself, also during the replay.
#[tokio::test]
async fn an_invalidation_during_the_replay_of_the_same_pattern_is_sent_again() {
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
    until("the server has deleted the entry", || async {
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
async fn a_lease_that_could_not_be_released_delays_no_later_caller() {
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
    assert_eq!(
        other.scope(slow(&gate)).await,
        1,
        "a caller in another process"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// The command that takes the lease arrives after its call has given up and after the recovery.
#[tokio::test]
async fn a_lease_stored_after_the_recovery_delays_no_caller_of_this_process() {
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
