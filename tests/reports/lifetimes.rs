//! TTLs and timeouts at their limits: zero, fractions, the longest.

use std::time::Duration;

use cache_runtime::{Cache, CacheError, Clock, cacheable};
use tests::{RedisServer, on_both_stores, on_both_stores_with};

use crate::common::{Runs, memory, on_redis};

const DAY: Duration = Duration::from_secs(86_400);

#[cacheable(key = "long:<<id>>", ttl = |_: &u32| Duration::MAX, skip(runs))]
async fn longest(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "long:jitter:<<id>>", ttl = Duration::MAX, jitter = 0.9, skip(runs))]
async fn longest_spread(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(
    key = "long:stale:<<id>>",
    ttl = u64::MAX,
    stale = "36500d",
    stale_if_error = "36500d",
    early = true,
    jitter = 0.9,
    skip(runs)
)]
async fn longest_stale(id: u32, runs: &Runs) -> Result<u32, String> {
    Ok(runs.next())
}

// The longest duration overflows the clock: the entry expires at once, or the call panics.
#[tokio::test]
async fn a_ttl_of_the_longest_duration_is_stored() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..3 {
            assert_eq!(longest(1, &runs).await, 1);
            assert_eq!(longest_spread(1, &runs).await, 2);
            assert_eq!(longest_stale(1, &runs).await, Ok(3));
        }
        for ttl in [
            Duration::MAX,
            Duration::from_secs(u64::MAX),
            400 * 365 * DAY,
        ] {
            cache.set("max", &1, ttl).await.unwrap();
            cache
                .set_many([("max:a", 1), ("max:b", 2)], ttl)
                .await
                .unwrap();
            assert_eq!(cache.get::<i32>("max").await.unwrap(), Some(1));
            assert_eq!(cache.get::<i32>("max:b").await.unwrap(), Some(2));
            assert!(cache.ttl("max").await.unwrap().unwrap() > 300 * 365 * DAY);
        }
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}

// A lifetime of more milliseconds than 31 or 32 bits hold ends after minutes.
#[tokio::test]
async fn a_ttl_of_months_is_not_truncated() {
    on_both_stores(|cache| async move {
        for days in [24, 25, 49, 50, 400] {
            cache.set("days", &days, days * DAY).await.unwrap();
            let left = cache.ttl("days").await.unwrap().unwrap();
            assert!(left <= days * DAY && left > days * DAY - Duration::from_secs(60));
        }
    })
    .await;
}

// A TTL below one unit of the store is sent as 0, which the store refuses or treats as no expiry.
#[tokio::test]
async fn a_ttl_below_one_millisecond_is_no_error_and_expires() {
    on_both_stores(|cache| async move {
        for ttl in [Duration::from_nanos(1), Duration::from_micros(999)] {
            cache.set("short", &1, ttl).await.unwrap();
            cache.set_many([("short:a", 1)], ttl).await.unwrap();
            cache.get_or_set("short:b", ttl, || async { 1 }).await;
            for key in ["short", "short:a", "short:b"] {
                while cache.exists(key).await.unwrap() {
                    let left = cache.ttl(key).await.unwrap().unwrap_or_default();
                    assert!(left <= Duration::from_millis(1), "{key}: {left:?}");
                    tokio::task::yield_now().await;
                }
            }
        }
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}

// A timeout of the longest duration overflows when it is added to the current time.
#[tokio::test]
async fn timeouts_of_the_longest_duration_do_not_overflow() {
    let longest = |builder: cache_runtime::CacheBuilder| {
        builder
            .default_ttl(Duration::MAX)
            .wait_timeout(Duration::MAX)
            .response_timeout(Duration::MAX)
            .invalidation_timeout(Duration::MAX)
            .replay_window(Duration::MAX)
            .lease_ttl(Duration::MAX)
            .near_max_silence(Duration::MAX)
            .preset("longest", Duration::MAX)
    };
    for near in [0, 1 << 20] {
        on_both_stores_with(
            |builder| longest(builder).near_cache(near),
            |cache| async move {
                let runs = Runs::default();
                let (one, other) = tokio::join!(longest_stale(1, &runs), longest_stale(1, &runs));
                assert_eq!((one, other), (Ok(1), Ok(1)));
                cache.set("a", &1, None).await.unwrap();
                assert_eq!(cache.get::<i32>("a").await.unwrap(), Some(1));
                assert_eq!(cache.delete_pattern("long:*").await.unwrap(), 1);
                assert!(cache.health_check().await.is_ok());
                assert_eq!(longest_stale(1, &runs).await, Ok(2));
            },
        )
        .await;
    }
}

// A wait timeout of zero is a division by zero, or makes callers wait forever.
#[tokio::test]
async fn a_wait_timeout_of_zero_does_not_wait() {
    on_both_stores_with(
        |builder| {
            builder
                .wait_timeout(Duration::ZERO)
                .replay_window(Duration::ZERO)
        },
        |cache| async move {
            let runs = Runs::default();
            let call = || async {
                let run = runs.next();
                tokio::task::yield_now().await;
                run
            };
            let both = async {
                tokio::join!(
                    cache.get_or_set("zero", 60, call),
                    cache.get_or_set("zero", 60, call)
                )
            };
            crate::common::soon(both).await;
            assert_eq!(cache.delete_pattern("*").await.unwrap(), 1);
        },
    )
    .await;
}

// A clock that is advanced too far wraps around, and expired entries return.
#[tokio::test]
async fn a_manual_clock_does_not_wrap_around() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache.set("a", &1, 60).await.unwrap();
    clock.advance(Duration::from_secs(100));
    assert!(!cache.exists("a").await.unwrap());
    cache.set("b", &1, 60).await.unwrap();
    let runs = Runs::default();
    cache
        .scope(async {
            longest_stale(1, &runs).await.unwrap();
            cache
                .get_or_set("during", 60, || async {
                    clock.advance(Duration::MAX);
                    clock.advance(Duration::MAX);
                    1
                })
                .await;
            assert!(!cache.exists("b").await.unwrap(), "its minute is over");
            longest_stale(2, &runs).await.unwrap();
        })
        .await;
}

// A preset of zero seconds means no expiry to one store and no storing to the other.
#[test]
fn a_preset_of_zero_is_refused() {
    let zero = Cache::builder().preset("profiles", Duration::ZERO).build();
    let error = zero.map(drop).unwrap_err();
    assert!(matches!(error, CacheError::InvalidOption { .. }), "{error}");
    assert!(error.to_string().contains("profiles"), "{error}");
}

// Two names that the environment can't tell apart share a value, of either name at random.
#[test]
fn presets_whose_names_share_an_environment_variable_are_refused() {
    let (long, short) = (Duration::from_secs(600), Duration::from_secs(6));
    for other in ["user_profile", "User-Profile", "user profile"] {
        let builder = Cache::builder().preset("user-profile", long);
        let error = builder.preset(other, short).build().map(drop).unwrap_err();
        assert!(matches!(error, CacheError::InvalidOption { .. }), "{error}");
        let said = error.to_string();
        assert!(
            said.contains("user-profile") && said.contains(other),
            "{said}"
        );
    }
    // The same name again replaces the first.
    let again = Cache::builder()
        .preset("a", long)
        .preset("a", short)
        .build();
    assert!(again.is_ok());
}

// A key whose TTL an operator removed (PERSIST) exists for one operation and not for another.
#[tokio::test]
async fn an_entry_without_ttl_is_an_entry_to_every_operation() {
    let server = RedisServer::start();
    let cache = on_redis(&server);
    let runs = Runs::default();
    cache
        .scope(async {
            cache.set("a", &1, 60).await.unwrap();
            longest(1, &runs).await;
            longest_stale(1, &runs).await.unwrap();
            let mut admin = server.connect();
            for key in ["a", "long:1", "long:stale:1"] {
                let key = format!("reports:{key}");
                let changed: u8 = redis::cmd("PERSIST").arg(key).query(&mut admin).unwrap();
                assert_eq!(changed, 1);
            }
            assert_eq!(cache.get::<i32>("a").await.unwrap(), Some(1));
            assert!(cache.exists("a").await.unwrap());
            assert_eq!(longest(1, &runs).await, 1);
            assert_eq!(longest_stale(1, &runs).await, Ok(2));
            assert_eq!(cache.delete_pattern("long:*").await.unwrap(), 2);
            assert!(cache.delete("a").await.unwrap());
        })
        .await;
}

#[cacheable(
    key = "refreshed",
    ttl = "60s",
    stale = "60s",
    skip(runs),
    refresh = "caller"
)]
async fn refreshed(runs: &Runs) -> u32 {
    runs.next()
}

// A value that is refreshed while stale is stored for the rest of the stale time, not for its TTL.
#[tokio::test]
async fn a_refreshed_entry_has_its_full_ttl() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let runs = Runs::default();
    cache
        .scope(async {
            assert_eq!(refreshed(&runs).await, 1);
            for round in 1..=3 {
                clock.advance(Duration::from_secs(61));
                refreshed(&runs).await;
                assert_eq!(runs.count(), round + 1);
                let left = cache.ttl("refreshed").await.unwrap();
                assert_eq!(left, Some(Duration::from_secs(60)));
            }
        })
        .await;
}

// Reading an entry prolongs it, so a popular one is never recomputed.
#[tokio::test]
async fn a_hit_does_not_prolong_an_entry() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let runs = Runs::default();
    for second in 0..120 {
        let run = cache.get_or_set("hot", 60, || async { runs.next() }).await;
        assert_eq!(run, second / 60 + 1);
        clock.advance(Duration::from_secs(1));
    }
    drop(memory());
}
