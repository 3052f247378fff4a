//! Writes with an unknown outcome, and invalidations whose caller was dropped: none is lost.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, invalidate};
use redis::Commands;
use serde::{Deserialize, Serialize};
use tests::{
    Gate, PATIENCE, RedisServer, Stores, begin, begin_to_wait, on_both_stores, soon, until,
    until_well,
};

/// Wait until the keys are deleted. An invalidation that a drop begins completes in the background.
async fn until_gone(cache: &Cache, keys: &[&str]) {
    for key in keys {
        until("the key is deleted", || async {
            !cache.exists(key).await.unwrap()
        })
        .await;
    }
}

#[invalidate(patterns = ["unknown:<<id>>", "unknown:by:<<result>>:*"])]
async fn write(gate: &Gate, id: u32) -> Option<u32> {
    Some(gate.pass().await)
}

/// One writer loses its runtime, another is dropped on a thread without one.
#[test]
fn a_write_whose_runtime_ends_invalidates() {
    let stores = Stores::new();
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let outer = runtime();
    for (_, cache) in &stores.caches {
        let fill = async {
            for key in ["unknown:1", "unknown:by:9:x", "unknown:2"] {
                cache.set(key, &1, 60).await.unwrap();
            }
        };
        outer.block_on(fill);
        let gate = Gate::new();
        let inner = runtime();
        let writer = {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.scope(write(&gate, 1)).await }
        };
        inner.spawn(writer);
        inner.block_on(gate.reached_by(1));
        drop(inner);
        outer.block_on(until_gone(cache, &["unknown:1", "unknown:by:9:x"]));
        assert!(outer.block_on(cache.exists("unknown:2")).unwrap());

        let polled = {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.scope(write(&gate, 2)).await }
        };
        let mut polled = Box::pin(polled);
        outer.block_on(begin_to_wait(cache, &mut polled));
        std::thread::spawn(move || drop(polled)).join().unwrap();
        outer.block_on(until_gone(cache, &["unknown:2"]));
    }
}

/// Reads that are running when a write is dropped began before its invalidation.
#[tokio::test]
async fn a_dropped_write_prevents_running_flights_from_storing() {
    on_both_stores(|cache| async move {
        let (gate, reading) = (Gate::new(), Gate::new());
        let read = || {
            let (cache, reading) = (cache.clone(), reading.clone());
            async move { cache.get_or_set("unknown:1", 60, || reading.pass()).await }
        };
        let reader = begin(&cache, read()).await;
        let mut writer = Box::pin(write(&gate, 1));
        begin_to_wait(&cache, &mut writer).await;
        drop(writer);
        // On Redis, the invalidation continues without its caller, and later commands follow it.
        cache.delete_pattern("nothing").await.unwrap();
        reading.open();
        assert_eq!(soon(reader).await.unwrap(), 1);
        assert_eq!(soon(read()).await, 2, "not the value of the earlier flight");
    })
    .await;
}

/// The values of the body are dropped before the invalidation, so a transaction is rolled back
/// before later reads.
#[tokio::test]
async fn a_dropped_write_invalidates_after_its_body_is_dropped() {
    struct Rollback(Cache, Arc<Mutex<Option<bool>>>);
    impl Drop for Rollback {
        fn drop(&mut self) {
            let is_cached = self.0.blocking().exists("unknown:rollback").unwrap();
            *self.1.lock().unwrap() = Some(is_cached);
        }
    }
    #[invalidate(patterns = ["unknown:rollback"])]
    async fn write(rollback: Rollback) {
        let _rollback = rollback;
        std::future::pending::<()>().await;
    }
    on_both_stores(|cache| async move {
        cache.set("unknown:rollback", &1, 60).await.unwrap();
        let seen = Arc::new(Mutex::new(None));
        let mut writer = Box::pin(write(Rollback(cache.clone(), Arc::clone(&seen))));
        begin_to_wait(&cache, &mut writer).await;
        drop(writer);
        assert_eq!(*seen.lock().unwrap(), Some(true));
        until_gone(&cache, &["unknown:rollback"]).await;
    })
    .await;
}

/// How the `Display` of a value fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Shown {
    Panics,
    Fails,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panics => panic!("as the test wants"),
            Self::Fails => {
                f.write_str("par")?;
                Err(fmt::Error)
            }
        }
    }
}

#[invalidate(patterns = ["shown:<<result>>:x", "shown:all"])]
fn show(shown: Shown) -> Shown {
    shown
}

#[tokio::test]
async fn a_result_whose_display_fails_becomes_a_wildcard() {
    on_both_stores(|cache| async move {
        for shown in [Shown::Panics, Shown::Fails] {
            let keys = ["shown:1:x", "shown:2:x", "shown:all"];
            for key in keys {
                cache.set(key, &1, 60).await.unwrap();
            }
            let written = catch_unwind(AssertUnwindSafe(|| show(shown)));
            assert_eq!(written.is_err(), shown == Shown::Panics);
            until_gone(&cache, &keys).await;
        }
    })
    .await;
}

#[invalidate(patterns = ["sync:<<id>>"])]
fn panics_sync(id: u32) {
    panic!("as the test wants")
}

#[test]
fn a_blocking_write_that_panics_invalidates_with_and_without_a_runtime() {
    let stores = Stores::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (_, cache) in &stores.caches {
        let write = || {
            cache.blocking().set("sync:1", &1, 60).unwrap();
            let panics = || cache.scope_sync(|| panics_sync(1));
            assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        };
        write();
        runtime.block_on(until_gone(cache, &["sync:1"]));
        runtime.block_on(async {
            write();
            until_gone(cache, &["sync:1"]).await;
        });
    }
}

#[invalidate(patterns = ["many:*", "more:*"])]
async fn forget_many() {}

/// The scan of many keys takes a while, and its caller is dropped meanwhile.
#[tokio::test]
async fn a_long_invalidation_completes_after_its_caller_is_dropped() {
    const KEYS: u32 = 10_000;
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("p")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let other = Cache::builder()
        .prefix("other")
        .redis(server.url())
        .build()
        .unwrap();
    let mut redis = server.connect();
    for way in ["attribute", "delete_pattern", "clear"] {
        let entries = (0..KEYS).map(|key| (format!("many:{key}"), key));
        cache.set_many(entries, 600).await.unwrap();
        cache.set("more:1", &1, 600).await.unwrap();
        other.set("many:1", &1, 600).await.unwrap();
        let mut call: std::pin::Pin<Box<dyn Future<Output = ()>>> = match way {
            "attribute" => Box::pin(cache.scope(forget_many())),
            "delete_pattern" => Box::pin(async { drop(cache.delete_pattern("m*").await) }),
            _ => Box::pin(async { drop(cache.clear().await) }),
        };
        assert!(futures_util::poll!(&mut call).is_pending(), "{way}");
        drop(call);
        until("the keys are deleted", || {
            let left: Vec<String> = redis::cmd("KEYS").arg("p:m*").query(&mut redis).unwrap();
            async move { left.is_empty() }
        })
        .await;
        assert!(!redis.exists::<_, bool>("p:many:1").unwrap(), "{way}");
        assert!(redis.exists::<_, bool>("other:many:1").unwrap(), "{way}");
    }
}

#[invalidate(patterns = ["unknown:<<id>>:*", "unknown:by:<<result>>:*"])]
fn write_and_panic(id: u32) -> u32 {
    assert!(id == u32::MAX, "after the write");
    id
}

#[invalidate(patterns = ["unknown:<<id>>:*", "unknown:by:<<result>>:*"])]
async fn write_wait_and_panic(id: u32) -> u32 {
    tokio::task::yield_now().await;
    assert!(id == u32::MAX, "after the write");
    id
}

/// The panic continues after the invalidation, in Redis too, so code that catches it reads no old
/// value.
#[tokio::test]
async fn the_entry_is_removed_when_the_panic_of_a_write_is_caught() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
        .build()
        .unwrap();
    let keys = ["app:unknown:1", "app:unknown:1:x", "app:unknown:by:7:x"];
    let mut redis = server.connect();
    for round in 0..20 {
        for key in ["unknown:1", "unknown:1:x", "unknown:by:7:x", "unknown:2"] {
            cache.set(key, &1, 60).await.unwrap();
        }
        let panic = match round % 2 {
            0 => catch_unwind(AssertUnwindSafe(|| cache.scope_sync(|| write_and_panic(1)))).err(),
            _ => {
                let write = cache.scope(write_wait_and_panic(1));
                futures_util::FutureExt::catch_unwind(AssertUnwindSafe(write))
                    .await
                    .err()
            }
        };
        let text = panic.and_then(|panic| panic.downcast::<&str>().ok());
        assert_eq!(text.as_deref(), Some(&"after the write"));
        for key in keys {
            assert!(
                !redis.exists::<_, bool>(key).unwrap(),
                "{key} in round {round}"
            );
        }
        assert!(redis.exists::<_, bool>("app:unknown:2").unwrap());
    }
    assert_eq!(cache.stats().errors, 0);
}

/// A panic waits for a silent server as long as any write does.
#[tokio::test]
async fn a_panicking_write_waits_for_a_silent_server_no_longer_than_the_invalidation_timeout() {
    let server = RedisServer::start();
    let proxy = tests::Proxy::before(server.port());
    let limit = Duration::from_millis(700);
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .invalidation_timeout(limit)
        .build()
        .unwrap();
    cache.set("unknown:1", &1, 60).await.unwrap();
    proxy.set(tests::Fault::Silent);
    let started = std::time::Instant::now();
    let caught = catch_unwind(AssertUnwindSafe(|| cache.scope_sync(|| write_and_panic(1))));
    assert!(caught.is_err());
    let took = started.elapsed();
    assert!(took >= limit / 2 && took < 4 * limit, "{took:?}");
    // The invalidation is queued, and sent before any read.
    proxy.set(tests::Fault::None);
    until_well(&cache).await;
    assert!(!cache.exists("unknown:1").await.unwrap());
}
