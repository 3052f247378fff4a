//! The fault matrix: whatever the server does, the annotated function returns its value. The first
//! calls wait for one response timeout in total, later calls don't wait, and the cache is used
//! again once the server works.

use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use tests::{Fault, PATIENCE, Proxy, RedisServer, until_well};

const RESPONSE: Duration = Duration::from_millis(250);

#[cacheable(key = "doubled:<<id>>")]
async fn doubled(id: u32) -> u32 {
    id * 2
}

fn cache_at(url: String) -> Cache {
    Cache::builder().prefix("app").redis(url).build().unwrap()
}

/// Call twenty different keys, and one key twenty times. Return how long that took.
async fn calls_return_their_values(cache: &Cache) -> Duration {
    let started = Instant::now();
    for id in 100..120 {
        assert_eq!(cache.scope(doubled(id)).await, id * 2);
        assert_eq!(cache.scope(doubled(7)).await, 14);
    }
    started.elapsed()
}

async fn works_again(cache: &Cache) {
    until_well(cache).await;
    cache.scope(doubled(9)).await;
    cache.reset_stats();
    assert_eq!(cache.scope(doubled(9)).await, 18);
    assert_eq!(cache.stats().hits, 1, "the cache is used again");
}

/// Assert that the calls took at most eight timeouts, which allows for a busy machine. Without a
/// breaker, they would take forty.
fn assert_bounded(took: Duration) {
    assert!(took < 8 * RESPONSE, "{took:?}");
}

async fn behind_a_proxy(fault: Fault) {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    assert_eq!(cache.scope(doubled(7)).await, 14);
    proxy.set(fault);
    assert_bounded(calls_return_their_values(&cache).await);
    assert!(cache.health_check().await.is_err());
    assert!(cache.stats().errors > 0);
    proxy.set(Fault::None);
    works_again(&cache).await;
}

#[tokio::test]
async fn a_refused_connection_never_fails_a_call() {
    behind_a_proxy(Fault::Refuse).await;
}

#[tokio::test]
async fn a_silent_server_never_fails_a_call() {
    behind_a_proxy(Fault::Silent).await;
}

#[tokio::test]
async fn a_slow_server_never_fails_a_call() {
    behind_a_proxy(Fault::Delay(Duration::from_millis(600))).await;
}

#[tokio::test]
async fn a_reply_cut_in_the_middle_never_fails_a_call() {
    behind_a_proxy(Fault::Cut).await;
}

#[tokio::test]
async fn a_corrupt_reply_never_fails_a_call() {
    behind_a_proxy(Fault::Corrupt).await;
}

#[tokio::test]
async fn a_wrong_password_never_fails_a_call() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let cache = cache_at(format!("redis://:wrong@127.0.0.1:{}", server.port()));
    assert_bounded(calls_return_their_values(&cache).await);
    let mut admin =
        redis::Client::open(format!("redis://:right@127.0.0.1:{}", server.port())).unwrap();
    let _: () = redis::cmd("CONFIG")
        .arg("SET")
        .arg("requirepass")
        .arg("wrong")
        .query(&mut admin)
        .unwrap();
    works_again(&cache).await;
}

#[tokio::test]
async fn a_server_killed_and_restarted_empty_never_fails_a_call() {
    let mut server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(doubled(7)).await, 14);
    server.kill();
    assert_bounded(calls_return_their_values(&cache).await);
    server.restart();
    works_again(&cache).await;
}

#[tokio::test]
async fn a_server_stopped_and_continued_never_fails_a_call() {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(doubled(7)).await, 14);
    server.signal("STOP");
    assert_bounded(calls_return_their_values(&cache).await);
    server.signal("CONT");
    works_again(&cache).await;
}

/// The server answers `-LOADING` for some seconds.
#[tokio::test]
async fn a_server_that_is_loading_its_data_never_fails_a_call() {
    let mut server = RedisServer::start();
    let mut redis = server.connect();
    let mut fill = redis::pipe();
    for id in 0..3_000 {
        fill.cmd("SET")
            .arg(format!("other:{id}"))
            .arg("x".repeat(100))
            .ignore();
    }
    fill.cmd("SAVE").ignore();
    fill.query::<()>(&mut redis).unwrap();
    server.kill();
    server.restart_with(&[
        "--key-load-delay",
        "1000",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    // The server answers at once, so a timeout would only show that the machine is busy.
    let cache = Cache::builder().prefix("app").redis(server.url());
    let cache = cache.response_timeout(PATIENCE).build().unwrap();
    assert_bounded(calls_return_their_values(&cache).await);
    let error = cache.health_check().await.unwrap_err().to_string();
    assert!(
        error.contains("LOADING") || error.to_lowercase().contains("loading"),
        "{error}"
    );
    works_again(&cache).await;
}

async fn after_a_command(repair: &[&str], break_it: &[&str], cause: &str) {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(doubled(7)).await, 14);
    let run = |command: &[&str]| {
        let mut request = redis::cmd(command[0]);
        request.arg(&command[1..]);
        request.query::<()>(&mut server.connect()).unwrap();
    };
    run(break_it);
    assert_bounded(calls_return_their_values(&cache).await);
    let error = cache
        .health_check()
        .await
        .unwrap_err()
        .to_string()
        .to_lowercase();
    assert!(error.contains(cause), "{error}");
    run(repair);
    works_again(&cache).await;
}

#[tokio::test]
async fn a_read_only_server_never_fails_a_call() {
    after_a_command(
        &["REPLICAOF", "NO", "ONE"],
        &["REPLICAOF", "127.0.0.1", "1"],
        "read",
    )
    .await;
}

#[tokio::test]
async fn a_server_out_of_memory_never_fails_a_call() {
    let (repair, break_it) = (
        ["CONFIG", "SET", "maxmemory", "0"],
        ["CONFIG", "SET", "maxmemory", "1"],
    );
    after_a_command(&repair, &break_it, "oom").await;
}

#[tokio::test]
async fn a_script_flush_never_fails_a_call() {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(doubled(7)).await, 14);
    let _: () = redis::cmd("SCRIPT")
        .arg("FLUSH")
        .query(&mut server.connect())
        .unwrap();
    assert_bounded(calls_return_their_values(&cache).await);
    assert!(cache.health_check().await.is_ok(), "not an outage");
    assert_eq!(cache.get::<u32>("doubled:100").await.unwrap(), Some(200));
}

#[tokio::test]
async fn explicit_operations_fail_fast_during_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    assert!(cache.health_check().await.is_ok());
    proxy.set(Fault::Silent);
    assert!(cache.get::<u32>("a").await.is_err());
    let started = Instant::now();
    assert!(cache.get::<u32>("a").await.is_err());
    assert!(cache.set("a", &1, 60).await.is_err());
    assert!(cache.delete("a").await.is_err());
    assert!(cache.delete_pattern("a:*").await.is_err());
    assert!(cache.get_many::<u32>(["a"]).await.is_err());
    assert!(cache.ttl("a").await.is_err());
    assert!(cache.clear().await.is_err());
    // Seven operations take less than seven timeouts.
    assert!(started.elapsed() < 4 * RESPONSE, "{:?}", started.elapsed());
    assert_eq!(cache.get_or_set("a", 60, || async { 5 }).await, 5);
}
