//! Computations that wait for each other, lose their callers, or are invalidated.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tests::{on_both_stores, on_both_stores_with, until};
use tokio::sync::{Barrier, Notify};

use crate::common::{Runs, memory, soon};

#[cacheable(key = "cross:left", skip(start, runs))]
async fn left(start: &Barrier, runs: &Runs, first: bool) -> u32 {
    runs.next();
    if first {
        start.wait().await;
        Box::pin(right(start, runs, false)).await + 1
    } else {
        1
    }
}

#[cacheable(key = "cross:right", skip(start, runs))]
async fn right(start: &Barrier, runs: &Runs, first: bool) -> u32 {
    runs.next();
    if first {
        start.wait().await;
        Box::pin(left(start, runs, false)).await + 1
    } else {
        1
    }
}

// Two computations that need each other's value wait for each other forever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn computations_that_wait_for_each_other_complete() {
    let limit = Duration::from_millis(150);
    on_both_stores_with(
        |builder| builder.wait_timeout(limit),
        |cache| async move {
            let (start, runs) = (Arc::new(Barrier::new(2)), Runs::default());
            let one = tokio::spawn({
                let (cache, start, runs) = (cache.clone(), start.clone(), runs.clone());
                async move { cache.scope(left(&start, &runs, true)).await }
            });
            let other = tokio::spawn({
                let (cache, start, runs) = (cache.clone(), start.clone(), runs.clone());
                async move { cache.scope(right(&start, &runs, true)).await }
            });
            let values = (soon(one).await.unwrap(), soon(other).await.unwrap());
            assert_eq!(values, (2, 2));
        },
    )
    .await;
}

#[cacheable(key = "fib:<<n>>", skip(runs))]
fn fib(n: u64, runs: &Runs) -> u64 {
    runs.next();
    if n < 2 {
        n
    } else {
        fib(n - 1, runs) + fib(n - 2, runs)
    }
}

#[cacheable(key = "fib:async:<<n>>", skip(runs))]
async fn fib_async(n: u64, runs: Runs) -> u64 {
    runs.next();
    if n < 2 {
        n
    } else {
        Box::pin(fib_async(n - 1, runs.clone())).await + Box::pin(fib_async(n - 2, runs)).await
    }
}

/// A recursive background refresh asks whether the future is `Send` inside the future itself, which
/// rustc can't determine.
#[cacheable(key = "fib:stale:<<n>>", stale = "1m", refresh = "caller")]
async fn fib_stale(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        Box::pin(fib_stale(n - 1)).await + Box::pin(fib_stale(n - 2)).await
    }
}

// A function that calls itself with other arguments deadlocks on the cache's lock, or doesn't
// compile when async.
#[tokio::test]
async fn recursive_functions_are_cached() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!(fib(60, &runs), 1_548_008_755_920);
        assert_eq!(runs.count(), 61, "each number is computed once");
        let runs = Runs::default();
        let spawned = tokio::spawn(cache.scope(fib_async(40, runs.clone())));
        assert_eq!(soon(spawned).await.unwrap(), 102_334_155);
        assert_eq!(runs.count(), 41);
        let spawned = tokio::spawn(cache.scope(fib_stale(40)));
        assert_eq!(soon(spawned).await.unwrap(), 102_334_155);
    })
    .await;
}

#[cacheable(key = "even:<<n>>")]
async fn is_even(n: u32) -> bool {
    n == 0 || !Box::pin(is_odd(n - 1)).await
}

#[cacheable(key = "odd:<<n>>")]
async fn is_odd(n: u32) -> bool {
    n != 0 && !Box::pin(is_even(n - 1)).await || n == 1
}

#[cacheable(key = "deep:<<n>>")]
fn deep(n: u32) -> u32 {
    if n == 0 { 0 } else { deep(n - 1) + 1 }
}

// Recursion of some hundred calls overflows the stack, or takes quadratic time.
#[tokio::test]
async fn deep_recursion_through_cached_functions_completes() {
    on_both_stores(|_| async {
        assert_eq!(deep(300), 300);
        let _ = is_even(100).await;
    })
    .await;
}

// A hit isn't ready at once, so that code that polls once never sees it.
#[test]
fn a_hit_in_memory_is_ready_at_the_first_poll() {
    let cache = memory();
    assert_eq!(
        cache.get_or_set("now", 60, || async { 1 }).now_or_never(),
        Some(1)
    );
    assert_eq!(
        cache.get_or_set("now", 60, || async { 2 }).now_or_never(),
        Some(1)
    );
    assert_eq!(
        cache.get::<i32>("now").now_or_never().unwrap().unwrap(),
        Some(1)
    );
    assert_eq!(cache.scope(is_even(0)).now_or_never(), Some(true));
    assert_eq!(cache.scope(is_even(0)).now_or_never(), Some(true));
}

// The cost of a waiting caller grows with the number of the others.
#[tokio::test]
async fn thousands_of_callers_wait_for_one_value() {
    on_both_stores(|cache| async move {
        let (open, calling) = (Arc::new(Notify::new()), Arc::new(()));
        let call = |_| {
            let (cache, open, not_yet) = (cache.clone(), open.clone(), calling.clone());
            tokio::spawn(async move {
                drop(not_yet);
                let slow = || async {
                    open.notified().await;
                    1
                };
                cache.get_or_set("crowd", 60, slow).await
            })
        };
        let calls: Vec<_> = (0..3_000).map(call).collect();
        until("the callers wait", || async {
            Arc::strong_count(&calling) == 1
        })
        .await;
        // A third of them are dropped.
        let (leave, stay): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .enumerate()
            .partition(|(n, _)| *n > 0 && n % 3 == 0);
        leave.iter().for_each(|(_, call)| call.abort());
        open.notify_one();
        for (_, call) in stay {
            assert_eq!(soon(call).await.unwrap(), 1);
        }
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.fills), (1, 1), "{stats:?}");
    })
    .await;
}

// Callers that are dropped after their first poll stay registered with the flight.
#[tokio::test]
async fn callers_dropped_while_they_wait_do_not_affect_the_flight() {
    on_both_stores(|cache| async move {
        let (open, runs) = (Arc::new(Notify::new()), Runs::default());
        let leader = tokio::spawn({
            let (cache, open, runs) = (cache.clone(), open.clone(), runs.clone());
            async move {
                cache
                    .get_or_set("left", 60, || async {
                        let run = runs.next();
                        open.notified().await;
                        run
                    })
                    .await
            }
        });
        until("the body runs", || async { runs.count() == 1 }).await;
        let leave = async |_| {
            let patience = Duration::from_millis(5);
            let call = cache.get_or_set("left", 60, std::future::pending::<u32>);
            let _ = tokio::time::timeout(patience, call).await;
        };
        soon(join_all((0..500).map(leave))).await;
        open.notify_one();
        assert_eq!(soon(leader).await.unwrap(), 1);
        assert_eq!(cache.get::<u32>("left").await.unwrap(), Some(1));
    })
    .await;
}

#[cacheable(key = "herd:<<id>>", skip(runs))]
async fn herd(id: u32, runs: Runs) -> u32 {
    // Real time, in which the other callers arrive. Late ones find the entry.
    tokio::time::sleep(Duration::from_millis(20)).await;
    runs.next()
}

#[invalidate(patterns = ["herd:<<id>>"])]
async fn stampede(id: u32) {}

// Right after a delete or an expiry, every caller computes (a stampede).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_callers_computes_after_a_delete() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for round in 1..=5 {
            let calls = (0..50).map(|_| tokio::spawn(cache.scope(herd(1, runs.clone()))));
            for call in calls.collect::<Vec<_>>() {
                assert_eq!(soon(call).await.unwrap(), round);
            }
            stampede(1).await;
        }
        assert_eq!(runs.count(), 5);
    })
    .await;
}

// Dropping a handle ends its running calls.
#[tokio::test]
async fn calls_complete_after_the_last_handle_is_dropped() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let call = cache.scope(herd(1, runs.clone()));
        drop(cache);
        assert_eq!(soon(call).await, 1);
    })
    .await;
}

// An explicit `set` during a computation is overwritten by it.
#[tokio::test]
async fn a_value_set_during_a_computation_is_not_overwritten() {
    on_both_stores(|cache| async move {
        let computed = cache
            .get_or_set("raced", 60, || async {
                cache.set("raced", &2, 60).await.unwrap();
                1
            })
            .await;
        assert_eq!(computed, 1, "the caller gets the value that it computed");
        assert_eq!(cache.get::<i32>("raced").await.unwrap(), Some(2));
    })
    .await;
}

// `clear` during fills and sets misses some entries, or a later fill restores a cleared one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clear_removes_set_values_and_prevents_running_fills() {
    on_both_stores(|cache| async move {
        for round in 0..5 {
            let (open, running) = (Arc::new(Notify::new()), Runs::default());
            let calls = (0..10).map(|n| {
                let (cache, open, running) = (cache.clone(), open.clone(), running.clone());
                tokio::spawn(async move {
                    let key = format!("fill:{round}:{n}");
                    let slow = || async {
                        running.next();
                        open.notified().await;
                        n
                    };
                    if n % 2 == 0 {
                        cache.get_or_set(&key, 60, slow).await;
                    } else {
                        cache.set(&key, &n, 60).await.unwrap();
                    }
                })
            });
            let calls: Vec<_> = calls.collect();
            until("the values are set and the bodies run", || async {
                let set = (0..5).map(|n| format!("fill:{round}:{}", 2 * n + 1));
                let set = cache.get_many::<i32>(set).await.unwrap();
                set.iter().all(Option::is_some) && running.count() == 5
            })
            .await;
            assert_eq!(cache.clear().await.unwrap(), 5, "the five set values");
            for _ in 0..10 {
                open.notify_one();
                tokio::task::yield_now().await;
            }
            open.notify_waiters();
            let begun = Instant::now();
            for call in calls {
                while !call.is_finished() {
                    open.notify_one();
                    tokio::task::yield_now().await;
                    assert!(begun.elapsed() < Duration::from_secs(20));
                }
            }
            assert_eq!(cache.clear().await.unwrap(), 0, "no earlier fill is stored");
        }
    })
    .await;
}

// Computing many keys at the same time is mistaken for a slow store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_computed_at_once_are_all_cached() {
    on_both_stores(|cache| async move {
        let call = |n: u32| {
            let cache: Cache = cache.clone();
            async move {
                cache
                    .get_or_set(&format!("many:{n}"), 60, || async { n })
                    .await
            }
        };
        soon(join_all((0..1_000).map(call))).await;
        assert_eq!(cache.stats().errors, 0);
        assert_eq!(cache.clear().await.unwrap(), 1_000);
    })
    .await;
}
