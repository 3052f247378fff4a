//! Mismatches between functions and configuration, which are logged once.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate, write_through};
use tests::{Event, RedisServer, events_of};
use tracing::Level;

use crate::common::assert_about;

#[cacheable(key = "profiles:<<id>>", ttl = preset("no-such_preset"), companions = false)]
fn profile(id: u32) -> u32 {
    id
}

#[cacheable(key = "pages:<<id>>", ttl = preset("Pages"))]
fn page(id: u32) -> u32 {
    id
}

fn warnings(test: impl FnOnce()) -> Vec<Event> {
    events_of(Level::WARN, test)
}

fn memory(configure: impl FnOnce(CacheBuilder) -> CacheBuilder) -> Cache {
    configure(Cache::builder()).build().unwrap()
}

#[test]
fn an_unconfigured_preset_is_logged_once_and_uses_the_default_ttl() {
    let cache = memory(|builder| {
        let builder = builder.default_ttl(Duration::from_secs(77));
        builder.preset("pages", Duration::from_secs(60))
    });
    let logged = warnings(|| {
        for id in 0..3 {
            assert_eq!(cache.scope_sync(|| profile(id)), id);
            assert_eq!(cache.scope_sync(|| page(id)), id);
        }
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    assert_eq!(warning.function, "profile");
    for part in [
        "`no-such_preset`",
        "77s",
        ".preset(\"no-such_preset\", ttl)",
        "CACHE_TIMEOUT_NO_SUCH_PRESET",
        "the configured presets are `pages`",
    ] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
    assert_about(cache.blocking().ttl("profiles:0").unwrap(), 77);
}

#[test]
fn a_configured_preset_is_not_logged() {
    let cache = memory(|builder| builder.preset("no_such_preset", Duration::from_secs(60)));
    let logged = warnings(|| assert_eq!(cache.scope_sync(|| profile(1)), 1));
    assert_eq!(logged, []);
    assert_about(cache.blocking().ttl("profiles:1").unwrap(), 60);
}

#[test]
fn an_unconfigured_preset_of_a_function_that_is_not_called_is_not_logged() {
    let logged = warnings(|| drop(memory(|builder| builder)));
    assert_eq!(
        logged,
        [],
        "functions that are linked and not called are not checked"
    );
}

#[test]
fn redis_with_the_default_prefix_is_logged_when_the_cache_is_built() {
    let server = RedisServer::start();
    let logged = warnings(|| {
        let unnamed = Cache::builder().redis(server.url()).build().unwrap();
        assert_eq!(unnamed.prefix(), "cache");
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    for part in ["`cache`", ".prefix(", "CACHE_KEY_PREFIX="] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
}

#[test]
fn an_explicit_prefix_or_a_memory_store_logs_nothing() {
    let server = RedisServer::start();
    let logged = warnings(|| {
        drop(Cache::builder().build().unwrap());
        let on_redis = || Cache::builder().redis(server.url());
        drop(on_redis().prefix("quickpost").build().unwrap());
        drop(on_redis().prefix("cache").build().unwrap());
        drop(on_redis().default_prefix("quickpost").build().unwrap());
    });
    assert_eq!(logged, []);
}

#[invalidate(patterns = ["rows:<<id>>"])]
fn update(id: u32) {
    let _ = id;
}

#[write_through(key = "rows:<<id>>")]
fn replace(id: u32, row: u32) -> u32 {
    let _ = id;
    row
}

#[cacheable(key = "rows:<<id>>", stale = 60, early)]
fn row(id: u32) -> u32 {
    id
}

#[test]
fn times_without_end_are_no_panic() {
    let server = RedisServer::start();
    let builders = [
        Cache::builder(),
        Cache::builder()
            .redis(server.url())
            .response_timeout(Duration::MAX)
            .invalidation_timeout(Duration::MAX)
            .replay_window(Duration::MAX)
            .lease_ttl(Duration::MAX)
            .near_cache(1 << 20)
            .near_max_silence(Duration::MAX),
    ];
    for builder in builders {
        let builder = builder
            .default_ttl(Duration::MAX)
            .wait_timeout(Duration::MAX);
        let cache = builder.prefix("times").build().unwrap();
        cache.scope_sync(|| {
            assert_eq!((row(1), row(1)), (1, 1));
            update(1);
            assert_eq!((row(1), replace(1, 2), row(1)), (1, 2, 2));
        });
        assert_eq!((cache.stats().hits, cache.stats().misses), (2, 2));
    }
}
