//! Single-flight: many callers of one missing entry make one computation.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use cache_runtime::cacheable;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use tests::{Gate, Stores, all, begin, begin_to_wait, on_both_stores, soon};

use crate::common::Runs;

#[cacheable(key = "flights:<<id>>", skip(gate))]
async fn slow(gate: &Gate, id: u32) -> u32 {
    gate.pass().await + id
}

#[cacheable(key = "flights:sync:<<id>>", skip(gate))]
fn slow_sync(gate: &Gate, id: u32) -> u32 {
    gate.pass_blocking() + id
}

#[cacheable(key = "flights:few:<<id>>", skip(gate), unless = |value: &u32| *value < 1000)]
async fn not_stored(gate: &Gate, id: u32) -> u32 {
    gate.pass().await + id
}

#[cacheable(key = "flights:none:<<id>>", skip(gate))]
async fn absent(gate: &Gate, id: u32) -> Option<u32> {
    gate.pass().await.checked_sub(id)
}

/// Real time passes in the body, so that all callers arrive during its one run.
#[cacheable(key = "flights:yielding", skip(runs))]
async fn yielding(runs: &Runs) -> u32 {
    let run = runs.next();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_make_one_run() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = |_| {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move { cache.scope(slow(&gate, 1)).await })
        };
        let tasks: Vec<_> = (0..1000).map(call).collect();
        gate.reached_by(1).await;
        gate.open();
        for task in tasks {
            assert_eq!(soon(task).await.unwrap(), 2);
        }
        assert_eq!(gate.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn calls_joined_in_one_task_make_one_run() {
    on_both_stores(|cache| async move {
        // `join_all` gives few futures the task's waker, and many futures one each.
        for callers in [2, 10, 200, 1000] {
            cache.clear().await.unwrap();
            let runs = Runs::default();
            let values = soon(join_all((0..callers).map(|_| yielding(&runs)))).await;
            assert_eq!(values, vec![1; callers]);
            assert_eq!(runs.count(), 1, "of {callers} callers");
        }
    })
    .await;
}

#[tokio::test]
async fn a_join_of_two_makes_one_run() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!(
            soon(join(yielding(&runs), yielding(&runs))).await,
            (1, 1),
            "futures_util::join"
        );
        cache.clear().await.unwrap();
        let joined = async { tokio::join!(yielding(&runs), yielding(&runs), yielding(&runs)) };
        assert_eq!(soon(joined).await, (2, 2, 2), "tokio::join!");
        assert_eq!(runs.count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_futures_unordered_make_one_run() {
    on_both_stores(|cache| async move {
        let crowd = tokio::spawn(async move {
            let runs = Runs::default();
            let calls: FuturesUnordered<_> = (0..100).map(|_| yielding(&runs)).collect();
            let values: Vec<u32> = cache.scope(calls.collect()).await;
            (values, runs.count())
        });
        assert_eq!(soon(crowd).await.unwrap(), (vec![1; 100], 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_threads_make_one_run() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let start = Arc::new(Barrier::new(100));
        let call = |_| {
            let (cache, gate, start) = (cache.clone(), gate.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                cache.scope_sync(|| slow_sync(&gate, 1))
            })
        };
        let threads: Vec<_> = (0..100).map(call).collect();
        gate.reached_by(1).await;
        gate.open();
        let joined = tokio::task::spawn_blocking(|| {
            let values = threads.into_iter().map(|thread| thread.join().unwrap());
            values.collect::<Vec<u32>>()
        });
        assert_eq!(soon(joined).await.unwrap(), vec![2; 100]);
        assert_eq!(gate.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_waits_no_longer_than_the_wait_timeout() {
    let limit = Duration::from_millis(100);
    let stores = Stores::with(|builder| builder.wait_timeout(limit));
    for (name, cache) in &stores.caches {
        let gate = Gate::new();
        let leader = tokio::spawn({
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.get_or_set("slow", 60, || gate.pass()).await }
        });
        gate.reached_by(1).await;
        let begun = Instant::now();
        assert_eq!(soon(cache.get_or_set("slow", 60, async || 7)).await, 7);
        let waited = begun.elapsed();
        assert!(waited >= limit, "{name}: {waited:?}");
        assert!(waited < limit * 10, "{name}: {waited:?}");
        // The same for a blocking caller on its own thread.
        let blocking = cache.blocking();
        let thread = std::thread::spawn(move || blocking.get_or_set("slow", 60, || 8));
        let joined = tokio::task::spawn_blocking(move || thread.join().unwrap());
        assert_eq!(soon(joined).await.unwrap(), 8, "{name}");
        gate.open();
        assert_eq!(soon(leader).await.unwrap(), 1, "{name}");
        let stored = cache.get::<u32>("slow").await.unwrap();
        assert_eq!(stored, Some(1), "{name}: the leader's value is the entry");
    }
}

#[tokio::test]
async fn a_value_that_is_not_stored_is_shared_with_waiters() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = || {
            let gate = gate.clone();
            begin(&cache, async move { not_stored(&gate, 1).await })
        };
        let calls = vec![call().await, call().await];
        gate.open();
        assert_eq!(all(calls).await, [2, 2]);
        assert_eq!(gate.count(), 1);
        assert!(!cache.exists("flights:few:1").await.unwrap());
        assert_eq!(soon(not_stored(&gate, 1)).await, 3, "the next call runs");

        let gate = Gate::new();
        let call = || {
            let gate = gate.clone();
            begin(&cache, async move { absent(&gate, 9).await })
        };
        let calls = vec![call().await, call().await];
        gate.open();
        assert_eq!(all(calls).await, [None, None]);
        assert_eq!(gate.count(), 1);
        assert!(!cache.exists("flights:none:9").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn different_keys_do_not_wait_for_each_other() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut first = Box::pin(slow(&gate, 1));
        begin_to_wait(&cache, &mut first).await;
        let open = Gate::new();
        open.open();
        assert_eq!(soon(slow(&open, 2)).await, 3);
        drop(first);
    })
    .await;
}

/// A function must not return the value of a flight of another version, which it has joined.
#[tokio::test]
async fn a_call_does_not_return_the_value_of_a_flight_of_another_version() {
    #[cacheable(key = "flights:version", version = 1, skip(gate))]
    async fn old(gate: &Gate) -> u32 {
        gate.pass().await;
        1
    }
    #[cacheable(key = "flights:version", version = 2)]
    async fn new() -> u32 {
        2
    }
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let leader = begin(&cache, {
            let gate = gate.clone();
            async move { old(&gate).await }
        });
        let calls = vec![leader.await, begin(&cache, new()).await];
        gate.open();
        assert_eq!(all(calls).await, [1, 2]);
    })
    .await;
}
