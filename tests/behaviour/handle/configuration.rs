//! Mistakes between the functions and the configuration, which are said once.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, cacheable};
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
fn a_preset_that_is_configured_nowhere_is_said_once_and_lives_for_the_default() {
    let cache = memory(|builder| {
        let builder = builder.default_ttl(Duration::from_secs(77));
        builder.preset("pages", Duration::from_secs(60))
    });
    let said = warnings(|| {
        for id in 0..3 {
            assert_eq!(cache.scope_sync(|| profile(id)), id);
            assert_eq!(cache.scope_sync(|| page(id)), id);
        }
    });
    let [warning] = said.as_slice() else {
        panic!("one warning: {said:?}");
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
    let said = warnings(|| assert_eq!(cache.scope_sync(|| profile(1)), 1));
    assert_eq!(said, []);
    assert_about(cache.blocking().ttl("profiles:1").unwrap(), 60);
}

#[test]
fn a_function_that_is_not_called_logs_nothing() {
    let said = warnings(|| drop(memory(|builder| builder)));
    assert_eq!(said, [], "its crate may only be linked");
}

#[test]
fn redis_with_the_default_prefix_is_said_when_the_cache_is_built() {
    let server = RedisServer::start();
    let said = warnings(|| {
        let unnamed = Cache::builder().redis(server.url()).build().unwrap();
        assert_eq!(unnamed.prefix(), "cache");
    });
    let [warning] = said.as_slice() else {
        panic!("one warning: {said:?}");
    };
    for part in ["`cache`", ".prefix(", "CACHE_KEY_PREFIX="] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
}

#[test]
fn a_program_that_names_its_prefix_or_uses_memory_is_not_told() {
    let server = RedisServer::start();
    let said = warnings(|| {
        drop(Cache::builder().build().unwrap());
        let on_redis = || Cache::builder().redis(server.url());
        drop(on_redis().prefix("quickpost").build().unwrap());
        drop(on_redis().prefix("cache").build().unwrap());
        drop(on_redis().default_prefix("quickpost").build().unwrap());
    });
    assert_eq!(said, []);
}
