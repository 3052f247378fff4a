//! A function whose calls miss often looks and takes the lease in one round trip.

use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{Gate, PATIENCE, RedisServer, begin, sent_for};

/// The keys of `row`.
const ROWS: &str = "app:rows:";

fn cache_on(server: &RedisServer) -> Cache {
    Cache::builder()
        .prefix("app")
        .redis(server.url())
        .publish_stats(false)
        .response_timeout(PATIENCE)
        .build()
        .unwrap()
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(gate))]
async fn row(gate: &Gate, id: u32) -> u32 {
    gate.pass().await;
    id
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(id: u32) {
    let _ = id;
}

fn open() -> Gate {
    let gate = Gate::new();
    gate.open();
    gate
}

/// A cache in which calls of `row` probably miss. The first use of the prefix, which also loads
/// scripts and scans the keys, is over.
async fn often_missing(server: &RedisServer) -> Cache {
    let cache = cache_on(server);
    cache.delete_pattern("rows:*").await.unwrap();
    for id in 1_000..1_010 {
        cache.scope(row(&open(), id)).await;
    }
    cache.reset_stats();
    cache
}

#[tokio::test]
async fn a_likely_miss_sends_two_scripts_until_calls_hit_again() {
    let server = RedisServer::start();
    let cache = often_missing(&server).await;
    let call = async || assert_eq!(cache.scope(row(&open(), 1)).await, 1);
    assert_eq!(
        sent_for(&server, ROWS, call()).await,
        ["EVALSHA", "EVALSHA"]
    );
    // The hits that follow are looked for with the lease in hand, which none of them takes.
    assert_eq!(sent_for(&server, ROWS, call()).await, ["EVALSHA"]);
    // Fewer than the sixteen reads after which this runtime opens a connection of its own, whose
    // first commands would be seen below.
    for _ in 0..12 {
        call().await;
    }
    assert_eq!(sent_for(&server, ROWS, call()).await, ["GET"]);
    assert_eq!((cache.stats().misses, cache.stats().hits), (1, 14));
    assert_eq!(cache.stats().fills, 1);
}

#[tokio::test]
async fn callers_of_one_process_share_the_look_and_the_computation() {
    let server = RedisServer::start();
    let cache = often_missing(&server).await;
    let gate = open();
    let sent = sent_for(&server, ROWS, async {
        // Callers that begin while the look is on its way share it.
        server.signal("STOP");
        let call = |_| {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move { cache.scope(row(&gate, 1)).await })
        };
        let calls: Vec<_> = (0..50).map(call).collect();
        tokio::task::yield_now().await;
        server.signal("CONT");
        for call in calls {
            assert_eq!(call.await.unwrap(), 1);
        }
    });
    assert_eq!(sent.await, ["EVALSHA", "EVALSHA"]);
    assert_eq!((cache.stats().misses, cache.stats().waits), (1, 49));
}

#[tokio::test]
async fn callers_who_share_a_look_that_hits_find_the_value_themselves() {
    let server = RedisServer::start();
    let cache = often_missing(&server).await;
    let elsewhere = cache_on(&server);
    elsewhere.scope(row(&open(), 1)).await;
    let calls = (0..50).map(|_| cache.scope(async { row(&Gate::new(), 1).await }));
    assert_eq!(futures_util::future::join_all(calls).await, [1; 50]);
    assert_eq!((cache.stats().misses, cache.stats().hits), (0, 50));
}

#[tokio::test]
async fn a_lease_of_another_process_is_waited_for() {
    let server = RedisServer::start();
    let (cache, elsewhere) = (often_missing(&server).await, cache_on(&server));
    let gate = Gate::new();
    let leader = begin(&elsewhere, {
        let gate = gate.clone();
        async move { row(&gate, 1).await }
    })
    .await;
    gate.reached_by(1).await;
    let follower = begin(&cache, async { row(&open(), 1).await }).await;
    gate.open();
    assert_eq!(leader.await.unwrap(), 1);
    assert_eq!(follower.await.unwrap(), 1);
    assert_eq!(cache.stats().misses, 0);
}

#[tokio::test]
async fn a_computation_that_another_process_invalidates_is_not_stored() {
    let server = RedisServer::start();
    let (cache, elsewhere) = (often_missing(&server).await, cache_on(&server));
    let gate = Gate::new();
    let call = begin(&cache, {
        let gate = gate.clone();
        async move { row(&gate, 1).await }
    })
    .await;
    gate.reached_by(1).await;
    elsewhere.scope(update(1)).await;
    // A caller who arrives now doesn't join the flight from before the invalidation.
    assert_eq!(cache.scope(row(&open(), 1)).await, 1);
    assert_eq!(cache.stats().misses, 2);
    gate.open();
    assert_eq!(call.await.unwrap(), 1);
    assert_eq!(cache.stats().fills, 1);
}

#[tokio::test]
async fn a_lease_is_given_back_if_its_caller_is_dropped() {
    let server = RedisServer::start();
    let cache = often_missing(&server).await;
    let gate = Gate::new();
    let call = begin(&cache, {
        let gate = gate.clone();
        async move { row(&gate, 1).await }
    })
    .await;
    gate.reached_by(1).await;
    call.abort();
    assert_eq!(cache.scope(row(&open(), 1)).await, 1);
}

#[tokio::test]
async fn another_type_at_the_key_is_overwritten() {
    let server = RedisServer::start();
    let cache = often_missing(&server).await;
    let _: () = server.connect().rpush("app:rows:1", "theirs").unwrap();
    assert_eq!(cache.scope(row(&open(), 1)).await, 1);
    assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), Some(1));
}

#[tokio::test]
async fn values_that_may_be_stale_are_looked_at_once_more() {
    static VERSION: AtomicU32 = AtomicU32::new(0);

    #[cacheable(key = "stale:<<id>>", ttl = 600, stale = 600)]
    async fn versioned(id: u32) -> u32 {
        let _ = id;
        VERSION.fetch_add(1, Ordering::SeqCst)
    }

    let server = RedisServer::start();
    let cache = cache_on(&server);
    for id in 0..10 {
        cache.scope(versioned(id)).await;
    }
    let runs = VERSION.load(Ordering::SeqCst);
    let found = cache.scope(versioned(9)).await;
    assert_eq!((found, VERSION.load(Ordering::SeqCst)), (runs - 1, runs));
    let sent = sent_for(&server, "app:stale:", async {
        cache.scope(versioned(10)).await;
    });
    assert_eq!(sent.await, ["EVALSHA", "EVALSHA"]);
}
