//! Leaks of values, memory and connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cache_runtime::{Cache, Clock, cacheable};
use serde::{Deserialize, Serialize};
use tests::{RedisServer, on_both_stores, until};

use crate::common::on_redis;

/// A value whose drop is observable.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tracked(u32);

#[cacheable(key = "tracked:<<id>>", ttl = 60)]
async fn tracked(id: u32) -> Arc<Tracked> {
    Arc::new(Tracked(id))
}

async fn cached(id: u32) -> Weak<Tracked> {
    let value = tracked(id).await;
    assert!(
        Arc::ptr_eq(&value, &tracked(id).await),
        "the value is shared"
    );
    Arc::downgrade(&value)
}

// A value that was deleted, replaced or cleared, or whose cache was dropped, is never dropped
// itself.
#[tokio::test]
async fn values_are_dropped_with_their_entry() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let gone = |value: &Weak<Tracked>| assert!(value.upgrade().is_none());
    cache
        .scope(async {
            let value = cached(1).await;
            cache.delete("tracked:1").await.unwrap();
            gone(&value);
            let value = cached(1).await;
            cache.set("tracked:1", "other", 60).await.unwrap();
            gone(&value);
            let value = cached(2).await;
            let newer = tracked_refresh(2).await;
            gone(&value);
            drop(newer);
            let value = cached(3).await;
            cache.delete_pattern("tracked:*").await.unwrap();
            gone(&value);
            let value = cached(4).await;
            clock.advance(Duration::from_secs(61));
            assert!(!Arc::ptr_eq(&tracked(4).await, &Arc::new(Tracked(4))));
            gone(&value);
            let value = cached(5).await;
            cache.clear().await.unwrap();
            gone(&value);
        })
        .await;
    let value = cache.scope(cached(6)).await;
    assert!(value.upgrade().is_some());
    drop(cache);
    gone(&value);
}

// Writers that reuse keys outrun the eviction, and the store grows without bound.
#[test]
fn writers_that_reuse_keys_stay_within_the_capacity() {
    let capacity = 1 << 20;
    let cache = Cache::builder().memory_capacity(capacity).build().unwrap();
    let running = AtomicUsize::new(4);
    std::thread::scope(|scope| {
        for writer in 0..4_u32 {
            let (cache, running) = (cache.blocking(), &running);
            scope.spawn(move || {
                for n in 0..2_000_u32 {
                    // All writers share half of the keys.
                    let key = if n % 2 == 0 { n } else { n * 4 + writer };
                    let value = vec![0_u8; (n % 1_000) as usize];
                    cache.set(&format!("reused:{key}"), &value, 60).unwrap();
                }
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while running.load(Ordering::SeqCst) > 0 {
            assert!(cache.stats().bytes <= capacity as u64);
            std::thread::yield_now();
        }
    });
    let stats = cache.stats();
    assert!(
        stats.bytes <= capacity as u64 && stats.bytes > capacity as u64 / 2,
        "{stats:?}"
    );
}

fn clients_of(server: &RedisServer) -> usize {
    let list: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut server.connect())
        .unwrap();
    list.lines().count()
}

// Each cache that is built and dropped leaks its connections or its thread, or its drop panics in a
// runtime.
#[tokio::test]
async fn dropped_caches_close_their_connections() {
    let server = RedisServer::start();
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    on_redis(&server).health_check().await.unwrap();
    let before = threads();
    for n in 0..30 {
        let builder = Cache::builder().prefix(format!("p{n}")).redis(server.url());
        let cache = builder
            .response_timeout(tests::PATIENCE)
            .near_cache(1 << 20)
            .build()
            .unwrap();
        for _ in 0..20 {
            assert_eq!(cache.get_or_set("a", 60, || async { n }).await, n);
        }
        cache.delete_pattern("*").await.unwrap();
    }
    // The remaining connection is the one that asks.
    until("the connections are closed", || async {
        clients_of(&server) <= 1
    })
    .await;
    // Other tests of this process start threads too, but fewer than thirty.
    assert!(threads() < before + 30);
}

#[cacheable(key = "failing:<<id>>")]
async fn failing(id: u32) -> Result<u32, String> {
    Err("no".to_owned())
}

// A key that was read once and never stored stays in a table of locks forever.
#[test]
fn keys_that_are_never_stored_take_no_memory() {
    let cache = crate::common::memory();
    let ask = |from: u32| {
        cache.scope_sync(|| {
            for id in from..from + 2_000 {
                let _ = futures_executor::block_on(failing(id));
                let key = format!("pending:{id}");
                let cancelled = cache.get_or_set(&key, 60, std::future::pending::<u32>);
                assert!(futures_util::FutureExt::now_or_never(cancelled).is_none());
                let blocking = cache.blocking();
                blocking.delete(&format!("absent:{id}")).unwrap();
                blocking.delete_pattern(&format!("absent:{id}:*")).unwrap();
                assert_eq!(blocking.get::<u32>(&format!("absent:{id}")).unwrap(), None);
            }
        });
    };
    ask(0);
    let grown = allocation_counter::measure(|| ask(10_000));
    assert!(grown.bytes_current < 20_000, "{grown:?}");
    let stats = cache.stats();
    assert_eq!((stats.entries, stats.bytes), (0, 0));
}

// A shared value is dropped while a caller still reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_lives_as_long_as_a_caller_holds_it() {
    on_both_stores(|cache| async move {
        let held = tracked(7).await;
        cache.clear().await.unwrap();
        assert_eq!(held.0, 7);
        assert_eq!(tracked(7).await.0, 7);
    })
    .await;
}
