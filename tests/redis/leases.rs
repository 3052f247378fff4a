//! Leases, between two caches on one server. They stand for two processes: only the server connects
//! them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, RedisServer, Runs, Turnstile, begin, until};
use tokio::sync::oneshot;

fn two_processes(server: &RedisServer) -> (Cache, Cache) {
    let cache = || {
        Cache::builder()
            .prefix("app")
            .redis(server.url())
            .response_timeout(PATIENCE)
            .lease_ttl(Duration::from_secs(60))
            .build()
            .unwrap()
    };
    (cache(), cache())
}

#[cacheable(key = "rows:<<id>>", skip(gate))]
async fn slow_row(gate: &Turnstile, id: u32) -> u32 {
    gate.pass().await
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update_row(id: u32) {
    let _ = id;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_waits_for_the_leader_and_returns_its_value() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let gate = Turnstile::new();
    let leader = tokio::spawn(a.scope({
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    }));
    gate.entered().await;
    let follower = begin(&b, {
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    })
    .await;
    gate.let_through(1);
    assert_eq!(leader.await.unwrap(), 1);
    assert_eq!(follower.await.unwrap(), 1);
    assert_eq!(gate.runs.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_another_process_invalidates_is_not_stored_and_not_joined() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let gate = Turnstile::new();
    let stale = tokio::spawn(a.scope({
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    }));
    gate.entered().await;

    b.scope(update_row(1)).await;
    // A new caller in the first process must not join the invalidated flight.
    let fresh = tokio::spawn(a.scope({
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    }));
    gate.entered().await;
    gate.let_through(2);
    assert_eq!(
        stale.await.unwrap(),
        1,
        "a caller from before the invalidation gets the value of its flight"
    );
    assert_eq!(fresh.await.unwrap(), 2);
    assert_eq!(
        b.get::<u32>("rows:1").await.unwrap(),
        Some(2),
        "only the later value is stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_leader_releases_its_lease_at_once() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let gate = Turnstile::new();
    let leader = tokio::spawn(a.scope({
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    }));
    gate.entered().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.let_through(1);
    let started = std::time::Instant::now();
    assert_eq!(b.scope(slow_row(&gate, 1)).await, 2);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "the call waited neither for the lease's TTL nor for the wait timeout"
    );
}

#[cacheable(key = "rows:<<id>>", skip(runs))]
fn row_at_once(runs: &Runs, id: u32) -> u32 {
    let _ = id;
    runs.next()
}

#[tokio::test]
async fn a_blocking_call_does_not_wait_for_a_leader_of_another_handle_on_its_thread() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let gate = Turnstile::new();
    let mut leader = Box::pin(a.scope(slow_row(&gate, 1)));
    while gate.runs.count() == 0 {
        assert!(futures_util::poll!(&mut leader).is_pending());
        tokio::task::yield_now().await;
    }
    // The leader needs this thread, so a blocking caller on it must not wait, whichever handle it
    // uses.
    let started = std::time::Instant::now();
    assert_eq!(b.scope_sync(|| row_at_once(&gate.runs, 1)), 2);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "the call did not wait for the wait timeout of thirty seconds"
    );
    gate.let_through(1);
    assert_eq!(leader.await, 1);
    assert_eq!(b.get::<u32>("rows:1").await.unwrap(), Some(1));
}

#[cacheable(key = "failing", skip(fail))]
async fn failing(fail: bool) -> Result<u32, &'static str> {
    if fail { Err("no") } else { Ok(1) }
}

#[tokio::test]
async fn a_leader_that_fails_releases_its_lease() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    assert_eq!(a.scope(failing(true)).await, Err("no"));
    assert_eq!(b.scope(failing(false)).await, Ok(1));
    assert_eq!(a.scope(failing(true)).await, Ok(1), "stored by the other");
}

#[cacheable(key = "long", skip(runs, open))]
async fn long(runs: &AtomicU32, open: oneshot::Receiver<()>) -> u32 {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    open.await.ok();
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_body_that_outlasts_it_is_renewed() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .lease_ttl(Duration::from_millis(600))
        .build()
        .unwrap();
    let (runs, mut redis) = (AtomicU32::new(0), server.connect());
    let (open, opened) = oneshot::channel();
    let look = async {
        // Twice the lease's TTL, by the server's own clock.
        let begin = server_millis(&mut redis);
        until("twice the lease's TTL has passed", || {
            let passed = server_millis(&mut redis) >= begin + 1_200;
            async move { passed }
        })
        .await;
        assert!(
            redis.exists::<_, bool>("app:long").unwrap(),
            "the lease was renewed"
        );
        open.send(()).unwrap();
    };
    let (value, ()) = tokio::join!(cache.scope(long(&runs, opened)), look);
    assert_eq!(value, 1);
    assert_eq!(
        cache.get::<u32>("long").await.unwrap(),
        Some(1),
        "the value is stored"
    );
}

fn server_millis(redis: &mut redis::Connection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(redis).unwrap();
    seconds * 1_000 + micros / 1_000
}

#[tokio::test]
async fn explicit_operations_ignore_leases_and_a_lease_without_ttl_blocks_no_caller() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let gate = Turnstile::new();
    let leader = tokio::spawn(cache.scope({
        let gate = gate.clone();
        async move { slow_row(&gate, 1).await }
    }));
    gate.entered().await;
    assert!(
        server.connect().exists::<_, bool>("app:rows:1").unwrap(),
        "the lease is stored at the key"
    );
    assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), None);
    assert!(!cache.exists("rows:1").await.unwrap());
    assert_eq!(cache.ttl("rows:1").await.unwrap(), None);
    assert_eq!(cache.get_many::<u32>(["rows:1"]).await.unwrap(), [None]);
    let lease: Vec<u8> = server.connect().get("app:rows:1").unwrap();
    assert!(
        !cache.delete("rows:1").await.unwrap(),
        "a lease is not an entry"
    );
    gate.let_through(1);
    leader.await.unwrap();
    assert!(
        !cache.exists("rows:1").await.unwrap(),
        "the fill needs the lease, which was deleted"
    );

    let _: () = server.connect().set("app:rows:1", lease).unwrap();
    gate.let_through(1);
    assert_eq!(
        cache.scope(slow_row(&gate, 1)).await,
        2,
        "a lease without a TTL is ignored"
    );
}

#[cacheable(key = "count", skip(runs))]
async fn count(runs: &AtomicU32) -> Result<u32, u32> {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    if run == 2 { Err(run) } else { Ok(run) }
}

#[tokio::test]
async fn a_refresh_keeps_the_old_value_readable_and_replaces_it() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let runs = AtomicU32::new(0);
    assert_eq!(a.scope(count(&runs)).await, Ok(1));
    assert_eq!(a.scope(count_refresh(&runs)).await, Err(2));
    assert_eq!(
        b.scope(count(&runs)).await,
        Ok(1),
        "an error replaces nothing"
    );
    assert_eq!(a.scope(count_refresh(&runs)).await, Ok(3));
    assert_eq!(b.scope(count(&runs)).await, Ok(3));
}

#[tokio::test]
async fn scripts_are_loaded_again_after_a_script_flush() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    assert_eq!(a.scope(failing(false)).await, Ok(1));
    let _: () = redis::cmd("SCRIPT")
        .arg("FLUSH")
        .query(&mut server.connect())
        .unwrap();
    assert!(a.delete("failing").await.unwrap());
    assert_eq!(a.scope(failing(false)).await, Ok(1));
    assert_eq!(b.get::<u32>("failing").await.unwrap(), Some(1));
}
