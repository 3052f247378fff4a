//! `jitter`: entries stored together don't expire together, and no entry outlives its `ttl`.

use std::time::Duration;

use cache_runtime::cacheable;
use tests::on_both_stores;

#[cacheable(key = "spread:<<id>>", ttl = 1000, jitter = 0.2)]
async fn spread(id: u32) -> u32 {
    id
}

#[cacheable(key = "exact:<<id>>", ttl = 1000, companions = false)]
async fn exact(id: u32) -> u32 {
    id
}

#[cacheable(key = "sync:<<id>>", ttl = id * 1000, jitter = 0.5, companions = false)]
fn sync(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn jitter_spreads_lifetimes_below_the_ttl() {
    on_both_stores(|cache| async move {
        let mut lives = Vec::new();
        for id in 0..400 {
            spread(id).await;
            let left = cache.ttl(&format!("spread:{id}")).await.unwrap().unwrap();
            assert!(left <= Duration::from_secs(1000), "{left:?}");
            // On a slow machine, some seconds may have passed since the entry was stored.
            assert!(left > Duration::from_secs(780), "{left:?}");
            lives.push(left.as_secs());
        }
        // Each tenth of the range expects 40 of 400 lifetimes.
        let tenths = |tenth: u64| 800 + 20 * tenth..820 + 20 * tenth;
        for tenth in 0..10 {
            let hit = lives
                .iter()
                .filter(|life| tenths(tenth).contains(*life))
                .count();
            assert!(hit > 0, "no lifetime in {:?}", tenths(tenth));
        }
    })
    .await;
}

#[tokio::test]
async fn without_jitter_the_lifetime_is_the_ttl() {
    on_both_stores(|cache| async move {
        for id in 0..20 {
            exact(id).await;
            let left = cache.ttl(&format!("exact:{id}")).await.unwrap().unwrap();
            assert!(left > Duration::from_secs(980), "{left:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jitter_applies_to_computed_ttls_and_refreshes() {
    on_both_stores(|cache| async move {
        let lives = tokio::task::block_in_place(|| {
            cache.scope_sync(|| {
                (1..40)
                    .map(|id| {
                        sync(id);
                        let left = cache
                            .blocking()
                            .ttl(&format!("sync:{id}"))
                            .unwrap()
                            .unwrap();
                        left.as_secs_f64() / (id * 1000) as f64
                    })
                    .collect::<Vec<f64>>()
            })
        });
        assert!(
            lives.iter().all(|part| *part > 0.49 && *part <= 1.0),
            "{lives:?}"
        );
        assert!(lives.iter().any(|part| *part < 0.9), "{lives:?}");
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            spread_refresh(1).await;
            seen.insert(cache.ttl("spread:1").await.unwrap().unwrap().as_secs());
        }
        assert!(seen.len() > 5, "{seen:?}");
    })
    .await;
}
