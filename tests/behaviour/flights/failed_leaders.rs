//! Leaders that fail, panic, are dropped, or lose their runtime: no waiter gets their error, and
//! the key stays usable.

use std::future::Future;
use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use futures_util::future::join_all;
use tests::{Gate, Stores, all, begin, begin_to_wait, on_both_stores, soon};

use crate::common::Runs;

#[cacheable(key = "failed:err", skip(gate))]
async fn fails(gate: &Gate) -> Result<u32, u32> {
    Err(gate.pass().await)
}

#[tokio::test]
async fn waiters_of_a_leader_that_fails_run_their_own_bodies() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut calls = Vec::new();
        for _ in 0..5 {
            let gate = gate.clone();
            calls.push(begin(&cache, async move { fails(&gate).await }).await);
        }
        assert_eq!(gate.count(), 1);
        gate.open();
        let results = all(calls).await.into_iter();
        let mut errors: Vec<u32> = results.map(|result| result.unwrap_err()).collect();
        errors.sort_unstable();
        assert_eq!(errors, [1, 2, 3, 4, 5], "each caller gets its own error");
        assert!(!cache.exists("failed:err").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn many_concurrent_failing_calls_complete() {
    on_both_stores(|_| async {
        let gate = Gate::new();
        gate.open();
        let results = soon(join_all((0..100).map(|_| fails(&gate)))).await;
        assert!(results.iter().all(Result::is_err));
        assert_eq!(gate.count(), 100);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_takes_over_from_a_leader_that_panics() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let leader = begin(&cache, {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move {
                let body = || async {
                    gate.pass().await;
                    panic!("as the test wants")
                };
                cache.get_or_set::<u32, _, _>("panics", 60, body).await
            }
        })
        .await;
        let mut waiter = Box::pin(cache.get_or_set("panics", 60, async || 7u32));
        begin_to_wait(&cache, &mut waiter).await;
        gate.open();
        assert!(soon(leader).await.is_err());
        assert_eq!(soon(waiter).await, 7, "the waiter takes over");
        assert_eq!(cache.get::<u32>("panics").await.unwrap(), Some(7));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_take_over_from_a_blocking_leader_that_panics() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let blocking = cache.blocking();
        let leader = std::thread::spawn({
            let (blocking, gate) = (blocking.clone(), gate.clone());
            move || {
                blocking.get_or_set::<u32>("panics", 60, || {
                    gate.pass_blocking();
                    panic!("as the test wants")
                })
            }
        });
        gate.reached_by(1).await;
        let waiter = std::thread::spawn(move || blocking.get_or_set("panics", 60, || 7));
        let mut awaiting = Box::pin(cache.get_or_set("panics", 60, async || 7u32));
        begin_to_wait(&cache, &mut awaiting).await;
        gate.open();
        assert!(leader.join().is_err());
        assert_eq!(waiter.join().unwrap(), 7);
        assert_eq!(soon(awaiting).await, 7);
    })
    .await;
}

#[tokio::test]
async fn one_waiter_takes_over_from_a_dropped_leader() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let leader = begin(&cache, passing(&cache, "dropped", &gate)).await;
        let mut waiters = Vec::new();
        for _ in 0..5 {
            waiters.push(begin(&cache, passing(&cache, "dropped", &gate)).await);
        }
        assert_eq!(gate.count(), 1);
        leader.abort();
        gate.reached_by(2).await;
        gate.open();
        assert_eq!(all(waiters).await, [2; 5]);
        assert_eq!(gate.count(), 2, "exactly two runs");
    })
    .await;
}

/// Call a function that stops at the gate and returns the number of its run.
fn passing(
    cache: &Cache,
    key: &'static str,
    gate: &Gate,
) -> impl Future<Output = u32> + Send + use<> {
    let (cache, gate) = (cache.clone(), gate.clone());
    async move { cache.get_or_set(key, 60, || gate.pass()).await }
}

#[tokio::test]
async fn dropped_waiters_do_not_affect_the_flight() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = || begin(&cache, passing(&cache, "waiters", &gate));
        let leader = call().await;
        let mut waiters = vec![call().await, call().await, call().await, call().await];
        waiters.remove(2).abort();
        waiters.remove(0).abort();
        waiters.push(call().await);
        gate.open();
        waiters.push(leader);
        assert_eq!(all(waiters).await, [1; 4]);
        assert_eq!(gate.count(), 1);
    })
    .await;
}

/// The leader is dropped during its requests to the store.
#[tokio::test]
async fn the_next_call_computes_after_a_leader_dropped_at_any_poll() {
    on_both_stores(|cache| async move {
        for polls in 1..30 {
            let key = format!("early:{polls}");
            let runs = Runs::default();
            {
                let body = || async {
                    runs.next();
                    std::future::pending::<u32>().await
                };
                let mut leader = Box::pin(cache.get_or_set(&key, 60, body));
                for _ in 0..polls {
                    assert!(futures_util::poll!(&mut leader).is_pending());
                    tokio::task::yield_now().await;
                }
            }
            let begun = std::time::Instant::now();
            assert_eq!(soon(cache.get_or_set(&key, 60, async || 7)).await, 7);
            let waited = begun.elapsed();
            assert!(waited < Duration::from_secs(1), "{polls}: {waited:?}");
        }
    })
    .await;
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn waiters_take_over_from_a_leader_whose_runtime_ends() {
    let stores = Stores::new();
    for (name, cache) in &stores.caches {
        let gate = Gate::new();
        let first = runtime();
        first.spawn(passing(cache, "runtime", &gate));
        first.block_on(gate.reached_by(1));
        // A waiter on another runtime, and one without a runtime.
        let second = runtime();
        let waiter = second.spawn(passing(cache, "runtime", &gate));
        let thread = std::thread::spawn({
            let (blocking, gate) = (cache.blocking(), gate.clone());
            move || blocking.get_or_set("runtime", 60, || gate.pass_blocking())
        });
        drop(first);
        second.block_on(gate.reached_by(2));
        gate.open();
        assert_eq!(second.block_on(soon(waiter)).unwrap(), 2, "{name}");
        assert_eq!(thread.join().unwrap(), 2, "{name}");
        assert_eq!(gate.count(), 2, "{name}");
    }
}
