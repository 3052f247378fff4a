//! `#[derive(CacheStrategy)]`: an entry as a type.

use cache_runtime::{CacheStrategy, cacheable, topology};
use tests::{Runs, on_both_stores};

use crate::common::assert_about;

#[derive(CacheStrategy)]
#[cache(
    namespace = "chat",
    ttl = 1800,
    key = "conversation:<<conversation_id>>:messages:<<language.as_str()>>",
    value = Vec<String>
)]
struct ConversationMessages {
    conversation_id: i64,
    language: String,
}

impl ConversationMessages {
    fn new(conversation_id: i64, language: &str) -> Self {
        Self {
            conversation_id,
            language: language.to_owned(),
        }
    }
}

#[derive(CacheStrategy)]
#[cache(key = "online", value = u32)]
struct Online;

#[cacheable(
    namespace = "chat",
    key = "conversation:<<id>>:messages:<<language>>",
    skip(runs)
)]
async fn messages(id: i64, language: &str, runs: &Runs) -> Vec<String> {
    vec![runs.next().to_string()]
}

#[tokio::test]
async fn a_strategy_reads_sets_fetches_and_invalidates_its_entry() {
    on_both_stores(|cache| async move {
        let test = async {
            let german = ConversationMessages::new(7, "de:*");
            assert_eq!(german.path(), "chat:v1:conversation:7:messages:de%3A%2A");
            assert_eq!(german.get().await.unwrap(), None);
            let (value, runs) = (vec!["hallo".to_owned()], Runs::default());
            german.set(&value).await.unwrap();
            assert_eq!(german.get().await.unwrap().as_ref(), Some(&value));
            assert_about(cache.ttl(&german.path()).await.unwrap(), 1_800);
            // An attribute and a namespace share the entry.
            assert_eq!(messages(7, "de:*", &runs).await, value);
            let chat = cache.namespace("chat");
            assert!(
                chat.exists(("conversation", 7, "messages", "de:*"))
                    .await
                    .unwrap()
            );
            assert!(german.invalidate().await.unwrap());
            assert!(!german.invalidate().await.unwrap());

            let english = ConversationMessages::new(7, "en");
            for _ in 0..2 {
                let fetched = english.fetch(|| async { vec![runs.next().to_string()] });
                assert_eq!(fetched.await, ["1"]);
            }
            assert_eq!(Online.fetch(|| async { 3 }).await, 3);
            assert_about(cache.ttl("online").await.unwrap(), 300);
        };
        cache.scope(test).await;
    })
    .await;
}

#[tokio::test]
async fn a_write_stores_the_value_once_the_source_has_it() {
    on_both_stores(|cache| async move {
        let test = async {
            let entry = ConversationMessages::new(1, "en");
            let value = vec!["hello".to_owned()];
            let saved = entry.write(&value, || async { Ok::<_, ()>(42) });
            assert_eq!(saved.await, Ok(42));
            assert_eq!(entry.get().await.unwrap(), Some(value.clone()));
            let failed = entry.write(value, || async { Err::<(), _>("no") });
            assert_eq!(failed.await, Err("no"));
            assert_eq!(entry.get().await.unwrap(), None);
        };
        cache.scope(test).await;
    })
    .await;
}

#[test]
fn topology_lists_strategies() {
    let topology = topology();
    let mut reads = topology.reads.iter();
    let read = reads.find(|read| read.function == "ConversationMessages");
    assert_eq!(read.expect("it is registered").ttl.to_string(), "1800s");
}

/// A value without a text.
struct Unwritable;

impl std::fmt::Display for Unwritable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[derive(CacheStrategy)]
#[cache(key = "drafts:<<id>>", value = u32)]
struct Draft {
    id: Unwritable,
}

/// Neither is it the pattern that matches all drafts.
#[test]
fn two_values_that_cannot_be_written_share_no_entry() {
    let (one, two) = (Draft { id: Unwritable }, Draft { id: Unwritable });
    assert_ne!(one.path(), two.path());
    assert!(!one.path().contains('*'), "{}", one.path());
    let id = Unwritable;
    assert_ne!(
        cache_runtime::key!("drafts:<<id>>"),
        cache_runtime::key!("drafts:<<id>>")
    );
    assert_eq!(cache_runtime::pattern!("drafts:<<id>>:*"), "drafts:*:*");
}
