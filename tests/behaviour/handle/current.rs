//! Configuration by the builder, and the current cache of a scope.

use std::time::Duration;

use cache_runtime::{Cache, CacheError, cacheable, ttl};
use tests::on_both_stores;

use crate::common::assert_about;

#[cacheable(key = "preset:<<id>>", ttl = preset("user_profile"))]
fn with_preset(id: u32) -> u32 {
    id
}

#[test]
fn invalid_prefixes_are_refused() {
    for prefix in ["", "a b", "a:b", "a*", "a{b}", "é", "a\n", "a/b", "a#b"] {
        let error = Cache::builder().prefix(prefix).build().unwrap_err();
        assert!(
            matches!(error, CacheError::InvalidPrefix { .. }),
            "{prefix:?}: {error}"
        );
    }
    for prefix in ["a", "A.b-c_9", "-", "."] {
        assert_eq!(
            Cache::builder().prefix(prefix).build().unwrap().prefix(),
            prefix
        );
    }
    assert_eq!(Cache::builder().build().unwrap().prefix(), "cache");
}

#[test]
fn errors_about_a_url_name_the_cause_and_show_no_password() {
    for url in [
        "http://user:hunter2@host",
        "user:hunter2@host:6379",
        "redis://user:hunter2@host:notaport",
        "redis://user:hunter2@host:6379/notanumber",
        "redis://user:hunter2@",
        "redis://user:hunter2@[::1",
        "redis://user:hunter2",
        "redis://hunter2@host:99999",
        "redis://user:hunter2@ho st",
        "REDIS:/user:hunter2@host",
        "unix://user:hunter2@",
        "",
        "localhost",
    ] {
        let builder = Cache::builder().redis(url);
        assert!(!format!("{builder:?}").contains("hunter2"));
        let error = builder.build().unwrap_err();
        let shown = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(
            matches!(error, CacheError::InvalidUrl { .. }),
            "{url}: {shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(error.to_string().contains("redis://"), "{error}");
    }
}

#[test]
fn building_does_no_io_and_invalid_numbers_are_refused() {
    // No server listens at this address.
    Cache::builder()
        .redis("redis://:hunter2@127.0.0.1:1/3")
        .build()
        .unwrap();
    for builder in [
        Cache::builder().default_ttl(Duration::ZERO),
        Cache::builder()
            .redis("redis://127.0.0.1:1")
            .response_timeout(Duration::ZERO),
    ] {
        assert!(matches!(
            builder.build(),
            Err(CacheError::InvalidOption { .. })
        ));
    }
}

#[test]
fn ttl_constants_are_the_documented_lifetimes() {
    let seconds = [ttl::SHORT, ttl::MEDIUM, ttl::LONG, ttl::STATIC].map(|ttl| ttl.as_secs());
    assert_eq!(seconds, [60, 600, 3_600, 86_400]);
}

#[tokio::test]
async fn scopes_nest_and_restore_the_outer_cache() {
    on_both_stores(|outer| async move {
        let named = |prefix: &str| Cache::builder().prefix(prefix).build().unwrap();
        let here = || Cache::current().prefix().to_owned();
        assert_eq!(here(), "quickpost");
        named("inner")
            .scope(async {
                assert_eq!(here(), "inner");
                named("innermost").scope_sync(|| assert_eq!(here(), "innermost"));
                tokio::task::yield_now().await;
                assert_eq!(here(), "inner");
                outer.scope(async { assert_eq!(here(), "quickpost") }).await;
                let panicked =
                    std::panic::catch_unwind(|| named("x").scope_sync(|| panic!("for a test")));
                assert!(panicked.is_err());
                assert_eq!(here(), "inner");
            })
            .await;
        assert_eq!(here(), "quickpost");
        let (a, b) = (named("a"), named("b"));
        let alternating = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            here()
        };
        let other = async {
            tokio::task::yield_now().await;
            here()
        };
        assert_eq!(
            tokio::join!(a.scope(alternating), b.scope(other)),
            ("a".to_owned(), "b".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn presets_use_the_builders_ttl_and_otherwise_the_default() {
    on_both_stores(|cache| async move {
        with_preset(1);
        assert_about(cache.ttl("preset:1").await.unwrap(), 300);
    })
    .await;
    let cache = Cache::builder()
        .preset("user_profile", Duration::from_secs(77))
        .build()
        .unwrap();
    cache.scope_sync(|| with_preset(1));
    assert_about(cache.ttl("preset:1").await.unwrap(), 77);
}
