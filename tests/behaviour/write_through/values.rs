//! Values that are stored, and the calls that read them.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, cacheable, write_through};
use tests::{on_both_stores, on_both_stores_with};

use super::{Source, number, write};
use crate::common::assert_about;

#[tokio::test]
async fn the_next_read_is_a_hit() {
    on_both_stores(|cache| async move {
        let source = Source::default();
        let (cache, source) = (&cache, &source);
        cache
            .scope(async move {
                assert_eq!(number(source, 1).await, 0);
                assert_eq!(write(source, 1, 5).await, Ok(5));
                assert_eq!(number(source, 1).await, 5);
                assert_eq!(source.reads(), 1);
                assert_eq!(number(source, 2).await, 5, "another key");
                assert_eq!(source.reads(), 2);
            })
            .await;
        assert_eq!(cache.get::<u32>("numbers:1").await.unwrap(), Some(5));
        assert_about(cache.ttl("numbers:1").await.unwrap(), 60);
        let stats = cache.stats();
        let mut sites = stats.sites.iter();
        let site = sites.find(|site| site.function == "write" && site.fills > 0);
        assert_eq!(
            site.map(|site| (site.fills, site.invalidated)),
            Some((1, 0))
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_is_stored_as_bytes_in_memory_too() {
    let cache = Cache::builder().memory_as_bytes(true).build().unwrap();
    let source = Source::default();
    cache.scope(write(&source, 1, 5)).await.unwrap();
    assert_eq!(cache.scope(number(&source, 1)).await, 5);
    assert_eq!(source.reads(), 0);
}

#[write_through(key = "shapes:<<id>>", ttl = 60)]
async fn shared(id: u32, found: bool) -> Result<Option<Arc<String>>, String> {
    Ok(found.then(|| Arc::new("value".to_owned())))
}

#[write_through(key = "shapes:<<id>>", ttl = 60, cache_none)]
async fn none_too(id: u32) -> Option<String> {
    None
}

#[write_through(key = "shapes:<<id>>", ttl = 60, unless = |text| text.is_empty())]
async fn unless_empty(id: u32, text: &str) -> String {
    text.to_owned()
}

#[write_through(key = "shapes:<<id>>", ttl = |text| Duration::from_secs(text.len() as u64))]
fn for_its_length(id: u32, text: &str) -> String {
    text.to_owned()
}

#[cacheable(key = "shapes:<<id>>", ttl = 60, cache_none)]
async fn shape(id: u32) -> Option<String> {
    Some("computed".to_owned())
}

#[tokio::test]
async fn the_innermost_value_is_stored() {
    on_both_stores(|cache| async move {
        let get = || async { cache.get::<String>("shapes:1").await.unwrap() };
        cache.scope(shared(1, true)).await.unwrap();
        assert_eq!(get().await.as_deref(), Some("value"));
        cache.scope(shared(1, false)).await.unwrap();
        assert_eq!(get().await, None, "a `None` isn't stored by default");
        cache.scope(none_too(1)).await;
        assert_eq!(cache.scope(shape(1)).await, None, "the stored `None`");
        cache.scope(unless_empty(1, "text")).await;
        assert_eq!(get().await.as_deref(), Some("text"));
        cache.scope(unless_empty(1, "")).await;
        assert!(!cache.exists("shapes:1").await.unwrap());
        cache.scope_sync(|| for_its_length(1, "twelve chars"));
        assert_eq!(get().await.as_deref(), Some("twelve chars"));
        assert_about(cache.ttl("shapes:1").await.unwrap(), 12);
    })
    .await;
}

#[tokio::test]
async fn the_handle_writes_through() {
    on_both_stores(|cache| async move {
        let cache = &cache;
        let saved: Result<u32, String> = cache
            .write_through("by:hand", 60, || async {
                assert!(!cache.exists("by:hand").await.unwrap());
                Ok(7)
            })
            .await;
        assert_eq!(saved, Ok(7));
        assert_eq!(cache.get::<u32>("by:hand").await.unwrap(), Some(7_u32));
        let id: Result<u32, String> = cache.write("by:hand", "text", 60, || async { Ok(8) }).await;
        assert_eq!(id, Ok(8));
        assert_eq!(
            cache.get::<String>("by:hand").await.unwrap().as_deref(),
            Some("text")
        );
        let blocking = cache.blocking();
        let saved: Result<u32, String> = blocking.write_through("by:hand", 60, || Ok(9));
        assert_eq!(
            (saved, blocking.get("by:hand").unwrap()),
            (Ok(9), Some(9_u32))
        );
        let id: Result<u32, String> = blocking.write("by:hand", &10, 60, || Ok(1));
        assert_eq!(
            (id, blocking.get("by:hand").unwrap()),
            (Ok(1), Some(10_i32))
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_that_cannot_be_stored_is_written_and_its_key_invalidated() {
    on_both_stores_with(
        |builder| builder.max_value_bytes(64),
        |cache| async move {
            let large = "x".repeat(1_000);
            cache.set("large", "old", 60).await.unwrap();
            let saved: Result<String, String> = cache
                .write_through("large", 60, || async { Ok(large.clone()) })
                .await;
            assert_eq!(saved.as_deref(), Ok(large.as_str()));
            assert!(!cache.exists("large").await.unwrap());
            cache.set("large", "old", 60).await.unwrap();
            let id: Result<u32, String> =
                cache.write("large", &large, 60, || async { Ok(1) }).await;
            assert_eq!(id, Ok(1));
            assert!(!cache.exists("large").await.unwrap());
            assert_eq!(cache.stats().too_large, 2);
        },
    )
    .await;
}

#[cacheable(namespace = "chat:v2", key = "unread:<<id>>", ttl = 60)]
async fn unread(id: u32) -> u32 {
    0
}

#[write_through(namespace = "chat:v2", key = "unread:<<id>>", ttl = 60)]
async fn count(id: u32, unread: u32) -> u32 {
    unread
}

#[tokio::test]
async fn the_attribute_and_the_namespace_write_the_same_key() {
    on_both_stores(|cache| async move {
        let chat = cache
            .namespace("chat")
            .version(2)
            .ttl(Duration::from_secs(60));
        count(1, 5).await;
        assert_eq!(unread(1).await, 5);
        assert_eq!(chat.get::<u32, _>(("unread", 1)).await.unwrap(), Some(5));
        let written: Result<(), String> = chat.write(("unread", 1), &6_u32, async || Ok(())).await;
        written.unwrap();
        assert_eq!(unread(1).await, 6);
        let written = chat.write_through(("unread", 1), async || Ok::<_, String>(7_u32));
        assert_eq!(written.await, Ok(7));
        assert_eq!(unread(1).await, 7);
        assert_eq!(cache.stats().misses, 0);
    })
    .await;
}

#[test]
fn a_disabled_cache_only_writes() {
    let cache = Cache::builder().enabled(false).build().unwrap();
    let id: Result<u32, String> = cache.blocking().write("a", &1, 60, || Ok(1));
    assert_eq!(id, Ok(1));
    assert_eq!(cache.blocking().get::<i32>("a").unwrap(), None);
}
