//! `cache_err`: errors that are cached for a short time (negative caching).

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Clock, cacheable, invalidate, ttl};
use serde::{Deserialize, Serialize};
use tests::{Gate, PATIENCE, RedisServer, all, begin, on_both_stores, on_both_stores_with, until};

use crate::common::{Post, Runs, assert_about, memory, on_redis};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum LoadError {
    /// With the number of the run that found it.
    NotFound(u32),
    Busy,
}

type Loaded<T> = Result<T, LoadError>;

/// 0 is busy, and there are no posts from 100 on.
fn query(runs: &Runs, id: u32) -> Loaded<Post> {
    match (runs.next(), id) {
        (_, 0) => Err(LoadError::Busy),
        (run, 100..) => Err(LoadError::NotFound(run)),
        _ => Ok(Post::new(id, "a")),
    }
}

fn is_not_found(error: &LoadError) -> bool {
    matches!(error, LoadError::NotFound(_))
}

#[cacheable(
    key = "posts:<<id>>",
    ttl = 600,
    skip(runs),
    cache_err = |e| matches!(e, LoadError::NotFound(_)),
    err_ttl = 30
)]
async fn load(runs: &Runs, id: u32) -> Loaded<Post> {
    query(runs, id)
}

#[cacheable(key = "posts:<<id>>", ttl = 600, skip(runs))]
async fn load_plain(runs: &Runs, id: u32) -> Loaded<Post> {
    query(runs, id)
}

#[cacheable(key = "posts:<<id>>", skip(runs), cache_err = is_not_found, err_ttl = "30s")]
fn load_sync(runs: &Runs, id: u32) -> Result<Arc<Post>, LoadError> {
    query(runs, id).map(Arc::new)
}

#[invalidate(patterns = ["posts:<<id>>:*"])]
async fn write(id: u32) {
    let _ = id;
}

#[tokio::test]
async fn a_chosen_error_is_cached_and_counted_as_a_hit() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..3 {
            assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(1)));
        }
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.hits, stats.fills), (1, 2, 1));
        // Other keys, errors and values are as ever.
        assert_eq!(load(&runs, 101).await, Err(LoadError::NotFound(2)));
        for run in [3, 4] {
            assert_eq!(load(&runs, 0).await, Err(LoadError::Busy));
            assert_eq!(runs.count(), run);
        }
        for _ in 0..2 {
            assert_eq!(load(&runs, 1).await, Ok(Post::new(1, "a")));
        }
        assert_eq!(runs.count(), 5);
        assert_about(cache.ttl("posts:1").await.unwrap(), 600);
    })
    .await;
}

#[tokio::test]
async fn a_blocking_function_caches_errors_too() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let call = |id| {
            let (cache, runs) = (cache.clone(), runs.clone());
            let call = move || cache.scope_sync(|| load_sync(&runs, id));
            tokio::task::spawn_blocking(call)
        };
        for _ in 0..2 {
            assert_eq!(call(100).await.unwrap(), Err(LoadError::NotFound(1)));
        }
        for _ in 0..2 {
            assert_eq!(call(1).await.unwrap(), Ok(Arc::new(Post::new(1, "a"))));
        }
        assert_eq!(runs.count(), 2);
        // The error is shared with a function of another return type around the same value.
        assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(1)));
    })
    .await;
}

/// An error that implements nothing, and isn't `Send`.
#[derive(Debug, PartialEq)]
struct Refused(Rc<u32>);

#[cacheable(
    key = "made:<<id>>",
    skip(runs),
    cache_err = |e: &Refused| *e.0 == id,
    err_ttl = 30,
    err = || Refused(Rc::new(7))
)]
async fn load_made(runs: &Runs, id: u32) -> Result<u32, Refused> {
    runs.next();
    Err(Refused(Rc::new(5)))
}

#[cacheable(key = "made:<<id>>:sync", skip(runs), cache_err = |_| true, err_ttl = 30, err = || Refused(Rc::new(7)))]
fn load_made_sync(runs: &Runs, id: u32) -> Result<u32, Refused> {
    runs.next();
    Err(Refused(Rc::new(id)))
}

#[tokio::test]
async fn an_error_may_be_made_again_instead_of_stored() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        // The caller that ran the body gets the body's own error.
        assert_eq!(load_made(&runs, 5).await, Err(Refused(Rc::new(5))));
        assert_eq!(load_made(&runs, 5).await, Err(Refused(Rc::new(7))));
        assert_eq!(load_made_sync(&runs, 5), Err(Refused(Rc::new(5))));
        assert_eq!(load_made_sync(&runs, 5), Err(Refused(Rc::new(7))));
        assert_eq!(runs.count(), 2);
        for _ in 0..2 {
            assert_eq!(load_made(&runs, 6).await, Err(Refused(Rc::new(5))));
        }
        assert_eq!(runs.count(), 4);
    })
    .await;
}

#[tokio::test]
async fn an_error_lives_for_its_own_time() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let runs = Runs::default();
    let load = || cache.scope(load(&runs, 100));
    assert_eq!(load().await, Err(LoadError::NotFound(1)));
    clock.advance(Duration::from_secs(29));
    assert_eq!(load().await, Err(LoadError::NotFound(1)));
    clock.advance(Duration::from_secs(2));
    assert_eq!(load().await, Err(LoadError::NotFound(2)));
}

#[cacheable(key = "text:<<id>>", ttl = 600, skip(runs), cache_err = is_not_found, err_ttl = "1m30s")]
async fn for_a_text(runs: &Runs, id: u32) -> Loaded<Post> {
    query(runs, id)
}

#[cacheable(key = "preset:<<id>>", ttl = 600, skip(runs), cache_err = is_not_found, err_ttl = preset("errors"))]
async fn for_a_preset(runs: &Runs, id: u32) -> Loaded<Post> {
    query(runs, id)
}

#[cacheable(key = "named:<<id>>", ttl = 600, skip(runs), cache_err = is_not_found, err_ttl = ttl::SHORT)]
async fn for_a_named_ttl(runs: &Runs, id: u32) -> Loaded<Post> {
    query(runs, id)
}

#[cacheable(key = "argument:<<id>>", ttl = 600, skip(runs), cache_err = is_not_found, err_ttl = u64::from(id))]
async fn for_an_argument(runs: Runs, id: u32) -> Loaded<Post> {
    query(&runs, id)
}

#[tokio::test]
async fn its_time_has_every_form_of_a_ttl() {
    let configured =
        |builder: cache_runtime::CacheBuilder| builder.preset("errors", Duration::from_secs(45));
    on_both_stores_with(configured, |cache| async move {
        let runs = Runs::default();
        for_a_text(&runs, 100).await.unwrap_err();
        for_a_preset(&runs, 100).await.unwrap_err();
        for_a_named_ttl(&runs, 100).await.unwrap_err();
        for_an_argument(runs.clone(), 100).await.unwrap_err();
        for_an_argument(runs.clone(), 100).await.unwrap_err();
        assert_eq!(runs.count(), 4);
        for (key, seconds) in [
            ("text:100", 90),
            ("preset:100", 45),
            ("named:100", 60),
            ("argument:100", 100),
        ] {
            assert_about(cache.ttl(key).await.unwrap(), seconds);
        }
    })
    .await;
}

#[tokio::test]
async fn every_invalidation_removes_it() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let mut run = 0;
        for way in 0..5 {
            run += 1;
            for _ in 0..2 {
                assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(run)));
            }
            match way {
                0 => write(100).await,
                1 => assert!(load_invalidate(&runs, 100).await.unwrap()),
                2 => assert!(cache.delete("posts:100").await.unwrap()),
                3 => assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 1),
                _ => assert!(load_refresh(&runs, 100).await.is_err()),
            }
        }
        assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(6)));
        assert_eq!(load_no_cache(&runs, 100).await, Err(LoadError::NotFound(7)));
        assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(6)));
    })
    .await;
}

#[cacheable(key = "slow:<<id>>", skip(gate), cache_err = is_not_found, err_ttl = 30)]
async fn slow(gate: Gate, id: u32) -> Loaded<Post> {
    let run = gate.pass().await;
    Err(LoadError::NotFound(run + id))
}

#[invalidate(patterns = ["slow:*"])]
async fn write_slow() {}

#[tokio::test]
async fn all_callers_of_a_flight_get_it() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut calls = Vec::new();
        for _ in 0..4 {
            calls.push(begin(&cache, slow(gate.clone(), 0)).await);
        }
        gate.reached_by(1).await;
        gate.open();
        for error in all(calls).await {
            assert_eq!(error, Err(LoadError::NotFound(1)));
        }
        assert_eq!(gate.count(), 1);
        assert_eq!(cache.stats().waits, 3);
    })
    .await;
}

#[tokio::test]
async fn an_error_that_was_found_before_an_invalidation_is_not_cached() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = begin(&cache, slow(gate.clone(), 0)).await;
        gate.reached_by(1).await;
        write_slow().await;
        gate.open();
        assert_eq!(all(vec![call]).await, [Err(LoadError::NotFound(1))]);
        for _ in 0..2 {
            assert_eq!(slow(gate.clone(), 0).await, Err(LoadError::NotFound(2)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_call_leaves_no_trace() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = begin(&cache, slow(gate.clone(), 0)).await;
        let waiter = begin(&cache, slow(gate.clone(), 0)).await;
        gate.reached_by(1).await;
        call.abort();
        gate.reached_by(2).await;
        gate.open();
        assert_eq!(all(vec![waiter]).await, [Err(LoadError::NotFound(2))]);
        assert_eq!(slow(gate.clone(), 0).await, Err(LoadError::NotFound(2)));
    })
    .await;
}

#[tokio::test]
async fn a_function_without_the_option_overwrites_it() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!(load(&runs, 100).await, Err(LoadError::NotFound(1)));
        // It is a miss, and an error is no reason to remove what is cached.
        assert_eq!(load_plain(&runs, 100).await, Err(LoadError::NotFound(2)));
        assert_eq!(load_plain(&runs, 1).await, Ok(Post::new(1, "a")));
        assert_eq!(load(&runs, 1).await, Ok(Post::new(1, "a")));
        assert_eq!(runs.count(), 3);
    })
    .await;
}

#[cacheable(key = "appears:<<id>>", skip(runs), cache_err = |_| true, err_ttl = 30)]
async fn appears(runs: &Runs, id: u32) -> Loaded<u32> {
    match runs.next() {
        1 => Err(LoadError::NotFound(id)),
        run => Ok(run),
    }
}

#[cacheable(key = "appears:<<id>>", skip(runs))]
async fn appears_plain(runs: &Runs, id: u32) -> Loaded<u32> {
    let _ = id;
    Ok(runs.next())
}

#[tokio::test]
async fn a_value_takes_its_place() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        appears(&runs, 1).await.unwrap_err();
        appears(&runs, 1).await.unwrap_err();
        assert_eq!(appears_refresh(&runs, 1).await, Ok(2));
        assert_eq!(appears(&runs, 1).await, Ok(2));
        let runs = Runs::default();
        appears(&runs, 2).await.unwrap_err();
        assert_eq!(appears_plain(&runs, 2).await, Ok(2));
        assert_eq!(appears_plain(&runs, 2).await, Ok(2));
        assert_eq!(appears(&runs, 2).await, Ok(2));
    })
    .await;
}

#[cacheable(key = "appears:<<id>>", skip(runs), cache_err = |_| true, err_ttl = 30, version = 2)]
async fn appears_again(runs: &Runs, id: u32) -> Loaded<u32> {
    runs.next();
    Err(LoadError::NotFound(id + 10))
}

#[cacheable(key = "appears:<<id>>", skip(runs), cache_err = |_| true, err_ttl = 30)]
async fn appears_as_text(runs: &Runs, id: u32) -> Result<String, LoadError> {
    runs.next();
    Err(LoadError::NotFound(id + 20))
}

#[cacheable(key = "appears:<<id>>", skip(runs), cache_err = |_| true, err_ttl = 30)]
async fn appears_with_a_text(runs: &Runs, id: u32) -> Result<u32, String> {
    runs.next();
    Err(format!("no {id}"))
}

#[tokio::test]
async fn an_error_of_another_version_or_type_is_a_miss() {
    for as_bytes in [false, true] {
        let configured = |builder: cache_runtime::CacheBuilder| builder.memory_as_bytes(as_bytes);
        on_both_stores_with(configured, |_| async {
            let runs = Runs::default();
            for call in 1..=2 {
                let first = Runs::default();
                assert_eq!(appears(&first, 1).await, Err(LoadError::NotFound(1)));
                for _ in 0..2 {
                    let again = appears_again(&runs, 1).await;
                    assert_eq!(again, Err(LoadError::NotFound(11)));
                }
                for _ in 0..2 {
                    let text = appears_as_text(&runs, 1).await;
                    assert_eq!(text, Err(LoadError::NotFound(21)));
                }
                for _ in 0..2 {
                    let text = appears_with_a_text(&runs, 1).await;
                    assert_eq!(text, Err("no 1".to_owned()));
                }
                assert_eq!((first.count(), runs.count()), (1, call * 3));
            }
        })
        .await;
    }
}

#[cacheable(key = "none:<<id>>", skip(runs), cache_none, cache_err = is_not_found, err_ttl = 30)]
async fn optional(runs: &Runs, id: u32) -> Loaded<Option<Post>> {
    if id == 50 {
        runs.next();
        return Ok(None);
    }
    query(runs, id).map(Some)
}

#[tokio::test]
async fn operations_of_the_handle_see_it_as_they_see_a_none() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(optional(&runs, 50).await, Ok(None));
            assert_eq!(optional(&runs, 100).await, Err(LoadError::NotFound(2)));
            assert_eq!(optional(&runs, 1).await, Ok(Some(Post::new(1, "a"))));
        }
        assert_eq!(runs.count(), 3);
        for key in ["none:50", "none:100"] {
            assert_eq!(cache.get::<Post>(key).await.unwrap(), None);
            assert_eq!(cache.get::<LoadError>(key).await.unwrap(), None);
        }
        let (none, error) = (
            cache.exists("none:50").await,
            cache.exists("none:100").await,
        );
        assert_eq!(none.unwrap(), error.unwrap());
        // What is set takes its place.
        cache
            .set("none:100", &Post::new(100, "b"), 60)
            .await
            .unwrap();
        assert_eq!(optional(&runs, 100).await, Ok(Some(Post::new(100, "b"))));
    })
    .await;
}

#[tokio::test]
async fn processes_on_one_redis_share_it() {
    let server = RedisServer::start();
    let caches = [on_redis(&server, "app"), on_redis(&server, "app")];
    let runs = Runs::default();
    for cache in &caches {
        let loaded = cache.scope(load(&runs, 100)).await;
        assert_eq!(loaded, Err(LoadError::NotFound(1)));
    }
    caches[1].scope(write(100)).await;
    for cache in &caches {
        let loaded = cache.scope(load(&runs, 100)).await;
        assert_eq!(loaded, Err(LoadError::NotFound(2)));
    }
}

#[tokio::test]
async fn the_near_cache_keeps_it_until_it_is_invalidated() {
    let server = RedisServer::start();
    let builder = || Cache::builder().prefix("app").redis(server.url());
    let near = builder().response_timeout(PATIENCE).near_cache(1 << 20);
    let (near, other) = (near.build().unwrap(), on_redis(&server, "app"));
    let runs = Runs::default();
    let asked = || {
        let mut info = redis::cmd("INFO");
        let info: String = info
            .arg("commandstats")
            .query(&mut server.connect())
            .unwrap();
        let reads = |line: &&str| {
            ["cmdstat_get:", "cmdstat_evalsha:"]
                .iter()
                .any(|name| line.starts_with(name))
        };
        info.lines()
            .filter(reads)
            .map(|line| {
                let calls = line
                    .split("calls=")
                    .nth(1)
                    .and_then(|calls| calls.split(',').next());
                calls
                    .and_then(|calls| calls.parse::<u64>().ok())
                    .unwrap_or_default()
            })
            .sum::<u64>()
    };
    assert_eq!(
        near.scope(load(&runs, 100)).await,
        Err(LoadError::NotFound(1))
    );
    until("a hit is near", || async {
        let before = asked();
        assert_eq!(
            near.scope(load(&runs, 100)).await,
            Err(LoadError::NotFound(1))
        );
        asked() == before
    })
    .await;
    other.scope(write(100)).await;
    until("the near cache has heard of it", || async {
        near.scope(load(&runs, 100)).await == Err(LoadError::NotFound(2))
    })
    .await;
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn memory_may_keep_it_as_bytes() {
    let cache = Cache::builder().memory_as_bytes(true).build().unwrap();
    let runs = Runs::default();
    for _ in 0..2 {
        let loaded = cache.scope(load(&runs, 100)).await;
        assert_eq!(loaded, Err(LoadError::NotFound(1)));
    }
    assert_eq!(cache.stats().hits, 1);
}

#[test]
fn a_call_within_its_own_flight_runs_the_body() {
    #[cacheable(key = "nested:<<id>>", skip(runs), cache_err = |_| true, err_ttl = 30)]
    fn nested(runs: &Runs, id: u32) -> Loaded<u32> {
        match runs.next() {
            1 => nested(runs, id),
            run => Err(LoadError::NotFound(run)),
        }
    }
    let runs = Runs::default();
    let cache = memory();
    for _ in 0..2 {
        let loaded = cache.scope_sync(|| nested(&runs, 1));
        assert_eq!(loaded, Err(LoadError::NotFound(2)));
    }
    assert_eq!(runs.count(), 2);
}

#[test]
fn the_future_is_send_if_the_error_is() {
    fn is_send<T>(_: impl Future<Output = T> + Send) {}
    let runs = Runs::default();
    is_send(load(&runs, 1));
    is_send(slow(Gate::new(), 1));
}
