//! How long each query is cached.

use std::time::Duration;

use cache_runtime::Cache;
use tests::on_both_stores;

use crate::harness::{Service, hits_and_misses};

/// A query of Ada, the function that caches it, its entry and its TTL in seconds.
const QUERIES: [(&str, &str, &str, u64); 4] = [
    (
        "{ errands(status: OPEN) { title } }",
        "errands",
        "errand_list:OPEN:20",
        60,
    ),
    ("{ errand(id: 1) { title } }", "errand", "errand:1", 300),
    (
        "{ myEscrows { amount } }",
        "user_escrows",
        "user_escrows:1",
        300,
    ),
    (
        "{ banks(country: \"NG\") { code } }",
        "banks",
        "banks_list:NG",
        86_400,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_lives_as_long_as_documented() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        for (query, _, path, seconds) in QUERIES {
            service.data("ada", query).await;
            let left = cache.ttl(path).await.unwrap().expect(path);
            // The machine may be busy for some seconds between the two lines above.
            let ttl = Duration::from_secs(seconds);
            assert!(
                left <= ttl && left > ttl - Duration::from_secs(30),
                "{left:?}"
            );
        }
    })
    .await;
}

/// In memory only: Redis has a clock of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_a_hit_until_its_lifetime_ends() {
    for (query, function, _, seconds) in QUERIES {
        let cache = cache_runtime::testing::cache();
        let service = Service::start(&cache).await;
        let first = service.data("ada", query).await;
        cache.clock().advance(Duration::from_secs(seconds - 1));
        assert_eq!(service.data("ada", query).await, first);
        assert_eq!(hits_and_misses(&cache, function), (1, 1));
        cache.clock().advance(Duration::from_secs(2));
        assert_eq!(service.data("ada", query).await, first);
        assert_eq!(hits_and_misses(&cache, function), (1, 2));
        assert_eq!(service.db.reads(), 2, "{function}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_read_needs_no_query() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        for (query, function, _, _) in QUERIES {
            let first = service.data("ada", query).await;
            let reads = service.db.reads();
            assert_eq!(service.data("ada", query).await, first);
            assert_eq!(service.db.reads(), reads, "{function}");
        }
    })
    .await;
}
