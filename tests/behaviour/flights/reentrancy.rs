//! Values whose `Drop`, `Display`, `Serialize`, `Deserialize` or `Clone` call the cache: no lock is
//! held while they run.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tests::{Stores, on_both_stores, soon};

thread_local! {
    /// Whether the value's code calls the cache. It is cleared during the call, which would
    /// recurse.
    static ARMED: RefCell<Option<Cache>> = const { RefCell::new(None) };
}

/// Call the cache with every key of these tests, and invalidate by pattern.
fn call_the_cache() {
    let Some(cache) = ARMED.with_borrow_mut(Option::take) else {
        return;
    };
    cache.scope_sync(|| {
        for id in 0..8 {
            noisy_sync(id);
        }
        let blocking = cache.blocking();
        blocking.get::<u32>("reentrant:plain").unwrap();
        blocking.set("reentrant:plain", &1, 60).unwrap();
        blocking.delete("reentrant:plain").unwrap();
        blocking.delete_pattern("reentrant:other:*").unwrap();
    });
    ARMED.set(Some(cache));
}

#[derive(Debug, PartialEq)]
struct Noisy(u32);

impl Clone for Noisy {
    fn clone(&self) -> Self {
        call_the_cache();
        Self(self.0)
    }
}
impl Drop for Noisy {
    fn drop(&mut self) {
        call_the_cache();
    }
}
impl Serialize for Noisy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        call_the_cache();
        self.0.serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Noisy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        call_the_cache();
        u32::deserialize(deserializer).map(Noisy)
    }
}
impl fmt::Display for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        call_the_cache();
        self.0.fmt(f)
    }
}

#[cacheable(key = "reentrant:<<id>>")]
fn noisy_sync(id: u32) -> Noisy {
    Noisy(id)
}

#[cacheable(key = "reentrant:<<id>>")]
async fn noisy(id: &Noisy) -> Noisy {
    Noisy(id.0)
}

#[invalidate(patterns = ["reentrant:<<id>>:*", "reentrant:by:<<result>>"])]
async fn write(id: &Noisy) -> Noisy {
    Noisy(id.0)
}

/// Run the test on its own thread, so that a deadlock fails it instead of hanging it.
fn unless_it_hangs(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match ended.recv_timeout(Duration::from_secs(20)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a deadlock"),
        _ => thread.join().unwrap(),
    }
}

#[test]
fn the_code_of_values_can_call_the_cache() {
    unless_it_hangs(|| {
        let stores = Stores::with(|builder| builder.memory_capacity(2 * 1024));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for (_, cache) in &stores.caches {
            ARMED.set(Some(cache.clone()));
            runtime.block_on(cache.scope(async {
                for round in 0..2 {
                    for id in 0..16 {
                        assert_eq!(noisy(&Noisy(id)).await.0, id);
                        assert_eq!(noisy(&Noisy(id)).await.0, id);
                    }
                    // Entries are replaced, evicted and removed while others are cached.
                    cache.set("reentrant:7", &Noisy(7), 60).await.unwrap();
                    assert!(cache.get::<Noisy>("reentrant:7").await.unwrap().is_some());
                    assert_eq!(noisy_refresh(&Noisy(8)).await.0, 8);
                    cache.delete("reentrant:8").await.unwrap();
                    noisy_invalidate(&Noisy(9)).await.unwrap();
                    assert_eq!(write(&Noisy(round)).await.0, round);
                    cache.clear().await.unwrap();
                }
            }));
            ARMED.set(None);
        }
    });
}

/// A value whose caller is dropped during its fill is dropped on the cache's own thread. A blocking
/// call there can't wait for work that only that thread can do.
#[test]
fn a_value_dropped_on_the_caches_thread_can_call_the_cache() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Calls {
        #[serde(skip)]
        cache: Option<Cache>,
    }
    impl Drop for Calls {
        fn drop(&mut self) {
            if let Some(cache) = self.cache.take() {
                let blocking = cache.blocking();
                drop(blocking.get::<u32>("any"));
                assert_eq!(blocking.get_or_set("any", 60, || 7), 7);
                cache.scope_sync(forget_all);
                let collector = cache.invalidations();
                collector.add("nothing:*");
                collector.commit_blocking().unwrap();
            }
        }
    }
    #[invalidate(patterns = ["nothing:*"])]
    fn forget_all() {}
    #[cacheable(key = "own:<<round>>", cache = cache, skip(cache, computed))]
    async fn calls(cache: &Cache, computed: &Cell<bool>, round: u32) -> Arc<Calls> {
        computed.set(true);
        Arc::new(Calls {
            cache: Some(cache.clone()),
        })
    }

    unless_it_hangs(|| {
        let stores = Stores::new();
        for (name, cache) in &stores.caches {
            for round in 0..20 {
                let computed = Cell::new(false);
                let mut call = Box::pin(calls(cache, &computed, round));
                // Poll until the fill has begun. After the drop, the cache's thread continues it.
                while !computed.get() {
                    let mut cx = Context::from_waker(Waker::noop());
                    if call.as_mut().poll(&mut cx).is_ready() {
                        break;
                    }
                    std::thread::yield_now();
                }
                drop(call);
            }
            let value = cache.blocking().get_or_set("alive", 60, || 7);
            assert_eq!(value, 7, "{name}: the cache's thread still works");
            assert!(cache.blocking().exists("alive").unwrap(), "{name}");
        }
    });
}

#[tokio::test]
async fn conditions_can_call_their_own_function() {
    #[cacheable(key = "itself:<<id>>", unless = |value: &u32| itself_sync(*value) > 100)]
    async fn itself(id: u32) -> u32 {
        id
    }
    #[cacheable(key = "itself:<<id>>", unless = |value: &u32| itself_sync(*value) > 100)]
    fn itself_sync(id: u32) -> u32 {
        id
    }
    on_both_stores(|cache| async move {
        assert_eq!(soon(itself(20)).await, 20);
        // The blocking call leads, and its condition makes the same call, without a runtime.
        let thread = std::thread::spawn(move || cache.scope_sync(|| itself_sync(30)));
        let joined = tokio::task::spawn_blocking(move || thread.join().unwrap());
        assert_eq!(soon(joined).await.unwrap(), 30);
    })
    .await;
}
