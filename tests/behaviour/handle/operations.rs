//! The explicit operations of the handle, async and blocking.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Clock};
use tests::{RedisServer, Stores, on_both_stores};

use crate::common::{Post, Runs, assert_about, on_redis};

#[tokio::test]
async fn get_set_delete_exists_and_ttl_agree_about_an_entry() {
    on_both_stores(|cache| async move {
        let post = Post::new(1, "a");
        assert_eq!(cache.get::<Post>("p").await.unwrap(), None);
        assert!(!cache.exists("p").await.unwrap());
        assert_eq!(cache.ttl("p").await.unwrap(), None);
        cache
            .set("p", &post, Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(cache.get("p").await.unwrap(), Some(post));
        assert!(cache.exists("p").await.unwrap());
        assert_about(cache.ttl("p").await.unwrap(), 60);
        cache.set("p", &Post::new(2, "b"), 1_000).await.unwrap();
        assert_eq!(cache.get::<Post>("p").await.unwrap().unwrap().id, 2);
        assert_about(cache.ttl("p").await.unwrap(), 1_000);
        cache.set("default", "text", None).await.unwrap();
        assert_about(cache.ttl("default").await.unwrap(), 300);
        assert_eq!(
            cache.get::<String>("default").await.unwrap().as_deref(),
            Some("text")
        );
        cache.set("slice", &[1u8, 2][..], 60).await.unwrap();
        assert_eq!(
            cache.get::<Vec<u8>>("slice").await.unwrap(),
            Some(vec![1, 2])
        );
        assert!(cache.delete("p").await.unwrap());
        assert!(!cache.delete("p").await.unwrap());
        assert_eq!(cache.get::<Post>("p").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn get_as_another_type_returns_none() {
    on_both_stores(|cache| async move {
        cache.set("n", &7u64, 60).await.unwrap();
        assert_eq!(cache.get::<u32>("n").await.unwrap(), None);
        assert_eq!(cache.get::<String>("n").await.unwrap(), None);
        assert_eq!(cache.get::<Vec<u8>>("n").await.unwrap(), None);
        assert_eq!(cache.get_many::<i64>(["n"]).await.unwrap(), [None]);
        assert_eq!(cache.get::<u64>("n").await.unwrap(), Some(7));
    })
    .await;
}

#[tokio::test]
async fn a_ttl_of_zero_stores_nothing_and_removes_the_entry() {
    on_both_stores(|cache| async move {
        cache.set("zero", &1, 60).await.unwrap();
        cache.set("zero", &2, 0).await.unwrap();
        assert_eq!(cache.get::<i32>("zero").await.unwrap(), None);
        cache
            .set_many([("a", 1), ("zero", 2)], Duration::ZERO)
            .await
            .unwrap();
        assert_eq!(
            cache.get_many::<i32>(["a", "zero"]).await.unwrap(),
            [None, None]
        );
        for run in 1..=2 {
            assert_eq!(
                cache.get_or_set("zero", 0, || async move { run }).await,
                run
            );
        }
        assert!(!cache.exists("zero").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn entries_expire_by_the_clock_in_memory() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache.set("short", &1, 10).await.unwrap();
    cache
        .set("long", &2, Duration::from_millis(10_001))
        .await
        .unwrap();
    clock.advance(Duration::from_millis(9_999));
    assert_eq!(
        cache.ttl("short").await.unwrap(),
        Some(Duration::from_millis(1))
    );
    clock.advance(Duration::from_millis(1));
    assert_eq!(cache.get::<i32>("short").await.unwrap(), None);
    assert!(!cache.delete("short").await.unwrap());
    assert_eq!(cache.delete_pattern("*").await.unwrap(), 1);
}

#[tokio::test]
async fn get_many_and_set_many_keep_the_order_of_keys() {
    on_both_stores(|cache| async move {
        let entries: Vec<(String, u32)> = (0..1_000).map(|n| (format!("n:{n}"), n)).collect();
        cache.set_many(&entries, 60).await.unwrap();
        let keys = (0..1_001).rev().map(|n| format!("n:{n}"));
        let found = cache.get_many::<u32>(keys).await.unwrap();
        let expected: Vec<Option<u32>> =
            (0..1_001).rev().map(|n| (n < 1_000).then_some(n)).collect();
        assert_eq!(found, expected);
        assert_about(cache.ttl("n:999").await.unwrap(), 60);
        assert_eq!(
            cache.get_many::<u32>(Vec::<String>::new()).await.unwrap(),
            []
        );
        cache
            .set_many(Vec::<(String, u32)>::new(), 60)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn delete_pattern_counts_entries_and_clear_removes_the_prefix() {
    on_both_stores(|cache| async move {
        for key in ["a", "a:1", "a:1:x", "a:10", "a:1#v", "b:[x]", "c?"] {
            cache.set(key, &1, 60).await.unwrap();
        }
        assert_eq!(cache.delete_pattern("nothing:*").await.unwrap(), 0);
        assert_eq!(cache.delete_pattern("a:1:*").await.unwrap(), 3);
        assert_eq!(cache.delete_pattern("b:\\[?\\]").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("c\\?").await.unwrap(), 1);
        assert_eq!(cache.clear().await.unwrap(), 2);
        assert_eq!(cache.clear().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn clear_leaves_other_prefixes_alone() {
    let server = RedisServer::start();
    let [ours, theirs] = ["app", "app2"].map(|prefix| on_redis(&server, prefix));
    for cache in [&ours, &theirs] {
        cache.set_many([("a", 1), ("b", 2)], 60).await.unwrap();
    }
    assert_eq!(ours.clear().await.unwrap(), 2);
    assert_eq!(
        theirs.get_many::<i32>(["a", "b"]).await.unwrap(),
        [Some(1), Some(2)]
    );
}

#[tokio::test]
async fn get_or_set_computes_once_and_errors_are_not_stored() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(cache.get_or_set("n", 60, || async { runs.next() }).await, 1);
        }
        assert_about(cache.ttl("n").await.unwrap(), 60);
        let failing = async || Err::<u32, String>(format!("run {}", runs.next()));
        for run in [2, 3] {
            assert_eq!(
                cache.try_get_or_set("e", 60, failing).await,
                Err(format!("run {run}"))
            );
        }
        for _ in 0..2 {
            let given = cache
                .try_get_or_set("e", None, || async { Ok::<_, String>(runs.next()) })
                .await;
            assert_eq!(given, Ok(4));
        }
        assert_about(cache.ttl("e").await.unwrap(), 300);
        // Another type under the same key is computed, and replaces the entry.
        assert_eq!(
            cache
                .get_or_set("n", 60, || async { "text".to_owned() })
                .await,
            "text"
        );
        assert_eq!(
            cache.get::<String>("n").await.unwrap().as_deref(),
            Some("text")
        );
        let shared = cache
            .get_or_set("arc", 60, || async { Some(Arc::new(1).as_ref() + 1) })
            .await;
        assert_eq!(shared, Some(2));
    })
    .await;
}

#[test]
fn the_blocking_handle_has_the_same_operations() {
    for (_, cache) in &Stores::new().caches {
        let cache = cache.blocking();
        cache.set("a", &1, 60).unwrap();
        assert_eq!(cache.get::<i32>("a").unwrap(), Some(1));
        assert!(cache.exists("a").unwrap());
        assert_about(cache.ttl("a").unwrap(), 60);
        cache.set_many([("b", 2), ("c", 3)], 60).unwrap();
        assert_eq!(
            cache.get_many::<i32>(["a", "b", "d"]).unwrap(),
            [Some(1), Some(2), None]
        );
        assert!(cache.delete("a").unwrap());
        assert_eq!(cache.delete_pattern("[bc]").unwrap(), 2);
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(cache.get_or_set("n", 60, || runs.next()), 1);
            assert_eq!(
                cache.try_get_or_set("t", 60, || Ok::<_, ()>(runs.next())),
                Ok(2)
            );
        }
        assert_eq!(
            cache.try_get_or_set::<u8, _>("e", 60, || Err("x")),
            Err("x")
        );
        assert_eq!(cache.clear().unwrap(), 2);
        assert!(cache.health_check().unwrap().set > Duration::ZERO);
    }
}
