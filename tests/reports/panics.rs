//! User code that panics inside the cache: its key stays usable, and other callers are unaffected.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use cache_runtime::{Cache, cacheable, invalidate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tests::{Stores, on_both_stores};

use crate::common::{Runs, memory, soon};

/// Makes the code under test panic.
#[derive(Debug, Default)]
struct Fuse(AtomicBool);

impl Fuse {
    const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    /// Panic once.
    fn burn(&self) {
        assert!(
            !self.0.swap(false, Ordering::SeqCst),
            "as the test wants it"
        );
    }
}

/// Run a call that panics, and return whether it did.
fn panics<T>(call: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

struct Shown<'a>(u32, &'a Fuse);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("begun")?;
        self.1.burn();
        write!(f, "{}", self.0)
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.1.burn();
        self.0.serialize(serializer)
    }
}

#[cacheable(key = "panics:shown:<<id>>", skip(runs))]
fn by_text(id: Shown<'_>, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "panics:hashed", skip(runs))]
fn by_hash(id: Shown<'_>, runs: &Runs) -> u32 {
    runs.next()
}

// A panic while a key is built leaves part of it for the next call.
#[test]
fn a_panic_while_a_key_is_built_does_not_affect_later_keys() {
    for (_, cache) in &Stores::new().caches {
        let (fuse, runs) = (Fuse::new(), Runs::default());
        cache.scope_sync(|| {
            assert_eq!(by_text(Shown(1, &fuse), &runs), 1);
            assert_eq!(by_hash(Shown(1, &fuse), &runs), 2);
            fuse.set();
            assert!(panics(|| by_text(Shown(2, &fuse), &runs)));
            fuse.set();
            assert!(panics(|| by_hash(Shown(2, &fuse), &runs)));
            assert_eq!(by_text(Shown(1, &fuse), &runs), 1);
            assert_eq!(by_hash(Shown(1, &fuse), &runs), 2);
            assert_eq!(by_text(Shown(2, &fuse), &runs), 3);
            assert_eq!(by_hash(Shown(2, &fuse), &runs), 4);
        });
    }
}

static UNLESS: Fuse = Fuse::new();
static LIFETIME: Fuse = Fuse::new();
static CONDITION: Fuse = Fuse::new();

#[cacheable(
    key = "panics:options:<<id>>",
    condition = { CONDITION.burn(); id < 100 },
    unless = |_: &u32| { UNLESS.burn(); false },
    ttl = |_: &u32| { LIFETIME.burn(); 60 },
    skip(runs)
)]
async fn with_options(id: u32, runs: &Runs) -> u32 {
    tokio::task::yield_now().await;
    runs.next()
}

// A panic in a condition or in the expression of the TTL leaves the key locked.
#[tokio::test]
async fn a_panic_in_an_option_leaves_the_key_usable() {
    on_both_stores(|cache| async move {
        for fuse in [&CONDITION, &UNLESS, &LIFETIME] {
            cache.clear().await.unwrap();
            let runs = Runs::default();
            fuse.set();
            let call = {
                let (cache, runs) = (cache.clone(), runs.clone());
                tokio::spawn(async move { cache.scope(with_options(1, &runs)).await })
            };
            assert!(soon(call).await.is_err(), "the panic is the caller's");
            let begun = std::time::Instant::now();
            let again = soon(with_options(1, &runs)).await;
            assert_eq!(
                soon(with_options(1, &runs)).await,
                again,
                "the value is cached again"
            );
            assert!(
                begun.elapsed() < std::time::Duration::from_secs(4),
                "no call waits for a lease"
            );
        }
    })
    .await;
}

static CLONE: Fuse = Fuse::new();
static WRITE: Fuse = Fuse::new();
static READ: Fuse = Fuse::new();

#[derive(Debug, PartialEq)]
struct Fragile(u32);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        CLONE.burn();
        Self(self.0)
    }
}
impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITE.burn();
        self.0.serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.burn();
        u32::deserialize(deserializer).map(Self)
    }
}

#[cacheable(key = "panics:value", skip(runs))]
async fn fragile(runs: &Runs) -> Fragile {
    Fragile(runs.next())
}

// A panic in a value's `Clone` or serde code poisons a lock, and every later call of the shard
// fails.
#[tokio::test]
async fn a_panic_in_a_values_code_leaves_the_cache_usable() {
    on_both_stores(|cache| async move {
        for fuse in [&CLONE, &WRITE, &READ] {
            cache.clear().await.unwrap();
            let runs = Runs::default();
            for already_cached in [false, true] {
                if already_cached {
                    soon(fragile(&runs)).await;
                }
                fuse.set();
                let call = {
                    let (cache, runs) = (cache.clone(), runs.clone());
                    tokio::spawn(async move { cache.scope(fragile(&runs)).await })
                };
                // Not every store runs the code that panics.
                let _ = soon(call).await;
                fuse.0.store(false, Ordering::SeqCst);
                let first = soon(fragile(&runs)).await;
                assert_eq!(soon(fragile(&runs)).await, first);
                cache.set("other", &1, 60).await.unwrap();
                assert_eq!(cache.get::<i32>("other").await.unwrap(), Some(1));
            }
        }
    })
    .await;
}

#[cacheable(key = "panics:late:<<id>>", skip(runs))]
fn late(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["panics:late:*"])]
fn late_write() {}

/// Calls the cache when its thread ends.
struct Last(Cache, Runs, mpsc::Sender<(u32, u32)>);

impl Drop for Last {
    fn drop(&mut self) {
        let Self(cache, runs, sender) = self;
        let seen = cache.scope_sync(|| {
            late_write();
            (late(1, runs), late(1, runs))
        });
        let _ = cache.blocking().get::<u32>("panics:late:1");
        let _ = sender.send(seen);
    }
}

thread_local! {
    static EARLY_LOCAL: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATE_LOCAL: RefCell<Option<Last>> = const { RefCell::new(None) };
}

// A call from the destructor of a thread-local panics, because the cache's own thread-locals are
// destroyed.
#[test]
fn destructors_of_thread_locals_can_call_cached_functions() {
    for (name, cache) in &Stores::new().caches {
        let (sender, receiver) = mpsc::channel();
        let cache = cache.clone();
        std::thread::spawn(move || {
            let last = || Last(cache.clone(), Runs::default(), sender.clone());
            // One is registered before the cache's own thread-locals, the other after them.
            EARLY_LOCAL.with_borrow_mut(|slot| *slot = Some(last()));
            cache.scope_sync(|| late(1, &Runs::default()));
            LATE_LOCAL.with_borrow_mut(|slot| *slot = Some(last()));
        })
        .join()
        .unwrap();
        let seen: Vec<(u32, u32)> = receiver.iter().collect();
        assert_eq!(seen, [(1, 1), (1, 1)], "{name}");
    }
}

/// Calls the cache while its thread unwinds.
struct DuringUnwinding<'a>(&'a Cache, &'a Runs);

impl Drop for DuringUnwinding<'_> {
    fn drop(&mut self) {
        self.0.scope_sync(|| {
            late_write();
            assert_eq!(late(1, self.1), late(1, self.1));
        });
    }
}

// A call from a destructor that runs during unwinding is mistaken for the call that panicked.
#[test]
fn a_call_during_unwinding_is_cached() {
    for (name, cache) in &Stores::new().caches {
        let runs = Runs::default();
        assert!(panics(|| {
            let _guard = DuringUnwinding(cache, &runs);
            panic!("as the test wants it");
        }));
        assert_eq!(runs.count(), 1, "{name}: the value is cached");
        cache.scope_sync(|| assert_eq!(late(1, &runs), 1));
    }
}

// A panic in one caller's closure fails the callers that wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_of_a_panicking_leader_compute_the_value() {
    on_both_stores(|cache| async move {
        let (runs, start) = (
            Runs::default(),
            std::sync::Arc::new(tokio::sync::Barrier::new(8)),
        );
        let calls = (0..8).map(|_| {
            let (cache, runs, start) = (cache.clone(), runs.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                cache
                    .get_or_set("panics", 60, || async {
                        let run = runs.next();
                        tokio::task::yield_now().await;
                        assert!(run > 3, "as the test wants it");
                        run
                    })
                    .await
            })
        });
        let mut values = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            values.extend(soon(call).await.ok());
        }
        assert_eq!(values, [4; 5], "three panic, five share the fourth's value");
    })
    .await;
    drop(memory());
}
