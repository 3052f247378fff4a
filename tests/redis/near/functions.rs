//! Which functions and values use the near cache.

use std::time::Duration;

use super::*;

/// Return the number of commands that `act` causes, once it causes the same number twice in a row.
async fn cost<F: Future<Output = ()>>(server: &RedisServer, act: impl Fn() -> F) -> u64 {
    let mut costs = (u64::MAX, 0);
    while costs.0 != costs.1 {
        let before = asked(server);
        act().await;
        costs = (costs.1, asked(server) - before);
    }
    costs.0
}

#[cacheable(key = "far:<<id>>", ttl = 600, near = false, skip(rows))]
async fn far(rows: &Rows, id: u32) -> u32 {
    rows.0.0.load(Ordering::SeqCst)
}

#[cacheable(key = "far:<<id>>", ttl = 600, skip(rows))]
async fn close(rows: &Rows, id: u32) -> u32 {
    rows.0.0.load(Ordering::SeqCst)
}

#[tokio::test]
async fn near_false_keeps_a_function_out_of_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let entries = cache.stats().entries;
    assert_eq!(
        cost(&server, || async {
            cache.scope(far(&rows, 1)).await;
        })
        .await,
        1
    );
    assert_eq!(cache.stats().entries, entries);
    // Another function of the same key may use the near cache. The first one still does not.
    assert_eq!(
        cost(&server, || async {
            cache.scope(close(&rows, 1)).await;
        })
        .await,
        0
    );
    assert_eq!(
        cost(&server, || async {
            cache.scope(far(&rows, 1)).await;
        })
        .await,
        1
    );
    // The second function reads what the first one stores.
    rows.write(7);
    cache.scope(far_refresh(&rows, 1)).await;
    assert_eq!(cache.scope(close(&rows, 1)).await, 7);
}

#[cacheable(key = "typed:<<id>>", ttl = 600)]
async fn number(id: u32) -> u64 {
    u64::from(id) + 1
}

#[cacheable(key = "typed:<<id>>", ttl = 600)]
async fn text(id: u32) -> String {
    format!("text {id}")
}

#[tokio::test]
async fn functions_of_different_types_under_one_key_never_read_each_others_values() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    for _ in 0..30 {
        assert_eq!(cache.scope(number(1)).await, 2);
        assert_eq!(cache.scope(number(1)).await, 2);
        assert_eq!(cache.scope(text(1)).await, "text 1");
        assert_eq!(cache.scope(text(1)).await, "text 1");
    }
}

#[cacheable(key = "maybe:<<id>>", ttl = 600, cache_none, skip(rows))]
async fn maybe(rows: &Rows, id: u32) -> Option<u32> {
    rows.0.1.fetch_add(1, Ordering::SeqCst);
    (id > 100).then_some(id)
}

#[cacheable(key = "maybe:<<id>>", ttl = 600)]
async fn surely(id: u32) -> u32 {
    id
}

#[tokio::test]
async fn a_cached_none_is_kept_in_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let ask = || async { assert_eq!(cache.scope(maybe(&rows, 1)).await, None) };
    assert_eq!(cost(&server, ask).await, 0);
    assert_eq!(cache.scope(surely(1)).await, 1, "a type without `None`");
}

#[cacheable(key = "both:<<id>>", ttl = 600, stale = 600, early, skip(rows))]
async fn refreshed(rows: &Rows, id: u32) -> u32 {
    rows.0.1.fetch_add(1, Ordering::SeqCst);
    rows.0.0.load(Ordering::SeqCst)
}

#[tokio::test]
async fn values_of_refreshing_functions_are_in_the_near_cache_while_fresh() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let ask = || async {
        cache.scope(refreshed(&rows, 1)).await;
    };
    assert_eq!(cost(&server, ask).await, 0);
    rows.write(3);
    deleted_elsewhere(&server, "both:1");
    until("the new value is read", || async {
        cache.scope(refreshed(&rows, 1)).await == 3
    })
    .await;
}

#[cacheable(key = "grace:<<id>>", ttl = Duration::from_millis(300), stale = 600, skip(rows))]
async fn graceful(rows: Rows, id: u32) -> u32 {
    rows.0.0.load(Ordering::SeqCst)
}

/// A stale value is read from Redis, where the claim for its refresh is.
#[tokio::test]
async fn a_stale_value_in_the_near_cache_is_refreshed() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    assert_eq!(cache.scope(graceful(rows.clone(), 1)).await, 0);
    rows.write(4);
    until("the value is refreshed", || async {
        cache.scope(graceful(rows.clone(), 1)).await == 4
    })
    .await;
    assert!(
        cache.stats().stale > 0,
        "the stale value was served during the refresh"
    );
}

#[cacheable(key = "sync:<<id>>", ttl = 600, skip(rows))]
fn blocking(rows: &Rows, id: u32) -> u32 {
    rows.0.1.fetch_add(1, Ordering::SeqCst);
    rows.0.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["sync:<<id>>"])]
fn write_blocking(rows: &Rows, id: u32, value: u32) {
    rows.write(value);
}

#[tokio::test]
async fn blocking_functions_read_and_invalidate_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let ask = || async {
        cache.scope_sync(|| blocking(&rows, 1));
    };
    assert_eq!(cost(&server, ask).await, 0);
    for value in 1..50 {
        cache.scope_sync(|| write_blocking(&rows, 1, value));
        assert_eq!(cache.scope_sync(|| blocking(&rows, 1)), value);
    }
}

#[tokio::test]
async fn get_or_set_fills_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let ask = || async {
        assert_eq!(cache.get_or_set("answer", 60, || async { 42 }).await, 42);
    };
    assert_eq!(cost(&server, ask).await, 0);
    cache.set("answer", &43, 60).await.unwrap();
    assert_eq!(cache.get_or_set("answer", 60, || async { 42 }).await, 43);
}

/// The error `WRONGTYPE` is inside the transaction's reply.
#[tokio::test]
async fn a_redis_list_at_an_entrys_key_is_overwritten() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let _: () = server
        .connect()
        .rpush(key(&server, "rows:2"), "theirs")
        .unwrap();
    until_near(&server, &cache, &rows, 2).await;
    assert_eq!(cache.stats().errors, 0);
}
