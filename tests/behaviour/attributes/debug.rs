//! The `tracing` events, with and without `debug = true`.

use std::time::Duration;

use cache_runtime::{cacheable, invalidate};
use tests::{Event, Stores, events_of};
use tracing::Level;

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

#[test]
fn the_field_args_shows_the_placeholders_as_rendered() {
    let cache = memory();
    let events = events_of(Level::INFO, || {
        cache.scope_sync(|| expressions(&Auth { user: 7 }, None, Some("a:b c"), "hunter2", 9));
    });
    let message = &events[0].message;
    let args = message
        .split_once("| Args: ")
        .unwrap()
        .1
        .split_once(" | Key: ")
        .unwrap()
        .0;
    assert_eq!(
        args,
        "{auth.user: 7, page.unwrap_or(1): 1, name: a%3Ab%20c}"
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
