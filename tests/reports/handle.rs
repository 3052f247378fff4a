//! The handle: unusual keys, batches and capacities, counters, and debug output.

use cache_runtime::{Cache, CacheError, cacheable};
use futures_util::future::join_all;
use tests::{Stores, on_both_stores, on_both_stores_with};

use crate::common::{Runs, memory, soon};

// A key given twice in one batch is returned once, so the values shift to other keys.
#[tokio::test]
async fn batches_with_repeated_keys_keep_their_order() {
    on_both_stores(|cache| async move {
        cache
            .set_many([("a", 1), ("b", 2), ("a", 3)], 60)
            .await
            .unwrap();
        let found = cache
            .get_many::<i32>(["a", "x", "b", "a", "a"])
            .await
            .unwrap();
        assert_eq!(found, [Some(3), None, Some(2), Some(3), Some(3)]);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses), (4, 1));
        assert_eq!(cache.clear().await.unwrap(), 2);
    })
    .await;
}

// One entry of a batch that can't be stored loses the others, or the others are stored without it.
#[tokio::test]
async fn a_batch_with_one_value_too_large_stores_nothing() {
    on_both_stores_with(
        |builder| builder.max_value_bytes(100),
        |cache| async move {
            let batch = [
                ("a", "x".to_owned()),
                ("b", "x".repeat(1_000)),
                ("c", "y".to_owned()),
            ];
            let error = cache.set_many(&batch, 60).await.unwrap_err();
            assert!(matches!(error, CacheError::TooLarge { .. }), "{error}");
            let found = cache.get_many::<String>(["a", "b", "c"]).await.unwrap();
            assert_eq!(found, [None, None, None]);
        },
    )
    .await;
}

const ODD: [&str; 20] = [
    "",
    ":",
    "::",
    "a:",
    ":a",
    "a::b",
    "#",
    "a#b#c",
    "a b",
    "a\nb\r\n",
    "a\0b",
    "{tag}:a",
    "%41",
    "A",
    "\u{1F980}",
    "\\",
    "[",
    "*",
    "?",
    "reports:a",
];

// A key that is empty or contains blanks, line ends, nulls or wildcards is refused or truncated, or
// deletes others.
#[tokio::test]
async fn unusual_keys_are_stored_and_deleted_separately() {
    on_both_stores(|cache| async move {
        for (n, key) in ODD.iter().enumerate() {
            cache.set(key, &n, 60).await.unwrap();
        }
        for (n, key) in ODD.iter().enumerate() {
            assert_eq!(cache.get::<usize>(key).await.unwrap(), Some(n), "{key:?}");
            assert_eq!(
                cache.get_or_set(key, 60, || async { usize::MAX }).await,
                n,
                "{key:?}"
            );
        }
        let found = cache.get_many::<usize>(ODD).await.unwrap();
        assert!(found.iter().all(Option::is_some), "{found:?}");
        for key in ODD {
            assert!(cache.delete(key).await.unwrap(), "{key:?}");
            assert!(!cache.exists(key).await.unwrap(), "{key:?}");
        }
        assert_eq!(cache.clear().await.unwrap(), 0);
    })
    .await;
}

// An empty or unfinished pattern is an error in the store, or deletes everything.
#[tokio::test]
async fn unusual_patterns_delete_only_their_matches() {
    on_both_stores(|cache| async move {
        for pattern in [
            "", "[", "[]", "[^]", "\\", "a[", "a\\", "[z-a]", "?", "\u{e9}", "::*",
        ] {
            cache.set("kept:one", &1, 60).await.unwrap();
            let gone = cache.delete_pattern(pattern).await.unwrap();
            assert_eq!(gone, 0, "{pattern:?}");
            assert!(cache.exists("kept:one").await.unwrap(), "{pattern:?}");
        }
        let stars = format!("{}x", "*a".repeat(200));
        cache.set(&"a".repeat(5_000), &1, 60).await.unwrap();
        assert_eq!(soon(cache.delete_pattern(&stars)).await.unwrap(), 0);
        // A pattern that ends in `:*` includes the node: here any key.
        assert_eq!(cache.delete_pattern("*:*").await.unwrap(), 2);
    })
    .await;
}

#[cacheable(key = "sized:<<id>>", skip(runs))]
async fn sized(id: u32, bytes: usize, runs: &Runs) -> String {
    runs.next();
    tokio::task::yield_now().await;
    "x".repeat(bytes)
}

// A capacity of zero keeps entries for a while, panics, or makes callers wait for each other.
#[tokio::test]
async fn a_capacity_of_zero_stores_nothing_and_shares_flights() {
    for capacity in [0, 1, 100] {
        let cache = Cache::builder().memory_capacity(capacity).build().unwrap();
        let runs = Runs::default();
        cache
            .scope(async {
                for _ in 0..2 {
                    let (one, other) = tokio::join!(sized(1, 500, &runs), sized(1, 500, &runs));
                    assert_eq!((one.len(), other.len()), (500, 500));
                }
            })
            .await;
        assert_eq!(runs.count(), 2, "a flight is shared, and nothing is stored");
        // Setting a value that can't be stored is an error.
        let set = cache.set("a", &"x".repeat(500), 60).await;
        assert!(matches!(set, Err(CacheError::TooLarge { .. })), "{set:?}");
        assert_eq!(cache.stats().bytes, 0);
        let unwell = cache.health_check().await.unwrap_err().to_string();
        assert!(unwell.contains("memory_capacity"), "{unwell}");
    }
}

// The largest capacity overflows when it is divided among shards, or is allocated at once.
#[tokio::test]
async fn the_largest_capacities_do_not_overflow() {
    on_both_stores_with(
        |builder| {
            builder
                .memory_capacity(usize::MAX)
                .near_cache(usize::MAX)
                .max_value_bytes(usize::MAX)
        },
        |_| async {
            let runs = Runs::default();
            for _ in 0..2 {
                assert_eq!(sized(1, 100_000, &runs).await.len(), 100_000);
            }
            assert_eq!(runs.count(), 1);
        },
    )
    .await;
}

// Entries of very different sizes exceed the limit, or large entries evict all small ones.
#[tokio::test]
async fn entries_of_very_different_sizes_stay_within_the_capacity() {
    let capacity = 6 << 20;
    let cache = Cache::builder().memory_capacity(capacity).build().unwrap();
    let runs = Runs::default();
    cache
        .scope(async {
            for id in 0..1_500 {
                let bytes = if u32::is_multiple_of(id, 100) {
                    1_000_000
                } else {
                    100
                };
                sized(id, bytes, &runs).await;
                assert!(cache.stats().bytes <= capacity as u64);
            }
        })
        .await;
    assert!(cache.stats().entries > 10);
}

// Overwriting one key repeatedly counts its size each time, until the store seems full.
#[tokio::test]
async fn a_key_that_is_overwritten_is_counted_once() {
    let cache = memory();
    cache.set("kept", &1, 60).await.unwrap();
    let once = cache.stats();
    for n in 0..10_000 {
        cache
            .set("same", "x".repeat(n % 50).as_str(), 60)
            .await
            .unwrap();
    }
    cache.delete("same").await.unwrap();
    let after = cache.stats();
    assert_eq!((after.entries, after.bytes), (once.entries, once.bytes));
}

// The counters don't add up when calls overlap, fail, or don't cache.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_counted_once() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let call = |n: u32| {
            let (cache, runs) = (cache.clone(), runs.clone());
            tokio::spawn(async move {
                let given: Result<u32, ()> = cache
                    .try_get_or_set(&format!("stats:{}", n % 7), 60, || async {
                        tokio::task::yield_now().await;
                        runs.next();
                        if n.is_multiple_of(7) { Err(()) } else { Ok(n) }
                    })
                    .await;
                given.is_ok()
            })
        };
        let calls: Vec<_> = (0..700).map(call).collect();
        let mut well = 0;
        for call in calls {
            well += u32::from(soon(call).await.unwrap());
        }
        assert_eq!(well, 600);
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.waits + stats.misses, 700, "{stats:?}");
        assert_eq!(stats.misses, u64::from(runs.count()), "{stats:?}");
        assert_eq!(stats.fills, 6, "{stats:?}");
    })
    .await;
}

// Concurrent sets, deletes and reads of one key return a value that was never set, or a mixture of
// two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_under_concurrent_writes_has_one_of_the_written_values() {
    on_both_stores(|cache| async move {
        let write = |n: u8| {
            let cache = cache.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    cache.set("torn", &vec![n; 2_000], 60).await.unwrap();
                    if let Some(seen) = cache.get::<Vec<u8>>("torn").await.unwrap() {
                        assert!(seen.len() == 2_000 && seen.iter().all(|byte| *byte == seen[0]));
                    }
                    cache.delete("torn").await.unwrap();
                }
            })
        };
        for task in (0..8).map(write).collect::<Vec<_>>() {
            soon(task).await.unwrap();
        }
        assert!(!cache.exists("torn").await.unwrap());
    })
    .await;
}

// Logging the configuration shows the password.
#[test]
fn no_debug_output_or_error_shows_a_password() {
    let builder = Cache::builder()
        .redis_sentinel(["redis://:hunter2@127.0.0.1:1"], "mymaster")
        .master_login("user", "hunter3");
    let shown = format!("{builder:?} {:?}", builder.clone().build());
    assert!(!shown.contains("hunter"), "{shown}");
    let builder = Cache::builder().redis("redis://user:hunter2@127.0.0.1:1/3");
    let cache = builder.clone().build().unwrap();
    let stats = format!("{:?}", cache.stats());
    let error = cache.blocking().get::<u8>("a").unwrap_err();
    let health = cache.blocking().health_check().unwrap_err();
    let shown = format!("{builder:?} {cache:?} {stats} {error} {error:?} {health} {health:?}");
    assert!(!shown.contains("hunter"), "{shown}");
}

// Two handles with the same prefix on two stores share state that belongs to one of them.
#[tokio::test]
async fn handles_with_one_prefix_on_two_stores_share_nothing() {
    let stores = Stores::new();
    let other = Cache::builder().prefix("quickpost").build().unwrap();
    for (_, cache) in &stores.caches {
        cache.set("a", &1, 60).await.unwrap();
        assert!(!other.exists("a").await.unwrap());
        other.delete_pattern("*").await.unwrap();
        assert!(cache.exists("a").await.unwrap());
    }
}

// The default cache is installed by many threads at once, and some use one that isn't installed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_concurrent_installs_succeeds() {
    let install = |_| {
        tokio::task::spawn_blocking(|| {
            Cache::builder()
                .prefix("reports")
                .build()
                .unwrap()
                .install()
        })
    };
    let installed = join_all((0..20).map(install)).await;
    let won = installed
        .iter()
        .filter(|result| matches!(result, Ok(Ok(()))))
        .count();
    // Another test of this process may have used the default before.
    assert!(won <= 1, "{won}");
    let refused = |result: &Result<Result<(), CacheError>, _>| {
        matches!(result, Ok(Err(CacheError::AlreadyInstalled)))
    };
    assert_eq!(
        installed.iter().filter(|result| refused(result)).count(),
        20 - won
    );
}

// A missing row is queried again by every call, because a null can't be told from a miss.
#[tokio::test]
async fn get_or_set_caches_a_none() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            let none = cache
                .get_or_set("maybe", 60, || async {
                    runs.next();
                    None::<u32>
                })
                .await;
            assert_eq!((none, runs.count()), (None, 1));
        }
        assert!(cache.delete("maybe").await.unwrap());
        let some = cache
            .get_or_set("maybe", 60, || async { Some(7_u32) })
            .await;
        assert_eq!(some, Some(7));
    })
    .await;
}
