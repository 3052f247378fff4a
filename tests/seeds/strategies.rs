//! core.caching: the key builder and the strategies, on a chat and a feed.

use std::convert::Infallible;
use std::time::Duration;

use cache_runtime::{ANY, Cache, CacheError, CacheStrategy, cacheable, invalidate, write_through};
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer, begin, on_both_stores};

use crate::common::{assert_about, fill, present};
use crate::table::Table;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Message {
    id: u64,
    conversation: i64,
    text: String,
}

#[derive(Clone, Default)]
struct Db {
    messages: Table<u64, Message>,
    posts: Table<u64, String>,
}

impl Db {
    async fn insert(&self, conversation: i64, text: &str) {
        let id = self.messages.select(|_| true).await.len() as u64 + 1;
        let text = text.to_owned();
        let message = Message {
            id,
            conversation,
            text,
        };
        self.messages.save(id, message).await;
    }

    /// The latest fifty messages, newest first.
    async fn latest(&self, conversation: i64) -> Vec<Message> {
        let of = |message: &Message| message.conversation == conversation;
        let mut messages = self.messages.select(of).await;
        messages.reverse();
        messages.truncate(50);
        messages
    }
}

/// The messages of a conversation, as a type.
#[derive(CacheStrategy)]
#[cache(
    namespace = "chat",
    ttl = 1800,
    key = "conversation:<<conversation_id>>:messages",
    value = Vec<Message>
)]
struct ConversationMessages {
    conversation_id: i64,
}

/// The same entry, as functions.
#[cacheable(
    namespace = "chat",
    key = "conversation:<<id>>:messages",
    ttl = 1800,
    skip(db)
)]
async fn messages(db: &Db, id: i64) -> Vec<Message> {
    db.latest(id).await
}

#[write_through(namespace = "chat", key = "conversation:<<id>>:messages", ttl = 1800)]
#[invalidate(namespace = "chat", patterns = ["conversation:<<id>>:unread"])]
async fn add_message(db: &Db, id: i64, text: &str) -> Result<Vec<Message>, Infallible> {
    db.insert(id, text).await;
    Ok(db.latest(id).await)
}

#[cacheable(namespace = "chat", key = "conversation:<<id>>:unread", skip(db))]
async fn unread(db: &Db, id: i64) -> usize {
    db.latest(id).await.len()
}

#[cacheable(
    namespace = "feed",
    key = "user:<<user_id>>:feed:page_<<page>>",
    ttl = 3600,
    skip(db)
)]
async fn feed(db: &Db, user_id: u64, page: u32) -> Vec<String> {
    db.posts.select(|_| true).await
}

#[invalidate(namespace = "feed", patterns = ["user:<<follower>>:feed:*"])]
async fn publish(db: &Db, id: u64, text: &str, follower: u64) {
    db.posts.save(id, text.to_owned()).await;
}

/// Whether a user is online: the entry is the fact, and it ends by itself.
#[derive(CacheStrategy)]
#[cache(namespace = "chat", ttl = 60, key = "user:<<user_id>>:online", value = bool)]
struct Online {
    user_id: u64,
}

impl Online {
    async fn mark(&self) -> Result<(), CacheError> {
        self.set(&true).await
    }

    /// A failing cache says that the user is offline.
    async fn is_online(&self) -> bool {
        self.get().await.ok().flatten().unwrap_or(false)
    }
}

// Components.

#[tokio::test]
async fn keys_and_patterns_are_built_from_parts() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat");
        let key = chat.key(("conversation", 123, "messages"));
        assert_eq!(key, "chat:v1:conversation:123:messages");
        let pattern = chat.pattern(("conversation", ANY, "messages"));
        assert_eq!(pattern, "chat:v1:conversation:*:messages");
        let other = chat.key(("conversation", 123, "members"));
        fill(&cache, &[&key, &other]).await;
        assert_eq!(chat.invalidate(pattern).await.unwrap(), 1);
        assert_eq!(present(&cache, &[&key, &other]).await, [&other]);
        // A part is one segment, whatever is in it, and no wildcard.
        assert_eq!(
            chat.key(("conversation", "1:*")),
            "chat:v1:conversation:1%3A%2A"
        );
    })
    .await;
}

#[tokio::test]
async fn the_base_strategy_is_a_namespace() {
    on_both_stores(|cache| async move {
        let feed = cache.namespace("feed").ttl(Duration::from_secs(3_600));
        assert_eq!(feed.get::<u32, _>(("post", 1)).await.unwrap(), None);
        assert_eq!(feed.get_or(("post", 1), 7).await.unwrap(), 7);
        feed.set(("post", 1), &1).await.unwrap();
        assert_about(feed.ttl(("post", 1)).await.unwrap(), 3_600);
        feed.set_for(("post", 1), &1, 60).await.unwrap();
        assert_about(feed.ttl(("post", 1)).await.unwrap(), 60);
        feed.set_many([(("post", 2), 2), (("post", 3), 3)])
            .await
            .unwrap();
        let many = feed.get_many([("post", 1), ("post", 3), ("post", 4)]).await;
        assert_eq!(many.unwrap(), [Some(1), Some(3), None]);
        assert!(feed.delete(("post", 1)).await.unwrap());
        assert!(!feed.exists(("post", 1)).await.unwrap());
        for _ in 0..2 {
            assert_eq!(feed.get_or_set(("post", 4), || async { 4 }).await, 4);
        }
        assert_eq!(cache.stats().misses, 1 + 1 + 1 + 1);
        // A refresh of one entry.
        assert_eq!(feed.invalidate(feed.pattern(("post", 4))).await.unwrap(), 1);
        assert_eq!(feed.get_or_set(("post", 4), || async { 5 }).await, 5);
    })
    .await;
}

#[tokio::test]
async fn a_write_persists_and_the_next_read_is_a_hit() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat").ttl(Duration::from_secs(1_800));
        let (table, parts) = (Table::<u64, String>::default(), ("topic", 1));
        let text = "lunch".to_owned();
        let persist = || async {
            table.save(1, text.clone()).await;
            Ok::<(), &str>(())
        };
        assert_eq!(chat.write(parts, &text, persist).await, Ok(()));
        assert_eq!(table.find(&1).await.as_ref(), Some(&text));
        assert_eq!(chat.get(parts).await.unwrap(), Some(text.clone()));
        // If the source refuses the value, the cache doesn't have it either.
        let refuse = || async { Err::<(), _>("no") };
        let refused = chat.write(parts, "dinner", refuse).await;
        assert_eq!(refused, Err("no"));
        assert!(!chat.exists(parts).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_fetch_asks_the_source_once() {
    on_both_stores(|cache| async move {
        let (feed, db) = (cache.namespace("feed"), Db::default());
        db.posts.save(1, "first".to_owned()).await;
        for _ in 0..2 {
            let fetch = || async { db.posts.select(|_| true).await };
            let posts: Vec<String> = feed.fetch(("user", 42, "feed"), fetch).await;
            assert_eq!(posts, ["first"]);
        }
        assert_eq!(db.posts.queries(), 1);
    })
    .await;
}

// A strategy of a domain.

#[tokio::test]
async fn a_strategy_is_a_struct_with_a_key() {
    on_both_stores(|cache| async move {
        let db = Db::default();
        db.insert(123, "hello").await;
        let entry = ConversationMessages {
            conversation_id: 123,
        };
        assert_eq!(entry.path(), "chat:v1:conversation:123:messages");
        // Without an entry: a default.
        assert_eq!(entry.get().await.unwrap().unwrap_or_default(), []);
        let found = entry.fetch(|| db.latest(123)).await;
        assert_eq!(entry.get().await.unwrap(), Some(found.clone()));
        assert_about(cache.ttl(&entry.path()).await.unwrap(), 1_800);
        entry.set(&Vec::new()).await.unwrap();
        assert_eq!(entry.get().await.unwrap(), Some(Vec::new()));
        // The function of the same key reads the same entry.
        assert_eq!(messages(&db, 123).await, []);
    })
    .await;
}

#[tokio::test]
async fn views_get_and_invalidate_messages() {
    on_both_stores(|_| async {
        let db = Db::default();
        db.insert(123, "hello").await;
        assert_eq!(messages(&db, 123).await.len(), 1);
        db.insert(123, "written past the cache").await;
        assert_eq!(messages(&db, 123).await.len(), 1);
        let entry = ConversationMessages {
            conversation_id: 123,
        };
        assert!(entry.invalidate().await.unwrap());
        assert_eq!(messages(&db, 123).await.len(), 2);
    })
    .await;
}

// Use cases.

#[tokio::test]
async fn a_new_message_is_in_the_database_and_in_the_cache() {
    on_both_stores(|cache| async move {
        let db = Db::default();
        assert_eq!(unread(&db, 1).await, 0);
        for number in 1..=51 {
            add_message(&db, 1, &number.to_string()).await.unwrap();
        }
        let queries = db.messages.queries();
        let cached = messages(&db, 1).await;
        assert_eq!((&*cached[0].text, cached.len()), ("51", 50));
        // That was a hit.
        assert_eq!(db.messages.queries(), queries);
        assert_eq!(cache.stats().hits, 1);
        assert_eq!(unread(&db, 1).await, 50);
    })
    .await;
}

/// The list is read from the database and not changed in the cache, so no message is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_added_at_once_are_all_there() {
    on_both_stores(|cache| async move {
        let db = Db::default();
        let mut writers = Vec::new();
        for conversation in [1, 1, 1, 1, 2] {
            let db = db.clone();
            // Each message has an id of its own.
            let id = writers.len() as u64 + 1;
            let message = Message {
                id,
                conversation,
                text: String::new(),
            };
            writers.push(tokio::spawn(cache.scope(async move {
                add_with_id(&db, conversation, message).await.unwrap();
            })));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(messages(&db, 1).await.len(), 4);
        assert_eq!(messages(&db, 2).await.len(), 1);
    })
    .await;
}

#[write_through(namespace = "chat", key = "conversation:<<id>>:messages", ttl = 1800)]
async fn add_with_id(db: &Db, id: i64, message: Message) -> Result<Vec<Message>, Infallible> {
    db.messages.save(message.id, message).await;
    Ok(db.latest(id).await)
}

#[tokio::test]
async fn each_page_of_a_feed_is_cached_and_a_post_removes_all_of_them() {
    on_both_stores(|cache| async move {
        let db = Db::default();
        db.posts.save(1, "first".to_owned()).await;
        for _ in 0..2 {
            for page in [1, 2] {
                feed(&db, 42, page).await;
            }
            feed(&db, 420, 1).await;
        }
        assert_eq!(db.posts.queries(), 3);
        let path = "feed:v1:user:42:feed:page_2";
        assert_about(cache.ttl(path).await.unwrap(), 3_600);
        publish(&db, 2, "second", 42).await;
        assert_eq!(feed(&db, 42, 1).await.len(), 2);
        assert_eq!(feed(&db, 42, 2).await.len(), 2);
        assert_eq!(feed(&db, 420, 1).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_user_is_online_for_a_minute() {
    on_both_stores(|cache| async move {
        let user = Online { user_id: 7 };
        assert!(!user.is_online().await);
        user.mark().await.unwrap();
        assert!(user.is_online().await);
        assert!(!Online { user_id: 8 }.is_online().await);
        assert_about(cache.ttl(&user.path()).await.unwrap(), 60);
    })
    .await;
    // Here the test moves the clock.
    let cache = cache_runtime::testing::cache();
    let test = async {
        let user = Online { user_id: 7 };
        user.mark().await.unwrap();
        cache.clock().advance(Duration::from_secs(59));
        assert!(user.is_online().await);
        cache.clock().advance(Duration::from_secs(2));
        assert!(!user.is_online().await);
    };
    cache.scope(test).await;
}

// Configuration and debugging.

#[tokio::test]
async fn one_line_names_the_redis() {
    let server = RedisServer::start();
    let cache = Cache::builder().redis(server.url());
    let cache = cache
        .prefix("core")
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    cache.namespace("chat").set("online", &1).await.unwrap();
    let key = "core:chat:v1:online";
    let exists = redis::cmd("EXISTS").arg(key).query(&mut server.connect());
    assert_eq!(exists, Ok(1));
}

#[tokio::test]
async fn the_handle_checks_counts_and_clears() {
    on_both_stores(|cache| async move {
        let chat = cache.namespace("chat");
        chat.set("online", &1).await.unwrap();
        chat.version(2).set("online", &1).await.unwrap();
        cache.namespace("chatter").set("online", &1).await.unwrap();
        let store = cache.store_stats().await.unwrap();
        assert_eq!((store.entries, store.evictions), (3, 0));
        let health = cache.health().await;
        assert!(health.healthy);
        assert_eq!(health.store, store.store);
        // Every version of this namespace, and no other.
        assert_eq!(chat.clear().await.unwrap(), 2);
        let paths = ["chat:v1:online", "chat:v2:online", "chatter:v1:online"];
        assert_eq!(present(&cache, &paths).await, paths[2..]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_is_one_query() {
    on_both_stores(|cache| async move {
        let db = Db::default();
        let gate = tests::Gate::new();
        let mut callers = Vec::new();
        for _ in 0..20 {
            let (cache, db, gate) = (cache.clone(), db.clone(), gate.clone());
            let here = cache.clone();
            callers.push(
                begin(&here, async move {
                    let fetch = || async {
                        gate.pass().await;
                        db.posts.select(|_| true).await.len()
                    };
                    cache.namespace("feed").fetch("popular", fetch).await
                })
                .await,
            );
        }
        gate.open();
        assert_eq!(tests::all(callers).await, [0; 20]);
        assert_eq!(db.posts.queries(), 1);
    })
    .await;
}
