//! `Cache::uncached`: reads that neither use the cache nor fill it.

use std::collections::HashMap;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::on_both_stores;

use crate::common::memory;

#[cacheable(key = "uncached:<<name>>", ttl = 60)]
async fn text(name: &str) -> String {
    name.to_owned()
}

#[cacheable(key = "uncached:<<name>>", ttl = 60)]
fn text_sync(name: &str) -> String {
    name.to_owned()
}

#[cacheable(key = "uncached:<<name>>", ttl = 60, stale = 60, skip(cache), cache = cache)]
async fn given(cache: &Cache, name: &'static str) -> String {
    name.to_owned()
}

#[cacheable(key = "uncached:outer:<<name>>", ttl = 60)]
async fn outer(name: &str) -> String {
    text(name).await
}

#[cacheable(key = "uncached:<<name>>", each = names)]
async fn texts(names: &[String]) -> HashMap<String, String> {
    names
        .iter()
        .map(|name| (name.clone(), name.clone()))
        .collect()
}

#[invalidate(patterns = ["uncached:<<name>>"])]
async fn change(name: &str) {}

async fn is_cached(cache: &Cache, name: &str) -> bool {
    cache.exists(&format!("uncached:{name}")).await.unwrap()
}

#[tokio::test]
async fn calls_within_run_their_bodies_and_store_nothing() {
    on_both_stores(|cache| async move {
        let name = &format!("stores-nothing-{}", cache.stats().misses);
        for run in 1..=2 {
            assert_eq!(&Cache::uncached(text(name)).await, name);
            assert_eq!(&Cache::uncached_sync(|| text_sync(name)), name);
            Cache::uncached(outer(name)).await;
            Cache::uncached(texts(std::slice::from_ref(name))).await;
            Cache::uncached(async { text_refresh(name).await }).await;
            assert!(!is_cached(&cache, name).await, "run {run}");
            assert!(!is_cached(&cache, &format!("outer:{name}")).await);
        }
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.fills), (0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn calls_within_do_not_read_what_is_cached_and_leave_it_alone() {
    on_both_stores(|cache| async move {
        cache
            .set("uncached:reads-nothing", "cached", 60)
            .await
            .unwrap();
        assert_eq!(text("reads-nothing").await, "cached");
        let read = Cache::uncached(text("reads-nothing")).await;
        assert_eq!(read, "reads-nothing");
        let read = Cache::uncached(given(&cache, "reads-nothing")).await;
        assert_eq!(
            read, "reads-nothing",
            "a cache that is named is not read either"
        );
        assert_eq!(text("reads-nothing").await, "cached");
    })
    .await;
}

#[tokio::test]
async fn invalidations_within_work() {
    on_both_stores(|cache| async move {
        text("changed").await;
        Cache::uncached(change("changed")).await;
        assert!(!is_cached(&cache, "changed").await);
        text("changed").await;
        Cache::uncached(text_invalidate("changed")).await.unwrap();
        assert!(!is_cached(&cache, "changed").await);
    })
    .await;
}

#[tokio::test]
async fn get_or_set_within_computes_and_get_and_set_work_as_ever() {
    on_both_stores(|cache| async move {
        Cache::uncached(async {
            cache.set("uncached:explicit", &1, 60).await.unwrap();
            assert_eq!(cache.get("uncached:explicit").await.unwrap(), Some(1));
            let computed: u32 = cache
                .get_or_set("uncached:explicit", 60, || async { 2 })
                .await;
            assert_eq!(computed, 2);
            let computed: Result<u32, ()> = cache
                .try_get_or_set("uncached:explicit", 60, || async { Ok(3) })
                .await;
            assert_eq!(computed, Ok(3));
            let computed: HashMap<&str, u32> = cache
                .get_or_set_many(["uncached:explicit"], 60, |keys| async move {
                    keys.into_iter().map(|key| (key, 4))
                })
                .await;
            assert_eq!(computed["uncached:explicit"], 4);
            let blocking = cache.blocking();
            let computed =
                Cache::uncached_sync(|| blocking.get_or_set("uncached:explicit", 60, || 5));
            assert_eq!(computed, 5);
        })
        .await;
        assert_eq!(cache.get("uncached:explicit").await.unwrap(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_scope_within_is_uncached_and_what_comes_after_is_cached_again() {
    let (outer, inner) = (memory(), memory());
    let nested = inner.scope(async {
        text("nested").await;
        Cache::uncached(text("nested")).await;
        text("nested").await
    });
    outer.scope(Cache::uncached(nested)).await;
    assert_eq!((inner.stats().entries, outer.stats().entries), (0, 0));
    outer.scope(text("nested")).await;
    assert_eq!(outer.stats().entries, 1);
}

#[tokio::test]
async fn a_panic_within_ends_it() {
    let cache = memory();
    cache.scope_sync(|| {
        let panicked = std::panic::catch_unwind(|| Cache::uncached_sync(|| panic!("on purpose")));
        panicked.unwrap_err();
        text_sync("after-a-panic");
    });
    assert_eq!(cache.stats().entries, 1);
}

#[tokio::test]
async fn two_tasks_of_one_thread_do_not_share_it() {
    let cache = memory();
    let uncached = Cache::uncached(async {
        tokio::task::yield_now().await;
        text("of-two-tasks").await
    });
    let cached = async {
        text("of-two-tasks").await;
        tokio::task::yield_now().await;
        text("of-two-tasks").await
    };
    cache.scope(async { tokio::join!(uncached, cached) }).await;
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.hits), (1, 1));
}
