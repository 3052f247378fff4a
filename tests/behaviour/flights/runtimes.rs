//! Where annotated functions can be called: outside a runtime, and inside either flavor of runtime.

use cache_runtime::{Cache, cacheable, invalidate};
use tests::Stores;

use crate::common::Runs;

#[cacheable(key = "free:<<slug>>", skip(runs))]
async fn free(slug: &str, runs: &Runs) -> u32 {
    tokio::task::yield_now().await;
    runs.next()
}

#[cacheable(key = "free-sync:<<slug>>", skip(runs))]
fn free_sync(slug: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["free-sync:<<slug>>"])]
fn forget_sync(slug: &str) {}

/// Assert a miss, a hit, an invalidation and another miss.
fn sync_round(cache: &Cache) {
    cache.scope_sync(|| {
        let runs = Runs::default();
        forget_sync("sync");
        assert_eq!((free_sync("sync", &runs), free_sync("sync", &runs)), (1, 1));
        forget_sync("sync");
        assert_eq!(
            (free_sync("sync", &runs), free_sync_refresh("sync", &runs)),
            (2, 3)
        );
        assert!(free_sync_invalidate("sync", &runs).unwrap());
        assert_eq!(cache.blocking().get::<u32>("free-sync:sync").unwrap(), None);
    });
}

#[test]
fn sync_functions_work_outside_a_runtime_and_inside_either_flavor() {
    for (_, cache) in &Stores::new().caches {
        sync_round(cache);
        let on_a_thread = cache.clone();
        std::thread::spawn(move || sync_round(&on_a_thread))
            .join()
            .unwrap();
        let current = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        current.block_on(async { sync_round(cache) });
        let several = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        several.block_on(async { sync_round(cache) });
        let (task, blocking) = (cache.clone(), cache.clone());
        several
            .block_on(several.spawn(async move { sync_round(&task) }))
            .unwrap();
        several
            .block_on(several.spawn_blocking(move || sync_round(&blocking)))
            .unwrap();
    }
}

#[test]
fn async_functions_work_on_one_cache_from_successive_runtimes() {
    for (_, cache) in &Stores::new().caches {
        let runs = Runs::default();
        for _ in 0..3 {
            // Each runtime ends before the next one begins.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            assert_eq!(runtime.block_on(cache.scope(free("a", &runs))), 1);
        }
        // Without a tokio runtime.
        let mut free = std::pin::pin!(cache.scope(free("a", &runs)));
        assert_eq!(
            futures_util::FutureExt::now_or_never(free.as_mut()).unwrap_or(1),
            1
        );
    }
}
