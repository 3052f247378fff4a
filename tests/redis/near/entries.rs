//! What enters, how long it stays, and how another process's change makes it leave.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_near_hit_asks_nothing_and_shares_the_value() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let first = cache.scope(row(&rows, 1)).await;
    let second = cache.scope(row(&rows, 1)).await;
    assert!(Arc::ptr_eq(&first, &second), "the value isn't copied");
    assert_eq!(rows.runs(), 1);
}

/// Now and then the word of the lease, which is this process's own, comes so late that it cancels the fill.
#[tokio::test]
async fn what_is_filled_is_near_before_it_was_ever_read() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 0).await;
    let next = AtomicU32::new(1);
    until("a fill enters", || async {
        let id = next.fetch_add(1, Ordering::SeqCst);
        let filled = cache.scope(row(&rows, id)).await;
        let before = asked(&server);
        let read = cache.scope(row(&rows, id)).await;
        asked(&server) == before && Arc::ptr_eq(&filled, &read)
    })
    .await;
}

#[tokio::test]
async fn an_invalidation_by_another_process_reaches_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for round in 1..100 {
        until_near(&server, &cache, &rows, 1).await;
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// Whether the push or the reply comes first: nothing old stays.
#[tokio::test(flavor = "multi_thread")]
async fn reads_and_changes_at_the_same_time_leave_nothing_old() {
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

/// Some of its time has passed when it enters, and it ends here when it does there: not by a tick of the clock later.
#[tokio::test]
async fn a_near_entry_lives_no_longer_than_in_redis() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 0).await;
    let plain = Cache::builder().prefix("app").redis(server.url());
    let elsewhere = plain.response_timeout(PATIENCE).build().unwrap();
    let mut redis = server.connect();
    for id in 1..8 {
        let (key, runs) = (format!("app:short:{id}"), rows.runs());
        elsewhere.scope(short(&rows, id)).await;
        until("some of its time has passed", || {
            let left: i64 = redis.pttl(&key).unwrap();
            async move { left < 500 }
        })
        .await;
        while redis.exists(&key).unwrap() {
            cache.scope(short(&rows, id)).await;
        }
        cache.scope(short(&rows, id)).await;
        assert!(rows.runs() >= runs + 2, "what has expired is computed anew");
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
    assert!(stats.entries > 50, "it is used: {stats:?}");
    assert!(stats.bytes <= 100_000, "{stats:?}");
}

#[tokio::test]
async fn two_prefixes_on_one_server_know_nothing_of_each_other() {
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
    assert_eq!(asked(&server), before, "its entry stands");
}

#[tokio::test]
async fn the_near_cache_is_off_by_default() {
    let server = RedisServer::start();
    let plain = Cache::builder().prefix("app").redis(server.url());
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
