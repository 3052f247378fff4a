//! No invalidation is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Fault, Proxy, RedisServer};

use crate::common::until_well;

/// A row of a database, which counts its versions.
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

#[tokio::test]
async fn redis_returns_with_its_old_data_and_no_read_returns_the_old_row() {
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
            "the old row is still there"
        );
        assert_eq!(cache.scope(read_row(&row, 1)).await, version);
        proxy.set(Fault::None);
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert_eq!(
                cache.scope(read_row(&row, 1)).await,
                version,
                "at no moment of the recovery"
            );
            if cache
                .get::<u32>("rows:1")
                .await
                .is_ok_and(|found| found == Some(version))
            {
                break;
            }
            assert!(Instant::now() < deadline, "cached again");
        }
    }
}

#[tokio::test]
async fn many_invalidations_of_an_outage_are_all_replayed() {
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
        "more than the queue holds, so it was widened"
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
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        assert_eq!(
            cache.scope(read_row(&row, 1)).await,
            1,
            "the snapshot has 0"
        );
        if cache
            .get::<u32>("rows:1")
            .await
            .is_ok_and(|found| found == Some(1))
        {
            break;
        }
        assert!(Instant::now() < deadline, "cached again");
    }
}

#[tokio::test]
async fn a_stall_of_a_response_timeout_makes_no_invalidation_late() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let (cache, other) = (cache_at(proxy.url()), cache_at(server.url()));
    let row = Row::default();
    cache.scope(read_row(&row, 1)).await;
    cache.scope(update_row(&row, 2)).await.unwrap();
    proxy.set(Fault::Silent);
    let update = cache.scope(update_row(&row, 1));
    let stall = async {
        // Longer than a read may take, and one is tried meanwhile.
        let started = Instant::now();
        assert_eq!(cache.scope(read_row(&row, 3)).await, 2);
        while started.elapsed() < Duration::from_millis(400) {
            tokio::task::yield_now().await;
        }
        proxy.set(Fault::None);
    };
    let (updated, ()) = tokio::join!(update, stall);
    assert_eq!(updated, Ok(2));
    assert_eq!(
        other.scope(read_row(&row, 1)).await,
        2,
        "the other process sees it at once"
    );
    assert_eq!(cache.stats().invalidated, 1);
}

#[tokio::test]
async fn a_write_whose_caller_is_gone_is_replayed_too() {
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
    // The invalidation counts as unsent after its two seconds; until then the old row may stand.
    let deadline = Instant::now() + Duration::from_secs(10);
    while cache.get::<u32>("rows:1").await.is_ok() {
        assert!(Instant::now() < deadline, "the outage is noticed");
    }
    proxy.set(Fault::None);
    until_well(&cache).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.connect().exists::<_, bool>("app:rows:1").unwrap() {
        assert!(Instant::now() < deadline, "it was replayed");
        tokio::task::yield_now().await;
    }
}
