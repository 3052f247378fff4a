//! `Namespace`: keys from parts, and operations on them.

use std::fmt;
use std::time::Duration;

use cache_runtime::{ANY, Cache, Namespace, cacheable, invalidate, optional};
use proptest::prelude::*;
use tests::{Runs, on_both_stores};

use crate::common::{assert_about, memory};

fn chat() -> Namespace {
    memory().namespace("chat")
}

#[test]
fn keys_have_the_name_the_version_and_the_parts() {
    let chat = chat();
    let key = chat.key(("conversation", 123, "messages"));
    assert_eq!(key, "chat:v1:conversation:123:messages");
    assert_eq!(chat.version(3).key(("a", true, 'x')), "chat:v3:a:true:x");
    assert_eq!(chat.key((1u8,)), "chat:v1:1");
    assert_eq!(chat.key(String::from("online")), "chat:v1:online");
    assert_eq!(chat.key(&["a", "b"][..]), "chat:v1:a:b");
    assert_eq!(
        chat.user(42, "notifications"),
        "chat:v1:user_42:notifications"
    );
    assert_eq!(chat.user("4:2", ("a", 1)), "chat:v1:user_4%3A2:a:1");
    let some = ("a", optional(&Some("None")), optional(&Some("")));
    assert_eq!(chat.key(some), "chat:v1:a:None:");
    assert_eq!(chat.key((optional(&None::<i32>),)), "chat:v1:%none");
}

#[test]
fn named_parameters_are_sorted_and_cannot_be_mistaken_for_each_other() {
    let chat = chat();
    let key = chat.key_with("search", [("query", "python"), ("page", "1")]);
    assert_eq!(key, "chat:v1:search:page=1:query=python");
    let turned = chat.key_with("search", [("page", "1"), ("query", "python")]);
    assert_eq!(turned, key);
    let one = chat.key_with("search", [("a=b", "c")]);
    let other = chat.key_with("search", [("a", "b=c")]);
    assert_eq!(
        (&*one, &*other),
        ("chat:v1:search:a%3Db=c", "chat:v1:search:a=b=c")
    );
}

#[test]
fn a_pattern_has_no_wildcard_but_any() {
    let chat = chat();
    let pattern = chat.pattern(("conversation", ANY, "messages"));
    assert_eq!(pattern, "chat:v1:conversation:*:messages");
    assert_eq!(chat.pattern(("*", "[a]", ANY)), "chat:v1:%2A:%5Ba%5D:*");
    assert_eq!(chat.pattern(ANY), "chat:v1:*");
    assert_eq!(chat.pattern("?"), "chat:v1:%3F");
}

/// A value without a text.
struct Failing;

impl fmt::Display for Failing {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn a_value_whose_display_fails_shares_no_entry_and_narrows_no_pattern() {
    let chat = chat();
    assert_ne!(chat.key((Failing,)), chat.key((Failing,)));
    assert_eq!(chat.pattern(("a", Failing)), "chat:v1:a:*");
}

proptest! {
    #[test]
    fn different_parts_have_different_keys(one in any::<[String; 2]>(), other in any::<[String; 2]>()) {
        let chat = chat();
        prop_assert_eq!(chat.key(&one) == chat.key(&other), one == other);
        let named = |[name, value]: &[String; 2]| chat.key_with("x", [(name, value)]);
        prop_assert_eq!(named(&one) == named(&other), one == other);
    }

    #[test]
    fn a_part_never_leaves_its_segment(part in any::<String>()) {
        let chat = chat();
        for key in [chat.key((&part, "end")), chat.user(&part, "end"), chat.pattern((&part, "end"))] {
            prop_assert_eq!(key.split(':').count(), 4, "{}", key);
            prop_assert!(!key.contains(['*', '?', '[', '#', ' ']), "{}", key);
        }
    }
}

#[tokio::test]
async fn the_operations_agree_about_an_entry() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat").ttl(Duration::from_secs(1_800));
        let parts = ("conversation", 123, "messages");
        assert_eq!(chat.get::<Vec<u32>, _>(parts).await.unwrap(), None);
        assert_eq!(chat.get_or(parts, vec![0_u32]).await.unwrap(), [0]);
        assert!(!chat.exists(parts).await.unwrap());
        chat.set(parts, &vec![1_u32, 2]).await.unwrap();
        assert_eq!(chat.get_or(parts, vec![0_u32]).await.unwrap(), [1, 2]);
        assert_about(chat.ttl(parts).await.unwrap(), 1_800);
        chat.set_for(parts, &vec![3_u32], 60).await.unwrap();
        assert_about(chat.ttl(parts).await.unwrap(), 60);
        // The same entry by its path.
        let path = "chat:v1:conversation:123:messages";
        assert_eq!(cache.get::<Vec<u32>>(path).await.unwrap(), Some(vec![3]));
        assert!(chat.delete(parts).await.unwrap());
        assert!(!chat.delete(parts).await.unwrap());

        chat.set_many([(("n", 1), 10_u32), (("n", 2), 20)])
            .await
            .unwrap();
        assert_about(chat.ttl(("n", 2)).await.unwrap(), 1_800);
        let found = chat.get_many::<u32, _>([("n", 2), ("n", 3), ("n", 1)]);
        assert_eq!(found.await.unwrap(), [Some(20), None, Some(10)]);
    })
    .await;
}

#[tokio::test]
async fn a_missing_value_is_computed_once_and_an_error_is_not_stored() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat");
        let runs = Runs::default();
        for _ in 0..2 {
            let value = chat.get_or_set(("a", 1), || async { runs.next() }).await;
            assert_eq!(value, 1);
            assert_eq!(chat.fetch(("a", 1), || async { runs.next() }).await, 1);
        }
        let failed = chat.try_get_or_set(("b",), || async { Err::<u32, _>("no") });
        assert_eq!(failed.await, Err("no"));
        let stored = chat.try_get_or_set(("b",), || async { Ok::<u32, &str>(2) });
        assert_eq!(stored.await, Ok(2));
        assert_eq!(chat.get("b").await.unwrap(), Some(2_u32));
    })
    .await;
}

#[tokio::test]
async fn invalidation_stays_within_the_namespace() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat");
        let fill = || async {
            for path in ["chat", "chatter:v1:a", "posts:v1:a", "unread:1"] {
                cache.set(path, &0, 60).await.unwrap();
            }
            chat.set_many([(("unread", 1), 1), (("unread", 2), 2)])
                .await
                .unwrap();
            chat.version(2).set(("unread", 1), &3).await.unwrap();
        };
        fill().await;
        let pattern = chat.pattern(("unread", ANY));
        assert_eq!(chat.invalidate(&pattern).await.unwrap(), 2);
        fill().await;
        assert_eq!(chat.invalidate("unread:1").await.unwrap(), 1);
        assert_eq!(chat.invalidate("*").await.unwrap(), 1);
        assert_eq!(chat.invalidate("posts:*").await.unwrap(), 0);
        fill().await;
        // All versions, and the node itself.
        assert_eq!(chat.clear().await.unwrap(), 4);
        for path in ["chatter:v1:a", "posts:v1:a", "unread:1"] {
            assert!(cache.exists(path).await.unwrap(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_namespace_named_as_the_prefix_has_entries_of_its_own() {
    let cache = Cache::builder().prefix("chat").build().unwrap();
    let chat = cache.namespace("chat");
    cache.set("v1:online", &1, 60).await.unwrap();
    chat.set("online", &2).await.unwrap();
    assert_eq!(cache.get("v1:online").await.unwrap(), Some(1));
    assert_eq!(chat.get("online").await.unwrap(), Some(2));
    assert_eq!(cache.get(&chat.key("online")).await.unwrap(), Some(2));
    assert_eq!(chat.invalidate(chat.pattern(ANY)).await.unwrap(), 1);
    assert!(cache.exists("v1:online").await.unwrap());
}

#[test]
fn the_blocking_operations_are_the_same() {
    let chat = chat().ttl(Duration::from_secs(60));
    let blocking = chat.blocking();
    let parts = ("a", 1);
    assert_eq!(blocking.get_or(parts, 5).unwrap(), 5);
    assert_eq!(blocking.get_or_set(parts, || 1), 1);
    assert_eq!(blocking.fetch(parts, || 2), 1);
    assert_eq!(
        blocking.try_get_or_set(("b",), || Err::<u32, _>("no")),
        Err("no")
    );
    assert_about(blocking.ttl(parts).unwrap(), 60);
    blocking.set(parts, &3).unwrap();
    blocking.set_for(("c",), &4_u32, 5).unwrap();
    blocking.set_many([(("d",), 6_u32)]).unwrap();
    let all = blocking.get_many::<u32, _>([("c",), ("d",)]).unwrap();
    assert_eq!(all, [Some(4), Some(6)]);
    assert_eq!(blocking.get(parts).unwrap(), Some(3));
    assert!(blocking.exists(parts).unwrap());
    assert!(blocking.delete(parts).unwrap());
    assert_eq!(blocking.invalidate("c").unwrap(), 1);
    assert_eq!(blocking.clear().unwrap(), 1);
}

#[cacheable(namespace = "forum", key = "thread:<<id>>", ttl = 60, skip(runs))]
async fn thread(id: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(namespace = "forum:v2", key = "thread:<<id>>", ttl = 60, skip(runs))]
async fn thread_of_version_two(id: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(namespace = "forum", patterns = ["thread:<<id>>:*"])]
async fn write_thread(id: &str) {
    let _ = id;
}

#[allow(dead_code, reason = "its pattern is looked at")]
#[invalidate(namespace = "forum:v3", patterns = ["thread:<<id>>"])]
async fn write_thread_of_version_three(id: &str) {
    let _ = id;
}

#[tokio::test]
async fn an_attribute_and_the_operations_meet_at_one_entry() {
    on_both_stores(|cache| async move {
        let (forum, runs) = (cache.namespace("forum"), Runs::default());
        let calls = async {
            assert_eq!(thread("a:b", &runs).await, 1);
            assert_eq!(
                thread_cache_path("a:b", &runs),
                forum.key(("thread", "a:b"))
            );
            assert_eq!(forum.get(("thread", "a:b")).await.unwrap(), Some(1_u32));
            forum.set(("thread", "a:b"), &7_u32).await.unwrap();
            assert_eq!(thread("a:b", &runs).await, 7);
            assert_eq!(thread_of_version_two("a:b", &runs).await, 2);
            write_thread("a:b").await;
            assert!(!forum.exists(("thread", "a:b")).await.unwrap());
            let second = forum.version(2);
            assert_eq!(second.get(("thread", "a:b")).await.unwrap(), Some(2_u32));
            assert_eq!(forum.clear().await.unwrap(), 1);
        };
        cache.scope(calls).await;
    })
    .await;
}

#[test]
fn a_pattern_of_another_version_is_dead() {
    let topology = cache_runtime::topology();
    let dead = topology.dead_patterns();
    let is_dead = |pattern: &str| dead.iter().any(|dead| dead.pattern == pattern);
    assert!(is_dead("forum:v3:thread:<<id>>"), "{dead:?}");
    assert!(!is_dead("forum:v1:thread:<<id>>:*"), "{dead:?}");
}
