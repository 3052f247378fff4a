//! Which entries the near cache stores, for how long, and how another process invalidates them.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_near_hit_sends_no_command_and_shares_the_value() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let first = cache.scope(row(&rows, 1)).await;
    let second = cache.scope(row(&rows, 1)).await;
    assert!(Arc::ptr_eq(&first, &second), "the value isn't copied");
    assert_eq!(rows.runs(), 1);
}

/// At times the push about this process's own lease arrives so late that it cancels the fill, so
/// one fill of many has to succeed.
#[tokio::test]
async fn a_filled_value_is_in_the_near_cache_before_its_first_read() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 0).await;
    let next = AtomicU32::new(1);
    until("a fill enters the near cache", || async {
        let id = next.fetch_add(1, Ordering::SeqCst);
        let filled = cache.scope(row(&rows, id)).await;
        let before = asked(&server);
        let read = cache.scope(row(&rows, id)).await;
        asked(&server) == before && Arc::ptr_eq(&filled, &read)
    })
    .await;
}

#[tokio::test]
async fn an_invalidation_by_another_process_removes_the_near_entry() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for round in 1..100 {
        until_near(&server, &cache, &rows, 1).await;
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// Old values are removed whether the push or the reply arrives first.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_reads_and_invalidations_leave_no_old_near_entry() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let rows = rows.clone();
            tokio::spawn(cache.scope(async move {
                while rows.0.0.load(Ordering::SeqCst) < 300 {
                    row(&rows, 1).await;
                    tokio::task::yield_now().await;
                }
            }))
        })
        .collect();
    for round in 1..=300 {
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[cacheable(key = "short:<<id>>", ttl = Duration::from_millis(700), skip(rows))]
async fn short(rows: &Rows, id: u32) -> u32 {
    rows.0.1.fetch_add(1, Ordering::SeqCst);
    id
}

/// Part of its TTL has passed when it enters the near cache, and it expires there when it does in
/// Redis, not a clock tick later.
#[tokio::test]
async fn a_near_entry_expires_no_later_than_in_redis() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 0).await;
    let plain = Cache::builder()
        .prefix(prefix(&server.url()))
        .redis(server.url());
    let elsewhere = plain.response_timeout(PATIENCE).build().unwrap();
    let mut redis = server.connect();
    for id in 1..8 {
        let (key, runs) = (key(&server, &format!("short:{id}")), rows.runs());
        elsewhere.scope(short(&rows, id)).await;
        until("part of its TTL has passed", || {
            let left: i64 = redis.pttl(&key).unwrap();
            async move { left < 500 }
        })
        .await;
        while redis.exists(&key).unwrap() {
            cache.scope(short(&rows, id)).await;
        }
        cache.scope(short(&rows, id)).await;
        assert!(rows.runs() >= runs + 2, "an expired value is recomputed");
    }
}

#[cacheable(key = "large:<<id>>")]
async fn large(id: u32) -> String {
    format!("{id:01000}")
}

#[tokio::test]
async fn the_near_cache_is_bounded_by_bytes() {
    let server = RedisServer::start();
    let small = builder(server.url()).near_cache(100_000).build().unwrap();
    until_near(&server, &small, &Rows::default(), 1).await;
    for id in 0..1_000 {
        small.scope(large(id)).await;
        small.scope(large(id)).await;
    }
    let stats = small.stats();
    assert!(stats.entries > 50, "the near cache is used: {stats:?}");
    assert!(stats.bytes <= 100_000, "{stats:?}");
}

#[tokio::test]
async fn near_caches_of_two_prefixes_on_one_server_are_independent() {
    let server = RedisServer::start();
    let (rows, others) = (Rows::default(), Rows::default());
    let cache = cache(&server);
    let other = builder(server.url()).prefix("app-2").build().unwrap();
    until_near(&server, &cache, &rows, 1).await;
    until_near(&server, &other, &others, 1).await;
    cache.scope(update(&rows, 1, 5)).await;
    assert_eq!(*cache.scope(row(&rows, 1)).await, 5);
    let before = asked(&server);
    assert_eq!(*other.scope(row(&others, 1)).await, 0);
    assert_eq!(asked(&server), before, "the other entry is still near");
}

#[tokio::test]
async fn the_near_cache_is_off_by_default() {
    let server = RedisServer::start();
    let plain = Cache::builder()
        .prefix(prefix(&server.url()))
        .redis(server.url());
    let plain = plain.response_timeout(PATIENCE).build().unwrap();
    let rows = Rows::default();
    for _ in 0..5 {
        plain.scope(row(&rows, 1)).await;
    }
    let before = asked(&server);
    plain.scope(row(&rows, 1)).await;
    assert!(asked(&server) > before);
    assert_eq!(plain.stats().entries, 0);
}
