//! A key that can't be rendered: every entry that it may name is invalidated.

use std::fmt;
use std::panic::AssertUnwindSafe;

use cache_runtime::{Cache, write_through};
use futures_util::FutureExt as _;
use tests::{Gate, begin_to_wait, events_of, on_both_stores, until};
use tracing::Level;

use crate::common::memory;

/// A value whose `Display` fails after its first characters.
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1")?;
        Err(fmt::Error)
    }
}

/// How a write ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Ok,
    Err,
    Panic,
}

impl End {
    fn reach(self) -> Result<u32, String> {
        match self {
            Self::Ok => Ok(7),
            Self::Err => Err("refused".to_owned()),
            Self::Panic => panic!("on purpose"),
        }
    }
}

#[write_through(key = "broken:<<id>>:<<value>>:x", ttl = 60)]
async fn write(value: Broken, id: u32, end: End) -> Result<u32, String> {
    end.reach()
}

#[write_through(key = "broken:<<id>>:<<value>>:x", ttl = 60)]
fn write_blocking(value: Broken, id: u32, end: End) -> Result<u32, String> {
    end.reach()
}

#[write_through(key = "broken:<<id>>:<<value>>:x", ttl = 60)]
async fn waits(value: Broken, id: u32, gate: &Gate) -> u32 {
    gate.pass().await
}

/// Without a `:` between the placeholders, a key has a variant.
#[write_through(key = "broken:<<id>>:<<value>>-<<part>>:x", ttl = 60)]
async fn write_together(value: Broken, id: u32, part: u32) -> u32 {
    part
}

const KEYS: [&str; 4] = [
    "broken:1:1:x",
    "broken:1:2-3:x",
    "broken:2:1:x",
    "broken:1:1:y",
];

async fn fill(cache: &Cache) {
    cache.set_many(KEYS.map(|key| (key, 0)), 600).await.unwrap();
}

async fn cached(cache: &Cache) -> [bool; 4] {
    let mut cached = [false; 4];
    for (cached, key) in cached.iter_mut().zip(KEYS) {
        *cached = cache.exists(key).await.unwrap();
    }
    cached
}

#[tokio::test]
async fn the_value_is_not_stored_and_what_the_key_may_name_is_removed() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        assert_eq!(write(Broken, 1, End::Ok).await, Ok(7));
        // Done before it returned.
        assert_eq!(cached(&cache).await, [false, false, true, true]);
        assert_eq!(
            cache.delete_pattern("broken:*").await.unwrap(),
            2,
            "nothing else is stored"
        );
        fill(&cache).await;
        assert_eq!(write_blocking(Broken, 1, End::Ok), Ok(7));
        assert_eq!(cached(&cache).await, [false, false, true, true]);
        fill(&cache).await;
        write_together(Broken, 1, 3).await;
        assert_eq!(cached(&cache).await, [true, false, true, true]);
    })
    .await;
}

#[tokio::test]
async fn so_it_is_after_an_error_and_a_panic() {
    on_both_stores(|cache| async move {
        for end in [End::Err, End::Panic] {
            fill(&cache).await;
            let run = || write_blocking(Broken, 1, end);
            let written = std::panic::catch_unwind(AssertUnwindSafe(run));
            assert_eq!(written.is_err(), end == End::Panic);
            assert_eq!(cached(&cache).await, [false, false, true, true]);
            fill(&cache).await;
            let written = AssertUnwindSafe(write(Broken, 1, end)).catch_unwind().await;
            assert_eq!(written.is_err(), end == End::Panic);
            until("the entries are removed", || async {
                cached(&cache).await == [false, false, true, true]
            })
            .await;
        }
    })
    .await;
}

#[tokio::test]
async fn so_it_is_after_a_write_that_is_dropped_once_polled() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        let gate = Gate::new();
        drop(waits(Broken, 1, &gate));
        assert_eq!(cached(&cache).await, [true; 4], "never polled");
        let mut writing = Box::pin(waits(Broken, 1, &gate));
        begin_to_wait(&cache, &mut writing).await;
        drop(writing);
        until("the entries are removed", || async {
            cached(&cache).await == [false, false, true, true]
        })
        .await;
    })
    .await;
}

#[test]
fn the_reason_is_logged_once() {
    let cache = memory();
    let logged = events_of(Level::WARN, || {
        cache.scope_sync(|| {
            for _ in 0..2 {
                write_blocking(Broken, 1, End::Ok).unwrap();
            }
        });
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    assert_eq!(warning.function, "write_blocking");
    for part in ["`Display` of `value`", "isn't stored", "invalidated"] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
    assert_eq!((cache.stats().errors, cache.stats().fills), (2, 0));
}

#[test]
fn a_disabled_cache_only_writes() {
    let cache = Cache::builder().enabled(false).build().unwrap();
    let written = cache.scope_sync(|| write_blocking(Broken, 1, End::Ok));
    assert_eq!((written, cache.stats().errors), (Ok(7), 0));
}
