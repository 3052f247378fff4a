//! `#[invalidate]` on the same function.

use cache_runtime::{invalidate, write_through};
use tests::on_both_stores;

#[write_through(key = "rooms:<<id>>:messages", ttl = 60)]
#[invalidate(patterns = ["rooms:<<id>>:unread", "rooms:<<other>>:messages", "users:<<result>>:*"])]
async fn add(id: u32, other: u32, ok: bool) -> Result<u32, String> {
    ok.then_some(7).ok_or_else(String::new)
}

#[invalidate(patterns = ["rooms:<<id>>:unread"])]
#[write_through(key = "rooms:<<id>>:messages", ttl = 60)]
fn add_blocking(id: u32) -> Option<u32> {
    Some(8)
}

#[tokio::test]
async fn the_other_entries_are_removed_and_the_value_is_stored() {
    on_both_stores(|cache| async move {
        let keys = ["rooms:1:unread", "rooms:2:messages", "users:7:x"];
        for key in keys {
            cache.set(key, &1, 60).await.unwrap();
        }
        cache.scope(add(1, 2, false)).await.unwrap_err();
        for key in keys {
            assert!(cache.exists(key).await.unwrap(), "{key}");
        }
        cache.scope(add(1, 2, true)).await.unwrap();
        for key in keys {
            assert!(!cache.exists(key).await.unwrap(), "{key}");
        }
        assert_eq!(cache.get("rooms:1:messages").await.unwrap(), Some(7_u32));
        cache.set("rooms:1:unread", &1, 60).await.unwrap();
        cache.scope_sync(|| add_blocking(1));
        assert!(!cache.exists("rooms:1:unread").await.unwrap());
        assert_eq!(cache.get("rooms:1:messages").await.unwrap(), Some(8_u32));
    })
    .await;
}

#[tokio::test]
async fn a_pattern_that_happens_to_match_the_key_wins() {
    on_both_stores(|cache| async move {
        cache.scope(add(1, 1, true)).await.unwrap();
        assert!(!cache.exists("rooms:1:messages").await.unwrap());
    })
    .await;
}
