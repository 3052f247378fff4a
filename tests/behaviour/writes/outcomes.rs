//! `#[invalidate]`: bodies that fail, panic or are dropped; both attributes on one function; and
//! keys that are never deleted.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use cache_runtime::{Cache, cacheable, invalidate};
use futures_util::FutureExt;
use redis::Commands;
use tests::{RedisServer, on_both_stores, until};

use crate::common::{Post, Runs, on_redis};

/// Wait until the key is deleted. An invalidation that a drop begins completes in the background.
async fn until_gone(cache: &Cache, key: &str) {
    until(&format!("{key} is deleted"), || async {
        !cache.exists(key).await.unwrap()
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"])]
async fn hanging(id: u32) -> Result<Post, String> {
    std::future::pending().await
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], when = "always")]
async fn hanging_always(id: u32) -> Result<Post, String> {
    std::future::pending().await
}

#[invalidate(patterns = ["a:<<id>>"], when = "before")]
async fn hanging_before(id: u32) -> Result<Post, String> {
    std::future::pending().await
}

#[tokio::test]
async fn a_body_dropped_after_a_poll_invalidates_with_a_wildcard_for_the_result() {
    on_both_stores(|cache| async move {
        for always in [false, true] {
            for key in ["a:1", "a:2", "b:y:x", "b:y:z"] {
                cache.set(key, &1, 600).await.unwrap();
            }
            // A future that was never polled invalidates nothing.
            drop(hanging(1));
            drop(hanging_always(1));
            assert!(cache.exists("a:1").await.unwrap());
            let mut cx = Context::from_waker(Waker::noop());
            if always {
                assert!(pin!(hanging_always(1)).poll(&mut cx).is_pending());
            } else {
                assert!(pin!(hanging(1)).poll(&mut cx).is_pending());
            }
            until_gone(&cache, "a:1").await;
            until_gone(&cache, "b:y:x").await;
            assert!(cache.exists("a:2").await.unwrap());
            assert!(cache.exists("b:y:z").await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn before_invalidates_before_the_body_and_not_after_it() {
    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        {
            let mut hanging = pin!(hanging_before(1));
            let mut cx = Context::from_waker(Waker::noop());
            while cache.exists("a:1").await.unwrap() {
                assert!(hanging.as_mut().poll(&mut cx).is_pending());
                tokio::task::yield_now().await;
            }
            // The body has begun, and a reader stores a value again.
            until("the invalidation is counted", || async {
                cache.stats().invalidated > 0
            })
            .await;
            assert!(hanging.as_mut().poll(&mut cx).is_pending());
            cache.set("a:1", &1, 600).await.unwrap();
        }
        assert!(cache.exists("a:1").await.unwrap());
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result>>"])]
fn panicking(id: u32) -> Result<u32, String> {
    panic!("for a test: {id}")
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result>>"])]
async fn panicking_async(id: u32) -> Result<u32, String> {
    panic!("for a test: {id}")
}

#[tokio::test]
async fn a_body_that_panics_invalidates_with_a_wildcard_for_the_result() {
    on_both_stores(|cache| async move {
        for is_async in [false, true] {
            cache.set("a:1", &1, 600).await.unwrap();
            cache.set("b:2", &1, 600).await.unwrap();
            let panicked = if is_async {
                // The panic continues after the invalidation.
                let write = AssertUnwindSafe(panicking_async(1));
                FutureExt::catch_unwind(write)
                    .await
                    .map(|value| value.is_ok())
            } else {
                catch_unwind(|| panicking(1).is_ok())
            };
            assert!(panicked.is_err());
            until_gone(&cache, "a:1").await;
            until_gone(&cache, "b:2").await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_invalidation_that_has_begun_completes_after_its_caller_is_dropped() {
    #[invalidate(patterns = ["a:<<id>>"])]
    async fn write(id: u32) {}

    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let _ = pin!(write(1)).poll(&mut cx);
        until_gone(&cache, "a:1").await;
    })
    .await;
}

#[cacheable(key = "read:<<id>>", skip(runs, ok))]
#[invalidate(patterns = ["other:<<id>>", "result:<<result>>"])]
async fn cached_above(id: u32, runs: &Runs, ok: bool) -> Result<u32, String> {
    let run = runs.next();
    if ok { Ok(run) } else { Err("x".to_owned()) }
}

#[invalidate(patterns = ["other:<<id>>", "result:<<result>>"])]
#[cacheable(key = "below:<<id>>", skip(runs, ok))]
fn cached_below(id: u32, runs: &Runs, ok: bool) -> Result<u32, String> {
    let run = runs.next();
    if ok { Ok(run) } else { Err("x".to_owned()) }
}

#[tokio::test]
async fn with_cacheable_in_either_order_every_successful_call_invalidates() {
    on_both_stores(|cache| async move {
        for above in [true, false] {
            let runs = Runs::default();
            for (ok, expected) in [
                (false, Err("x".to_owned())),
                (true, Ok(2)),
                (true, Ok(2)),
                (false, Ok(2)),
            ] {
                for key in ["other:1", "result:2", "result:1"] {
                    cache.set(key, &1, 600).await.unwrap();
                }
                let given = if above {
                    cached_above(1, &runs, ok).await
                } else {
                    cached_below(1, &runs, ok)
                };
                assert_eq!(given, expected);
                let stays_cached = expected.is_err();
                assert_eq!(cache.exists("other:1").await.unwrap(), stays_cached);
                assert_eq!(cache.exists("result:2").await.unwrap(), stays_cached);
                assert!(cache.exists("result:1").await.unwrap());
            }
            assert_eq!(runs.count(), 2);
        }
    })
    .await;
}

#[invalidate(patterns = ["*"])]
async fn drop_all() {}

#[invalidate(patterns = ["posts:<<id>>", "posts:<<id>>:*"])]
async fn drop_post(id: u32) {}

#[tokio::test]
async fn keys_of_other_prefixes_and_programs_are_never_deleted() {
    let server = RedisServer::start();
    let mut connection = server.connect();
    let prefixes = ["app", "app2", "a.b", "axb", "a-b", "App", "app.posts"];
    let caches = prefixes.map(|prefix| on_redis(&server, prefix));
    let foreign: [&[u8]; 4] = [b"app", b"appposts:1", b"app\xFF:\xFE", b"xapp:posts:1"];
    for name in foreign {
        let () = connection.set(name, "x").unwrap();
    }
    // A key with the prefix, which is not UTF-8.
    for prefix in prefixes {
        for name in [&b":posts:1"[..], b":\xFF\xFE"] {
            let () = connection
                .set([prefix.as_bytes(), name].concat(), "junk")
                .unwrap();
        }
    }
    for (cache, prefix) in caches.iter().zip(prefixes) {
        for other in &caches {
            other.set("posts:1", &1, 600).await.unwrap();
        }
        cache.scope(drop_post(1)).await;
        for other in &caches {
            assert_eq!(
                other.exists("posts:1").await.unwrap(),
                other.prefix() != prefix
            );
        }
        cache.set("posts:1", &1, 600).await.unwrap();
        cache.scope(drop_all()).await;
        for other in &caches {
            assert_eq!(
                other.exists("posts:1").await.unwrap(),
                other.prefix() != prefix
            );
        }
        let left: Vec<Vec<u8>> = redis::cmd("KEYS")
            .arg(format!("{prefix}:*"))
            .query(&mut connection)
            .unwrap();
        assert_eq!(left, Vec::<Vec<u8>>::new());
        for name in foreign {
            assert!(connection.exists::<_, bool>(name).unwrap(), "{name:?}");
        }
    }
}
