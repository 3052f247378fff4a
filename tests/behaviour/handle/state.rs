//! The health check, the counters and the size of a cache.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::{RedisServer, Stores, on_both_stores};

use crate::common::on_redis;

#[tokio::test]
async fn health_check_sets_gets_and_deletes_and_leaves_nothing() {
    let stores = Stores::new();
    for (store, cache) in &stores.caches {
        let health = cache.health_check().await.unwrap();
        assert_eq!(health.store, *store);
        for took in [health.set, health.get, health.delete] {
            assert!(
                took > Duration::ZERO && took < Duration::from_secs(1),
                "{health:?}"
            );
        }
        assert_eq!(cache.clear().await.unwrap(), 0);
        let stats = cache.stats();
        assert_eq!(
            (stats.hits, stats.misses, stats.fills, stats.errors),
            (0, 0, 0, 0)
        );
    }
    // A server that refuses writes is not healthy, though it replies.
    let server = RedisServer::start_with(&["--min-replicas-to-write", "1"]);
    let cache = on_redis(&server, "quickpost");
    let error = cache.health_check().await.unwrap_err();
    assert!(std::error::Error::source(&error).is_some(), "{error}");
    assert!(
        error.to_string().to_uppercase().contains("REPLICAS"),
        "{error}"
    );
}

#[cacheable(key = "counted:<<id>>", skip(ok))]
async fn counted(id: u32, ok: bool) -> Result<u32, String> {
    ok.then_some(id).ok_or_else(|| "x".to_owned())
}

#[cacheable(key = "other:<<id>>")]
async fn uncounted(id: u32) -> u32 {
    id
}

#[tokio::test]
async fn stats_are_counted_per_function_and_can_be_reset() {
    on_both_stores(|cache| async move {
        for id in [1, 1, 1, 2] {
            counted(id, true).await.unwrap();
        }
        counted(3, false).await.unwrap_err();
        uncounted(1).await;
        cache.get::<u32>("counted:1").await.unwrap();
        counted_invalidate(1, true).await.unwrap();
        let stats = cache.stats();
        assert_eq!(
            (stats.hits, stats.misses, stats.fills, stats.invalidated),
            (3, 4, 3, 1)
        );
        assert!((stats.hit_rate() - 3.0 / 7.0).abs() < 1e-9);
        let site = stats
            .sites
            .iter()
            .find(|site| site.function == "counted")
            .unwrap();
        assert_eq!(
            (
                site.hits,
                site.misses,
                site.fills,
                site.invalidated,
                site.errors
            ),
            (2, 3, 2, 1, 0)
        );
        assert!(
            site.module.ends_with("::handle::state")
                && site.file.ends_with("state.rs")
                && site.line > 0
        );
        cache.reset_stats();
        let stats = cache.stats();
        assert_eq!(
            (stats.hits, stats.misses, stats.fills, stats.invalidated),
            (0, 0, 0, 0)
        );
        assert_eq!(stats.hit_rate(), 0.0);
        assert!(
            stats
                .sites
                .iter()
                .all(|site| site.hits + site.misses + site.fills == 0)
        );
    })
    .await;
}

#[tokio::test]
async fn memory_is_bounded_and_read_entries_stay() {
    const CAPACITY: usize = 1 << 20;
    let cache = Cache::builder().memory_capacity(CAPACITY).build().unwrap();
    let value = "x".repeat(10_000);
    cache.set("hot", &value[..], 60).await.unwrap();
    for n in 0..1_000 {
        cache
            .set(&format!("cold:{n}"), &value[..], 60)
            .await
            .unwrap();
        assert!(
            cache.get::<String>("hot").await.unwrap().is_some(),
            "after {n}"
        );
        let stats = cache.stats();
        assert!(stats.bytes <= CAPACITY as u64, "{stats:?}");
    }
    assert!(cache.exists("cold:999").await.unwrap());
    assert!(!cache.exists("cold:0").await.unwrap());
    assert!(
        (50..110).contains(&cache.stats().entries),
        "{}",
        cache.stats().entries
    );
    // A value larger than the store isn't stored, and evicts nothing.
    let before = cache.stats().entries;
    let huge = cache
        .get_or_set("huge", 60, || async { "x".repeat(2 * CAPACITY) })
        .await;
    assert_eq!(huge.len(), 2 * CAPACITY);
    assert!(!cache.exists("huge").await.unwrap());
    assert_eq!(cache.stats().entries, before);
}
