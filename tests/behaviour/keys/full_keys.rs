//! The explicit operations accept a path or a full key, also where a path begins with the prefix.

use std::time::Duration;

use cache_runtime::{Cache, cacheable, key};
use tests::{on_both_stores, on_both_stores_with};

use crate::common::memory;

#[cacheable(key = "full:<<id>>")]
fn keyed(id: &str) -> String {
    id.to_owned()
}

#[cacheable(key = "full:<<id>>")]
fn hashed(id: &str, page: u32) -> String {
    format!("{id}{page}")
}

#[cacheable]
fn keyless(id: u32) -> String {
    id.to_string()
}

async fn is_found(cache: &Cache, key: &str, value: &str) {
    assert!(cache.exists(key).await.unwrap(), "{key} exists");
    assert!(
        cache.ttl(key).await.unwrap() > Some(Duration::ZERO),
        "{key} has a TTL"
    );
    let found: Option<String> = cache.get(key).await.unwrap();
    assert_eq!(found.as_deref(), Some(value), "{key}");
    let many: Vec<Option<String>> = cache.get_many([key]).await.unwrap();
    assert_eq!(many, [Some(value.to_owned())], "{key}");
    let computed = || async { "computed".to_owned() };
    assert_eq!(cache.get_or_set(key, 60, computed).await, value, "{key}");
}

async fn is_gone(cache: &Cache, key: &str) {
    assert!(!cache.exists(key).await.unwrap(), "{key} doesn't exist");
    assert_eq!(cache.ttl(key).await.unwrap(), None);
    assert_eq!(cache.get::<String>(key).await.unwrap(), None);
}

#[tokio::test]
async fn operations_find_an_entry_by_its_full_key_and_by_its_path() {
    on_both_stores(|cache| async move {
        assert_eq!(keyed_cache_path("a:b"), "full:a%3Ab");
        assert_eq!(keyed_cache_key("a:b"), "quickpost:full:a%3Ab");
        /// A call that stores an entry, its key, its path, and its value.
        type Call = (fn(), String, String, &'static str);
        let calls: [Call; 3] = [
            (
                || drop(keyed("a:b")),
                keyed_cache_key("a:b"),
                keyed_cache_path("a:b"),
                "a:b",
            ),
            (
                || drop(hashed("a", 7)),
                hashed_cache_key("a", 7),
                hashed_cache_path("a", 7),
                "a7",
            ),
            (
                || drop(keyless(7)),
                keyless_cache_key(7),
                keyless_cache_path(7),
                "7",
            ),
        ];
        for (call, full, path, value) in calls {
            assert_eq!(full, format!("quickpost:{path}"));
            for key in [&full, &path] {
                is_gone(&cache, key).await;
                call();
                is_found(&cache, key, value).await;
                assert!(cache.delete(key).await.unwrap(), "{key} is deleted");
                is_gone(&cache, &full).await;
                is_gone(&cache, &path).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_function_returns_a_value_set_by_its_full_key() {
    on_both_stores(|cache| async move {
        let set = "set".to_owned();
        cache.set(&keyed_cache_key("1"), &set, 60).await.unwrap();
        assert_eq!(keyed("1"), "set");
        let entries = [(keyed_cache_key("2"), set.clone())];
        cache.set_many(entries, 60).await.unwrap();
        assert_eq!(keyed("2"), "set");
        let computed = || async { "computed".to_owned() };
        cache.get_or_set(&keyed_cache_key("3"), 60, computed).await;
        assert_eq!(keyed("3"), "computed");
        // Keys that match no template.
        cache.set("any:thing", &1, 60).await.unwrap();
        assert_eq!(cache.get("quickpost:any:thing").await.unwrap(), Some(1));
        // Keys of other prefixes are not reached.
        assert_eq!(
            cache.get::<i32>("quickpost2:any:thing").await.unwrap(),
            None
        );
        assert_eq!(cache.get::<i32>("other:any:thing").await.unwrap(), None);
    })
    .await;
}

#[test]
fn the_blocking_handle_accepts_full_keys() {
    let cache = memory();
    cache.scope_sync(|| keyed("1"));
    let (full, blocking) = ("quickpost:full:1", cache.blocking());
    assert_eq!(blocking.get(full).unwrap(), Some("1".to_owned()));
    assert!(blocking.exists(full).unwrap() && blocking.ttl(full).unwrap().is_some());
    assert!(blocking.delete(full).unwrap());
    blocking.set(full, "set", 60).unwrap();
    assert_eq!(cache.scope_sync(|| keyed("1")), "set");
    assert_eq!(blocking.get_or_set(full, 60, String::new), "set");
}

#[cacheable(key = "<<tenant>>:full-users")]
fn users_of(tenant: &str) -> String {
    format!("those of {tenant}")
}

#[cacheable(key = "full-users")]
fn all_users() -> String {
    "all".to_owned()
}

#[cacheable(key = "pre:literal:<<id>>")]
fn begins_with_the_prefix(id: u32) -> String {
    format!("p{id}")
}

/// The prefix is `pre`. A tenant of that name must not reach entries without a tenant.
#[tokio::test]
async fn a_path_that_begins_with_the_prefix_is_not_taken_for_a_full_key() {
    let prefixed = |builder: cache_runtime::CacheBuilder| builder.prefix("pre");
    on_both_stores_with(prefixed, |cache| async move {
        all_users();
        for tenant in ["pre", "other"] {
            users_of(tenant);
            let value = format!("those of {tenant}");
            is_found(&cache, &users_of_cache_path(tenant), &value).await;
            is_found(&cache, &key!("<<tenant>>:full-users"), &value).await;
        }
        // Only a `key!` has this template.
        let tenant = "pre";
        let path = key!("<<tenant>>:full:1");
        keyed("1");
        assert_eq!(cache.get::<String>(&path).await.unwrap(), None);
        cache.set(&path, "of a tenant", 60).await.unwrap();
        assert_eq!(keyed("1"), "1");
        is_found(&cache, &path, "of a tenant").await;
        is_found(&cache, "full:1", "1").await;

        // `key!` returns the full key only where the path would be taken for a full key.
        assert_eq!(users_of_cache_path("pre"), "pre:pre:full-users");
        assert_eq!(users_of_cache_path("other"), "other:full-users");
        assert_eq!(all_users_cache_path(), "full-users");

        begins_with_the_prefix(1);
        is_found(&cache, &begins_with_the_prefix_cache_path(1), "p1").await;
        is_found(&cache, &begins_with_the_prefix_cache_key(1), "p1").await;
        assert_eq!(begins_with_the_prefix_cache_key(1), "pre:pre:literal:1");
    })
    .await;
}
