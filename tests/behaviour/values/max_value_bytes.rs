//! `max_value_bytes`: a value over the limit is returned and counted, logged once, and not stored.

use cache_runtime::{Cache, CacheBuilder, CacheError, cacheable};
use redis::Commands;
use tests::{Gate, PATIENCE, RedisServer, all, begin, on_both_stores_with, soon, until};

use crate::common::Runs;

#[cacheable(key = "lists:<<id>>", skip(runs, length))]
async fn list(runs: &Runs, id: u32, length: usize) -> Result<String, String> {
    runs.next();
    Ok("x".repeat(length))
}

#[cacheable(key = "gated:<<id>>", skip(gate))]
async fn gated(gate: &Gate, id: u32) -> String {
    gate.pass().await;
    "x".repeat(5_000)
}

const LIMIT: usize = 1_000;

fn limited(builder: CacheBuilder) -> CacheBuilder {
    builder.max_value_bytes(LIMIT)
}

#[tokio::test]
async fn a_value_too_large_is_returned_counted_and_not_stored() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        for run in 1..=3 {
            let value = list(&runs, 1, 5_000).await.unwrap();
            assert_eq!((value.len(), runs.count()), (5_000, run));
            assert!(!cache.exists("lists:1").await.unwrap());
        }
        for _ in 0..3 {
            assert_eq!(list(&runs, 2, 500).await.unwrap().len(), 500);
        }
        assert_eq!(runs.count(), 4, "a value within the limit is stored");
        let stats = cache.stats();
        let counts = (stats.too_large, stats.errors, stats.misses, stats.fills);
        assert_eq!(counts, (3, 0, 4, 1));
        let sites = stats.sites.iter().filter(|site| site.too_large > 0);
        let sites: Vec<_> = sites.map(|site| (site.function, site.too_large)).collect();
        assert_eq!(sites, [("list", 3)]);
        cache.reset_stats();
        assert_eq!(cache.stats().too_large, 0);
    })
    .await;
}

/// Make three concurrent calls, of which two wait for the first.
async fn three_calls(cache: &Cache) {
    let gate = Gate::new();
    let call = || {
        let gate = gate.clone();
        begin(cache, async move { gated(&gate, 1).await.len() })
    };
    let calls = vec![call().await, call().await, call().await];
    gate.open();
    assert_eq!(all(calls).await, [5_000; 3]);
    let stats = cache.stats();
    let counts = (gate.count(), stats.misses, stats.waits, stats.too_large);
    assert_eq!(counts, (1, 1, 2, 1));
}

#[tokio::test]
async fn waiters_share_a_value_too_large_and_the_next_call_does_not_wait() {
    // A lease that wasn't released would block the next call for longer than the test may take.
    let forever = std::time::Duration::from_secs(600);
    on_both_stores_with(
        |builder| limited(builder).lease_ttl(forever),
        |cache| async move {
            soon(three_calls(&cache)).await;
            let gate = Gate::new();
            gate.open();
            for _ in 0..3 {
                assert_eq!(soon(gated(&gate, 1)).await.len(), 5_000);
            }
            assert_eq!(gate.count(), 3);
        },
    )
    .await;
}

#[tokio::test]
async fn a_refresh_with_too_large_a_value_keeps_the_entry() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        list(&runs, 1, 100).await.unwrap();
        let refreshed = soon(list_refresh(&runs, 1, 5_000)).await.unwrap();
        assert_eq!(refreshed.len(), 5_000, "the caller gets the value");
        // The entry stays, because its TTL has not ended.
        assert_eq!(soon(list(&runs, 1, 7)).await.unwrap().len(), 100);
        assert_eq!(runs.count(), 2);
        let refreshed = soon(list_refresh(&runs, 1, 200)).await.unwrap();
        assert_eq!(refreshed.len(), 200);
        assert_eq!(soon(list(&runs, 1, 7)).await.unwrap().len(), 200);
        assert_eq!((runs.count(), cache.stats().too_large), (3, 1));
    })
    .await;
}

#[tokio::test]
async fn a_refresh_with_too_large_a_value_releases_its_claim() {
    let server = RedisServer::start();
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    let cache = limited(builder.response_timeout(PATIENCE)).build().unwrap();
    let runs = Runs::default();
    cache.scope(list(&runs, 1, 100)).await.unwrap();
    cache.scope(list_refresh(&runs, 1, 5_000)).await.unwrap();
    let mut connection = server.connect();
    until("the claim is released", || {
        let claim: Vec<u8> = connection.getrange("quickpost:lists:1", 16, 31).unwrap();
        async move { claim == [0; 16] }
    })
    .await;
}

#[tokio::test]
async fn setting_a_value_too_large_is_an_error() {
    on_both_stores_with(limited, |cache| async move {
        // The length of the text takes three bytes.
        cache.set("a", &"x".repeat(997), 60).await.unwrap();
        let refused = cache.set("a", &"y".repeat(998), 60).await.unwrap_err();
        let CacheError::TooLarge { bytes, limit } = refused else {
            panic!("{refused}");
        };
        assert_eq!((bytes, limit), (1_001, LIMIT));
        let message = refused.to_string();
        assert!(message.contains("1001 bytes"), "{message}");
        assert!(message.contains("raise"), "{message}");
        let found = cache.get::<String>("a").await.unwrap();
        assert_eq!(found, Some("x".repeat(997)), "the old value stays");

        let entries = [("b", "x".to_owned()), ("c", "x".repeat(2_000))];
        let refused = cache.set_many(&entries, 60).await.unwrap_err();
        assert!(matches!(refused, CacheError::TooLarge { limit: LIMIT, .. }));
        let found = cache.get_many::<String>(["b", "c"]).await.unwrap();
        assert_eq!(found, [None, None], "nothing is stored");

        let long = cache.get_or_set("d", 60, async || "x".repeat(2_000)).await;
        assert_eq!(
            long.len(),
            2_000,
            "a computed value is returned without an error"
        );
        assert!(!cache.exists("d").await.unwrap());
        let stats = cache.stats();
        assert_eq!((stats.too_large, stats.errors, stats.fills), (3, 0, 1));
    })
    .await;
}

/// The limit applies to the codec's output, so it doesn't depend on how well a text compresses.
#[tokio::test]
async fn the_limit_applies_to_the_value_before_compression() {
    on_both_stores_with(
        |builder| limited(builder).compress_over(0),
        |cache| async move {
            let runs = Runs::default();
            for _ in 0..2 {
                assert_eq!(list(&runs, 1, 5_000).await.unwrap().len(), 5_000);
            }
            assert_eq!((runs.count(), cache.stats().too_large), (2, 2));
        },
    )
    .await;
}

#[tokio::test]
async fn a_health_check_ignores_the_limit() {
    on_both_stores_with(
        |builder| builder.max_value_bytes(1),
        |cache| async move {
            cache.health_check().await.unwrap();
            assert_eq!(cache.stats().too_large, 0);
        },
    )
    .await;
}

#[test]
fn a_limit_of_zero_bytes_is_refused() {
    let error = Cache::builder().max_value_bytes(0).build().unwrap_err();
    let CacheError::InvalidOption { option, reason } = &error else {
        panic!("{error}");
    };
    assert_eq!(*option, "max_value_bytes");
    assert!(reason.contains("zero"), "{reason}");
}
