//! Replayed invalidations: none is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Fault, Proxy, RedisServer, until, until_well};

/// A row of a database: its version.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

#[cacheable(key = "rows:<<id>>", skip(row))]
async fn read_row(row: &Row, id: u32) -> u32 {
    row.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update_row(row: &Row, id: u32) -> Result<u32, String> {
    let _ = id;
    Ok(row.0.fetch_add(1, Ordering::SeqCst) + 1)
}

fn cache_at(url: String) -> Cache {
    Cache::builder().prefix("app").redis(url).build().unwrap()
}

/// Read until the row is cached again. No read returns an old row.
async fn only_the_new_row_returns(cache: &Cache, row: &Row, version: u32) {
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read_row(row, 1)).await, version);
        let found = cache.get::<u32>("rows:1").await;
        found.is_ok_and(|found| found == Some(version))
    })
    .await;
}

#[tokio::test]
async fn no_read_is_stale_after_an_invalidation_during_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    let row = Row::default();
    assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
    for fault in [Fault::Refuse, Fault::Silent] {
        proxy.set(fault);
        let version = cache.scope(update_row(&row, 1)).await.unwrap();
        assert!(
            server.connect().exists::<_, bool>("app:rows:1").unwrap(),
            "Redis still has the old row"
        );
        assert_eq!(cache.scope(read_row(&row, 1)).await, version);
        proxy.set(Fault::None);
        only_the_new_row_returns(&cache, &row, version).await;
    }
}

#[tokio::test]
async fn all_of_many_invalidations_during_an_outage_are_replayed() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    let row = Row::default();
    for id in 0..1_500 {
        cache.scope(read_row(&row, id)).await;
    }
    proxy.set(Fault::Refuse);
    for id in 0..1_500 {
        cache.scope(update_row(&row, id)).await.unwrap();
    }
    cache.delete("rows:9").await.unwrap_err();
    proxy.set(Fault::None);
    until_well(&cache).await;
    let left: Vec<String> = redis::cmd("KEYS")
        .arg("app:rows:*")
        .query(&mut server.connect())
        .unwrap();
    assert_eq!(
        left,
        Vec::<String>::new(),
        "the full queue was replaced by a wider pattern"
    );
}

#[tokio::test]
async fn invalidations_are_replayed_to_a_server_restored_from_a_snapshot() {
    let mut server = RedisServer::start();
    let cache = cache_at(server.url());
    let row = Row::default();
    assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
    let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
    assert_eq!(cache.scope(update_row(&row, 1)).await, Ok(1));
    server.kill();
    server.restart();
    only_the_new_row_returns(&cache, &row, 1).await;
}

#[tokio::test]
async fn an_invalidation_during_a_stall_has_reached_the_server_when_the_write_returns() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let (cache, other) = (cache_at(proxy.url()), cache_at(server.url()));
    let row = Row::default();
    cache.scope(read_row(&row, 1)).await;
    cache.scope(update_row(&row, 2)).await.unwrap();
    proxy.set(Fault::Silent);
    let update = cache.scope(update_row(&row, 1));
    let stall = async {
        // The stall is longer than the response timeout, and a read runs into it.
        let started = Instant::now();
        assert_eq!(cache.scope(read_row(&row, 3)).await, 2);
        until("the stall is long enough", || async {
            started.elapsed() > Duration::from_millis(400)
        })
        .await;
        proxy.set(Fault::None);
    };
    let (updated, ()) = tokio::join!(update, stall);
    assert_eq!(updated, Ok(2));
    assert_eq!(
        other.scope(read_row(&row, 1)).await,
        2,
        "the other process reads the new row at once"
    );
    assert_eq!(cache.stats().invalidated, 1);
}

#[tokio::test]
async fn the_invalidation_of_a_dropped_write_is_replayed() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = cache_at(proxy.url());
    let row = Row::default();
    cache.scope(read_row(&row, 1)).await;
    proxy.set(Fault::Silent);
    {
        let mut update = Box::pin(cache.scope(update_row(&row, 1)));
        assert!(futures_util::poll!(&mut update).is_pending());
    }
    // The invalidation counts as unsent after its timeout of two seconds.
    until("the outage is noticed", || async {
        cache.get::<u32>("rows:1").await.is_err()
    })
    .await;
    proxy.set(Fault::None);
    until_well(&cache).await;
    until("the invalidation was replayed", || async {
        !server.connect().exists::<_, bool>("app:rows:1").unwrap()
    })
    .await;
}
