//! The `tracing` events, with and without `debug = true`.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::{CacheKey, cacheable, invalidate};
use serde::Serialize;
use tests::{Event, Stores, events_of};
use tracing::Level;
use uuid::Uuid;

use crate::common::{Post, memory};

/// A type without `Debug` and `Serialize`, which skipped and placeholder arguments don't need.
struct Secret(#[allow(dead_code)] &'static str);

struct Auth {
    user: u64,
}

#[cacheable(key = "posts:<<slug>>", ttl = 600, debug = true, skip(_db))]
async fn get_post(_db: &Secret, slug: &str) -> Result<Post, String> {
    Ok(Post::new(1, slug))
}

#[invalidate(patterns = ["posts:<<slug>>:*"], debug = true)]
async fn update_post(_db: &Secret, slug: &str) -> Result<(), String> {
    Ok(())
}

#[cacheable(key = "quiet:<<slug>>", ttl = "1500ms", skip(_db))]
fn quiet(_db: &Secret, slug: &str) -> u32 {
    1
}

#[invalidate(patterns = ["quiet:<<slug>>", "nothing"])]
fn make_quiet(slug: &str) {}

fn event(level: &str, function: &str, op: &str, key: &str, message: &str) -> Event {
    Event {
        level: level.to_owned(),
        message: message.to_owned(),
        function: function.to_owned(),
        key: key.to_owned(),
        op: op.to_owned(),
    }
}

/// Build a runtime that runs on the test's thread, where the events are collected.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn with_debug_events_are_logged_at_info_without_skipped_arguments() {
    let key = "quickpost:posts:my-post";
    let call = "[Cache] get_post | Args: {slug: my-post} | Key: quickpost:posts:my-post";
    let pattern = "quickpost:posts:my-post:*";
    let cache = memory();
    let events = events_of(Level::INFO, || {
        run(cache.scope(async {
            let db = Secret("hunter2");
            get_post(&db, "my-post").await.unwrap();
            cache.set("posts:my-post:a", &1, 60).await.unwrap();
            cache.set("posts:my-post:b", &1, 60).await.unwrap();
            get_post(&db, "my-post").await.unwrap();
            update_post(&db, "my-post").await.unwrap();
            quiet(&db, "x");
            make_quiet("x");
        }));
    });
    let expected = [
        event("INFO", "get_post", "call", key, call),
        event(
            "INFO",
            "get_post",
            "miss",
            key,
            "[Cache] MISS: quickpost:posts:my-post",
        ),
        event(
            "INFO",
            "get_post",
            "set",
            key,
            "[Cache] SET: quickpost:posts:my-post (TTL: 600s)",
        ),
        event("INFO", "get_post", "call", key, call),
        event(
            "INFO",
            "get_post",
            "hit",
            key,
            "[Cache] HIT: quickpost:posts:my-post",
        ),
        event(
            "INFO",
            "update_post",
            "invalidate",
            pattern,
            "[Cache] INVALIDATE: quickpost:posts:my-post:* (3 keys)",
        ),
    ];
    assert_eq!(events, expected);
}

#[test]
fn without_debug_events_are_logged_at_debug() {
    let key = "quickpost:quiet:x";
    let call = "[Cache] quiet | Args: {slug: x} | Key: quickpost:quiet:x";
    let cache = memory();
    let events = events_of(Level::DEBUG, || {
        cache.scope_sync(|| {
            quiet(&Secret("hunter2"), "x");
            quiet(&Secret("hunter2"), "x");
            make_quiet("x");
        });
    });
    let expected = [
        event("DEBUG", "quiet", "call", key, call),
        event(
            "DEBUG",
            "quiet",
            "miss",
            key,
            "[Cache] MISS: quickpost:quiet:x",
        ),
        event(
            "DEBUG",
            "quiet",
            "set",
            key,
            "[Cache] SET: quickpost:quiet:x (TTL: 1.5s)",
        ),
        event("DEBUG", "quiet", "call", key, call),
        event(
            "DEBUG",
            "quiet",
            "hit",
            key,
            "[Cache] HIT: quickpost:quiet:x",
        ),
        event(
            "DEBUG",
            "make_quiet",
            "invalidate",
            key,
            "[Cache] INVALIDATE: quickpost:quiet:x (1 keys)",
        ),
        event(
            "DEBUG",
            "make_quiet",
            "invalidate",
            "quickpost:nothing",
            "[Cache] INVALIDATE: quickpost:nothing (0 keys)",
        ),
    ];
    assert_eq!(events, expected);
    let cache = memory();
    assert_eq!(
        events_of(Level::INFO, || cache
            .scope_sync(|| assert_eq!(quiet(&Secret(""), "x"), 1))),
        []
    );
}

#[cacheable(
    key = "a:<<auth.user>>:<<page.unwrap_or(1)>>:<<name>>",
    debug,
    skip(_token)
)]
fn expressions(
    auth: &Auth,
    page: Option<u32>,
    name: Option<&str>,
    _token: &str,
    hashed: u8,
) -> u32 {
    1
}

/// Return the field `Args` of a call's event.
fn args_of(event: &Event) -> &str {
    let (_, rest) = event.message.split_once("| Args: ").unwrap();
    rest.split_once(" | Key: ").unwrap().0
}

#[test]
fn the_field_args_shows_the_placeholders_as_rendered() {
    let cache = memory();
    let events = events_of(Level::INFO, || {
        cache.scope_sync(|| expressions(&Auth { user: 7 }, None, Some("a:b c"), "hunter2", 9));
    });
    let message = &events[0].message;
    assert_eq!(
        args_of(&events[0]),
        "{auth.user: 7, page.unwrap_or(1): 1, name: a%3Ab%20c, hashed: 9}"
    );
    assert!(
        events
            .iter()
            .all(|event| !event.message.contains("hunter2"))
    );
    assert!(
        message.contains("Key: quickpost:a:7:1:a%3Ab%20c#"),
        "{message}"
    );
}

#[derive(Clone, Serialize)]
struct Filter {
    tags: Vec<&'static str>,
    limit: Option<u32>,
}

/// A type without `Serialize`.
#[derive(CacheKey)]
struct Reader {
    id: Uuid,
    #[cache_key(skip)]
    #[allow(dead_code)]
    password: &'static str,
}

#[cacheable(key = "list:<<tenant>>", ttl = 60, debug, skip(_db))]
async fn list(_db: &Secret, tenant: &str, page: u32, filter: &Filter, reader: &Reader) -> u32 {
    page
}

#[test]
fn hashed_arguments_are_shown_and_skipped_ones_are_not() {
    let filter = Filter {
        tags: vec!["a", "b\n"],
        limit: Some(10),
    };
    let reader = Reader {
        id: Uuid::from_u128(1),
        password: "hunter2",
    };
    for (store, cache) in &Stores::new().caches {
        let events = events_of(Level::INFO, || {
            run(cache.scope(async {
                let db = Secret("hunter2");
                list(&db, "acme", 2, &filter, &reader).await;
                list(&db, "acme", 2, &filter, &reader).await;
                list_invalidate(&db, "acme", 2, &filter, &reader)
                    .await
                    .unwrap();
            }));
        });
        let calls: Vec<_> = events.iter().filter(|event| event.op == "call").collect();
        assert_eq!(calls.len(), 3, "{store}");
        for call in calls {
            assert_eq!(
                args_of(call),
                "{tenant: acme, page: 2, filter: {tags: [a, b\\n], limit: 10}, \
                 reader: {id: 00000000-0000-0000-0000-000000000001}}",
                "{store}"
            );
        }
        let log = format!("{events:?}");
        assert!(!log.contains("hunter2"), "{log}");
        assert!(events.iter().any(|event| event.op == "hit"), "{store}");
    }
}

#[test]
fn two_variants_of_a_path_are_distinguished_in_the_log() {
    let long = "a".repeat(100);
    let filter = |limit| Filter {
        tags: Vec::new(),
        limit,
    };
    let reader = Reader {
        id: Uuid::nil(),
        password: "",
    };
    for (store, cache) in &Stores::new().caches {
        let events = events_of(Level::INFO, || {
            run(cache.scope(async {
                for limit in [None, Some(1)] {
                    list(&Secret(""), "acme", 1, &filter(limit), &reader).await;
                }
                // The first characters, which are shown, are the same.
                for last in ["b", "c"] {
                    texts(&format!("{long}{last}"));
                }
            }));
        });
        let calls: Vec<_> = events.iter().filter(|event| event.op == "call").collect();
        let [none, some, b, c] = calls[..] else {
            panic!("{store}: {calls:?}")
        };
        assert!(args_of(none).contains("limit: None"), "{none:?}");
        assert!(args_of(some).contains("limit: 1"), "{some:?}");
        assert_ne!(none.key, some.key, "{store}");
        assert_eq!(args_of(b), format!("{{text: {}…}}", &long[..60]));
        assert_eq!(args_of(b), args_of(c));
        assert_ne!(b.key, c.key, "{store}");
        for call in [b, c] {
            let (path, variant) = call.key.split_once('#').unwrap();
            assert_eq!((path, variant.len()), ("quickpost:texts", 26), "{store}");
            assert!(call.message.ends_with(&call.key), "{call:?}");
        }
    }
}

#[cacheable(key = "texts", debug)]
fn texts(text: &str) -> u32 {
    1
}

#[cacheable(debug)]
fn without_a_key<T: CacheKey>(id: u8, value: T) -> u8 {
    id
}

#[cacheable(key = "near:<<a>><<b>>", debug)]
fn adjacent(a: &str, b: &str, page: u8) -> u8 {
    page
}

#[cacheable(key = "items:<<id>>", ttl = 60, debug, each = ids)]
fn items(ids: &[u32], language: &str) -> HashMap<u32, String> {
    ids.iter().map(|id| (*id, language.to_owned())).collect()
}

#[test]
fn the_bytes_before_the_hashed_arguments_are_not_shown_as_arguments() {
    for (store, cache) in &Stores::new().caches {
        let events = events_of(Level::INFO, || {
            cache.scope_sync(|| {
                without_a_key(1, "a");
                without_a_key(2, Some([3]));
                adjacent("x", "y", 3);
                items(&[1, 2], "en");
                items_no_cache(&[1], "en");
            });
        });
        let calls = events.iter().filter(|event| event.op == "call");
        let args: Vec<_> = calls.map(args_of).collect();
        let expected = [
            "{id: 1, value: a}",
            "{id: 2, value: (3)}",
            "{a: x, b: y, page: 3}",
            "{id: 1, language: en}",
            "{id: 2, language: en}",
        ];
        assert_eq!(args, expected, "{store}");
    }
}

#[cacheable(key = "slow:<<id>>", debug)]
fn failing(id: u32) -> Result<u32, String> {
    Err("hunter2".to_owned())
}

#[test]
fn an_err_is_logged_as_a_miss_without_a_set() {
    let cache = memory();
    let events = events_of(Level::TRACE, || {
        cache.scope_sync(|| failing(1).unwrap_err());
    });
    let ops: Vec<&str> = events.iter().map(|event| &event.op[..]).collect();
    assert_eq!(ops, ["call", "miss"]);
}

#[test]
fn an_outage_is_logged_once_without_the_password() {
    let cache = cache_runtime::Cache::builder()
        .prefix("quickpost")
        .redis("redis://user:hunter2@127.0.0.1:1")
        .response_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    // The cache's own thread logs the outage, once.
    let events = events_of(Level::INFO, || {
        for _ in 0..3 {
            cache.scope_sync(|| quiet(&Secret(""), "x"));
        }
    });
    assert_eq!(events, []);
    let error = cache.blocking().get::<u32>("x").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn events_of_both_stores_reach_the_callers_subscriber() {
    for (store, cache) in &Stores::new().caches {
        let events = events_of(Level::INFO, || {
            run(cache.scope(async {
                let db = Secret("hunter2");
                get_post(&db, "a").await.unwrap();
                get_post(&db, "a").await.unwrap();
                update_post(&db, "a").await.unwrap();
                get_post_invalidate(&db, "a").await.unwrap();
            }));
        });
        let messages: Vec<&str> = events.iter().map(|event| &event.message[..]).collect();
        let call = "[Cache] get_post | Args: {slug: a} | Key: quickpost:posts:a";
        let expected = [
            call,
            "[Cache] MISS: quickpost:posts:a",
            "[Cache] SET: quickpost:posts:a (TTL: 600s)",
            call,
            "[Cache] HIT: quickpost:posts:a",
            "[Cache] INVALIDATE: quickpost:posts:a:* (1 keys)",
            call,
            "[Cache] INVALIDATE: quickpost:posts:a (0 keys)",
        ];
        assert_eq!(messages, expected, "{store}");
    }
}
