//! Log lines about values that are too large: once for each function, with the fix.

use std::sync::Arc;

use cache_runtime::{Cache, CacheBuilder, CacheError, cacheable};
use tests::{Event, PATIENCE, RedisServer, Stores, events_of};
use tracing::Level;

#[cacheable(key = "lists:<<id>>", skip(length))]
async fn list(id: u32, length: usize) -> Result<String, String> {
    Ok("x".repeat(length))
}

#[cacheable(key = "others:<<id>>", skip(length), companions = false)]
fn other(id: u32, length: usize) -> Arc<String> {
    Arc::new("x".repeat(length))
}

fn limited(builder: CacheBuilder) -> CacheBuilder {
    builder.max_value_bytes(1_000)
}

fn warnings(test: impl FnOnce()) -> Vec<Event> {
    events_of(Level::WARN, test)
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
fn a_value_too_large_is_logged_once_for_each_function_and_cache() {
    for (store, cache) in &Stores::with(limited).caches {
        let events = warnings(|| {
            run(cache.scope(async {
                for id in 0..20 {
                    list(id, 5_000).await.unwrap();
                    list_refresh(id, 6_000).await.unwrap();
                    other(id, 5_000);
                }
            }));
        });
        let seen: Vec<_> = events
            .iter()
            .map(|event| (&event.function[..], &event.key[..], &event.op[..]))
            .collect();
        let expected = [
            ("list", "quickpost:lists:0", "too_large"),
            ("other", "quickpost:others:0", "too_large"),
        ];
        assert_eq!(seen, expected, "{store}");
        let bytes = if *store == "memory" { 5_032 } else { 5_003 };
        assert_eq!(
            events[0].message,
            format!(
                "[Cache] TOO LARGE: quickpost:lists:0: the value takes {bytes} bytes, more than the limit of 1000; \
                 store a smaller value, or raise `max_value_bytes`. Further such values of `list` are counted but not logged"
            )
        );
        assert!(events.iter().all(|event| event.level == "WARN"));
        assert_eq!(cache.stats().too_large, 60, "{store}");
    }
}

#[test]
fn a_value_too_large_is_logged_once_a_subscriber_exists() {
    let cache = limited(Cache::builder()).build().unwrap();
    let call = || drop(cache.scope_sync(|| other(1, 5_000)));
    call();
    assert_eq!(events_of(Level::ERROR, call), []);
    assert_eq!(warnings(call).len(), 1);
    assert_eq!(warnings(call), []);
}

#[test]
fn explicit_operations_with_a_value_too_large_are_logged_once_each() {
    for (store, cache) in &Stores::with(limited).caches {
        let long = "x".repeat(2_000);
        let events = warnings(|| {
            let cache = cache.blocking();
            for _ in 0..3 {
                cache.set("a", &long, 60).unwrap_err();
                cache.set_many([("b", long.clone())], 60).unwrap_err();
                cache.get_or_set("c", 60, || long.clone());
            }
        });
        let seen: Vec<_> = events
            .iter()
            .map(|event| (&event.function[..], &event.key[..]))
            .collect();
        let expected = [
            ("set", "quickpost:a"),
            ("set_many", "quickpost:b"),
            ("get_or_set", "quickpost:c"),
        ];
        assert_eq!(seen, expected, "{store}");
    }
}

/// A value that the store has no room for is too large, whatever `max_value_bytes` is.
#[test]
fn memory_refuses_a_value_that_exceeds_its_capacity() {
    const CAPACITY: usize = 100_000;
    let cache = Cache::builder()
        .memory_capacity(CAPACITY)
        .max_value_bytes(usize::MAX)
        .build()
        .unwrap();
    cache.blocking().set("a", &"x".repeat(90_000), 60).unwrap();
    let events = warnings(|| {
        for _ in 0..3 {
            assert_eq!(cache.scope_sync(|| other(1, CAPACITY)).len(), CAPACITY);
        }
    });
    assert_eq!(events.len(), 1);
    assert!(
        events[0].message.contains("raise `memory_capacity`"),
        "{events:?}"
    );
    let refused = cache.blocking().set("a", &"x".repeat(CAPACITY), 60);
    assert!(matches!(refused, Err(CacheError::TooLarge { limit, .. }) if limit < CAPACITY));
    assert!(cache.blocking().exists("a").unwrap());
    assert_eq!(cache.stats().too_large, 4);
    // Checked to the byte: a value that passes the limit is stored.
    let cache = cache.blocking();
    let mut least_refused = None;
    for length in CAPACITY - 300..CAPACITY {
        if cache.set("b", &"x".repeat(length), 60).is_err() {
            least_refused = least_refused.or(Some(length));
            continue;
        }
        assert_eq!(least_refused, None, "{length} fits");
        let read = cache.get::<String>("b").unwrap();
        assert_eq!(read.map(|read| read.len()), Some(length));
    }
    assert!(least_refused.is_some_and(|length| length > CAPACITY - 300));
}

#[test]
fn redis_refuses_an_entry_over_16_mebibytes() {
    const MOST: usize = 16 << 20;
    let server = RedisServer::start();
    for generous in [false, true] {
        let builder = Cache::builder().prefix("quickpost").redis(server.url());
        let builder = builder.response_timeout(PATIENCE);
        let cache = if generous {
            builder.max_value_bytes(usize::MAX)
        } else {
            builder
        };
        let cache = cache.build().unwrap();
        let events = warnings(|| {
            for _ in 0..2 {
                assert_eq!(cache.scope_sync(|| other(1, MOST)).len(), MOST);
            }
        });
        assert_eq!(events.len(), 1);
        let message = &events[0].message;
        assert!(message.contains("try `compress_over`"), "{message}");
        let refused = cache.blocking().set("a", &"x".repeat(MOST), 60);
        assert!(matches!(
            refused,
            Err(CacheError::TooLarge { limit: MOST, .. })
        ));
        assert_eq!((cache.stats().too_large, cache.stats().errors), (3, 0));
        assert!(!cache.blocking().exists("others:1").unwrap());
    }
}
