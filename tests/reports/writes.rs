//! Invalidations from inside a computation, of stale entries, and by overlapping patterns.

use cache_runtime::{Cache, Clock, cacheable, invalidate};
use tests::on_both_stores;

use crate::common::{Runs, soon};

#[invalidate(patterns = ["within:<<id>>:*"])]
async fn create(id: u32) -> u32 {
    id
}

#[invalidate(patterns = ["within:<<id>>:*"])]
fn create_sync(id: u32) -> u32 {
    id
}

#[cacheable(key = "within:<<id>>", skip(runs))]
async fn get_or_create(id: u32, runs: &Runs) -> u32 {
    let run = runs.next();
    if run == 1 {
        create(id).await;
    }
    run
}

#[cacheable(key = "within:<<id>>:sync", skip(runs))]
fn get_or_create_sync(id: u32, runs: &Runs) -> u32 {
    let run = runs.next();
    if run == 1 {
        create_sync(id);
    }
    run
}

// A body whose write invalidates the body's own key waits for itself.
#[tokio::test]
async fn a_body_that_invalidates_its_own_key_completes() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let values = async {
            let first = get_or_create(1, &runs).await;
            (
                first,
                get_or_create(1, &runs).await,
                get_or_create(1, &runs).await,
            )
        };
        // The first value was computed before the invalidation, so it isn't stored.
        assert_eq!(soon(values).await, (1, 2, 2));
        let runs = Runs::default();
        let call = || get_or_create_sync(1, &runs);
        assert_eq!((call(), call(), call()), (1, 2, 2));
        let cleared = cache.get_or_set("cleared", 60, || async {
            cache.clear().await.unwrap();
            cache.delete("cleared").await.unwrap();
            1
        });
        assert_eq!(soon(cleared).await, 1);
        assert!(!cache.exists("cleared").await.unwrap());
    })
    .await;
}

#[cacheable(key = "later:<<id>>", ttl = "1m", stale = "1h", skip(runs))]
async fn stale(id: u32, runs: Runs) -> u32 {
    tokio::task::yield_now().await;
    runs.next()
}

#[invalidate(patterns = ["later:*"])]
async fn forget() {}

// A deleted entry is served once more, because it was stale and kept for that.
#[tokio::test]
async fn a_deleted_entry_is_not_served_stale() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let test = async {
        for deletion in 0..4 {
            let runs = Runs::default();
            assert_eq!(stale(deletion, runs.clone()).await, 1);
            clock.advance(std::time::Duration::from_secs(61));
            match deletion {
                0 => forget().await,
                1 => drop(cache.delete("later:1").await.unwrap()),
                2 => drop(cache.clear().await.unwrap()),
                _ => drop(cache.delete_pattern("*r:3").await.unwrap()),
            }
            assert_eq!(stale(deletion, runs.clone()).await, 2, "{deletion}");
        }
    };
    cache.scope(test).await;
    assert_eq!(cache.stats().stale, 0);
}

#[invalidate(patterns = ["a:<<list.join(\"-\")>>:*", "b:<<list.len()>>"])]
async fn of_a_list(list: Vec<&str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

#[invalidate(patterns = ["a:x:*"])]
#[invalidate(patterns = ["a:x:*"])]
#[invalidate(patterns = ["a:*", "a:x"])]
async fn again_and_again() {}

// Overlapping patterns, of one write or of concurrent ones, delete or count an entry twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_patterns_count_each_entry_once() {
    on_both_stores(|cache| async move {
        for key in ["a:x", "a:x:1", "a:y", "b:2"] {
            cache.set(key, &1, 60).await.unwrap();
        }
        cache.reset_stats();
        again_and_again().await;
        assert_eq!(cache.stats().invalidated, 3);
        of_a_list(vec!["p", "q"]).await;
        assert_eq!(cache.stats().invalidated, 4);
        for _ in 0..5 {
            cache
                .set_many((0..100).map(|n| (format!("c:{n}"), n)), 60)
                .await
                .unwrap();
            let delete = || {
                tokio::spawn({
                    let cache = cache.clone();
                    async move { cache.delete_pattern("c:*").await.unwrap() }
                })
            };
            let tasks = [delete(), delete(), delete()];
            let mut deleted = 0;
            for task in tasks {
                deleted += soon(task).await.unwrap();
            }
            assert_eq!(deleted, 100);
        }
    })
    .await;
}
