//! The scan that builds an index: long scans, and scans that a lost connection ends.

use std::time::Duration;

use cache_runtime::Cache;
use redis::{Commands, Connection};
use tests::{Fault, Proxy, RedisServer, until, until_well};

/// Store forty thousand keys as an older release did, without an index.
fn fill_without_an_index(redis: &mut Connection) {
    for part in 0..40 {
        let mut fill = redis::pipe();
        for id in 0..1_000 {
            let key = format!("app:posts:{part}:{id}");
            fill.set(key, "an older release's").ignore();
        }
        fill.query::<()>(redis).unwrap();
    }
}

/// Return the number of `SCAN` commands so far.
fn scans(redis: &mut Connection) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_scan:calls="));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// The first invalidation of a prefix scans the keys, and the connection is lost during the scan.
#[tokio::test]
async fn a_scan_that_a_lost_connection_ended_starts_again() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let mut redis = server.connect();
    fill_without_an_index(&mut redis);
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .build()
        .unwrap();
    let invalidation = tokio::spawn({
        let cache = cache.clone();
        async move { cache.delete_pattern("posts:7:*").await }
    });
    until("the scan is under way", || {
        let begun = scans(&mut redis) >= 5;
        async move { begun }
    })
    .await;
    proxy.set(Fault::Refuse);
    invalidation.await.unwrap().unwrap_err();
    assert!(redis.exists::<_, bool>("app:posts:7:1").unwrap());
    proxy.set(Fault::None);
    until_well(&cache).await;
    let left: Vec<String> = redis::cmd("KEYS")
        .arg("app:posts:7:*")
        .query(&mut redis)
        .unwrap();
    assert_eq!(left, Vec::<String>::new(), "deleted before reads resume");
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 39_000);
}

/// The timeout applies to each step. If it applied to all steps together, a long scan could never
/// end.
#[tokio::test]
async fn a_scan_longer_than_the_invalidation_timeout_is_not_an_outage() {
    const LIMIT: Duration = Duration::from_millis(600);
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let mut redis = server.connect();
    fill_without_an_index(&mut redis);
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .response_timeout(LIMIT)
        .invalidation_timeout(LIMIT)
        .build()
        .unwrap();
    assert_eq!(cache.get::<u32>("warm").await.unwrap(), None);
    proxy.set(Fault::Delay(Duration::from_millis(30)));
    let started = std::time::Instant::now();
    assert_eq!(cache.delete_pattern("posts:7:*").await.unwrap(), 1_000);
    assert!(started.elapsed() > LIMIT, "{:?}", started.elapsed());
    assert_eq!(cache.stats().errors, 0);
}
