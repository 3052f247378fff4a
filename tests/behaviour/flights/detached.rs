//! `detached`: a computation outlives its caller, is stored, and serves later callers.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use futures_util::FutureExt as _;
use tests::{Gate, begin, events_of, on_both_stores, on_both_stores_with, soon};
use tokio::time::timeout;
use tracing::Level;

use crate::common::Runs;
use crate::staleness::support::{Place, Work, on_both, until, until_stored};

#[cacheable(key = "slow:<<id>>", skip(runs), detached = true)]
async fn slow(runs: Runs, id: u32) -> u32 {
    let run = runs.next();
    // Real time, longer than the timeout of the callers.
    tokio::time::sleep(Duration::from_millis(300)).await;
    run + id
}

#[tokio::test]
async fn callers_that_time_out_before_the_body_ends_start_it_once() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..10 {
            let _ = timeout(Duration::from_millis(150), slow(runs.clone(), 1)).await;
        }
        assert_eq!(soon(slow(runs.clone(), 1)).await, 2);
        assert_eq!(runs.count(), 1);
    })
    .await;
}

#[cacheable(key = "rows:<<id>>", skip(work), detached, companions = false)]
async fn row(work: Work, id: u32) -> u32 {
    let run = work.gate.pass().await;
    // The body owns `work`, so a test can see whether the body has ended.
    drop(work);
    run + id
}

/// Begin a call, and drop it once its body has reached the gate.
async fn abandon<F: Future>(gate: &Gate, call: F) {
    let next = gate.count() + 1;
    tokio::select! {
        biased;
        _ = call => panic!("the body waits at the gate"),
        () = gate.reached_by(next) => {}
    }
}

#[tokio::test]
async fn waiters_get_the_value_of_a_leader_whose_caller_was_dropped() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        let leader = begin(cache, row(work.clone(), 1)).await;
        work.gate.reached_by(1).await;
        let waiter = begin(cache, row(work.clone(), 1)).await;
        leader.abort();
        assert!(leader.await.is_err());
        let late = begin(cache, row(work.clone(), 1)).await;
        work.gate.open();
        assert_eq!(soon(waiter).await.unwrap(), 2);
        assert_eq!(soon(late).await.unwrap(), 2);
        assert_eq!(work.gate.count(), 1);
        until_stored(cache, "rows:1", 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_detached_value_that_was_invalidated_is_not_stored() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        abandon(&work.gate, row(work.clone(), 1)).await;
        cache.delete_pattern("rows:*").await.unwrap();
        let fresh = place.work();
        fresh.gate.open();
        assert_eq!(
            soon(row(fresh.clone(), 1)).await,
            2,
            "the call does not join"
        );
        cache.delete("rows:1").await.unwrap();
        work.gate.open();
        until("the body has ended", || async { work.holders() == 1 }).await;
        assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), None);
        assert_eq!(soon(row(fresh.clone(), 1)).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_body_without_a_caller_is_dropped_after_the_wait_timeout() {
    let limit = Duration::from_millis(300);
    on_both_stores_with(
        |builder| builder.wait_timeout(limit),
        |_| async {
            let work = Place::memory().work();
            abandon(&work.gate, row(work.clone(), 1)).await;
            assert!(work.holders() > 1, "the body is not dropped");
            until("the body is dropped", || async { work.holders() == 1 }).await;
            work.gate.open();
            assert_eq!(
                soon(row(work.clone(), 1)).await,
                3,
                "the next call computes"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_body_whose_caller_waits_outlives_the_wait_timeout() {
    let limit = Duration::from_millis(50);
    on_both_stores_with(
        |builder| builder.wait_timeout(limit),
        |cache| async move {
            let work = Place::memory().work();
            let call = begin(&cache, row(work.clone(), 1)).await;
            work.gate.reached_by(1).await;
            // The wait timeout runs in real time, and the test needs it to pass, here and below.
            tokio::time::sleep(limit * 2).await;
            work.gate.open();
            assert_eq!(soon(call).await.unwrap(), 2);
            // After the timeout, a body is dropped with its caller.
            let work = Place::memory().work();
            let call = begin(&cache, row(work.clone(), 2)).await;
            work.gate.reached_by(1).await;
            tokio::time::sleep(limit * 2).await;
            call.abort();
            assert!(call.await.is_err());
            assert_eq!(work.holders(), 1);
        },
    )
    .await;
}

#[cacheable(key = "results:<<id>>", skip(work), detached, companions = false)]
async fn result(work: Work, id: u32) -> Result<u32, String> {
    match work.gate.pass().await {
        1 => Err("the first".to_owned()),
        run => Ok(run + id),
    }
}

#[tokio::test]
async fn an_error_goes_to_its_caller_and_is_not_stored() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        let call = begin(cache, result(work.clone(), 1)).await;
        work.gate.open();
        assert_eq!(soon(call).await.unwrap(), Err("the first".to_owned()));
        assert!(!cache.exists("results:1").await.unwrap());
        assert_eq!(soon(result(work.clone(), 1)).await, Ok(3));
    })
    .await;
}

#[test]
fn an_error_after_the_caller_was_dropped_is_logged() {
    let events = events_of(Level::WARN, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(on_both(|place| async move {
            let work = place.work();
            abandon(&work.gate, result(work.clone(), 1)).await;
            work.gate.open();
            until("the body has ended", || async { work.holders() == 1 }).await;
            assert_eq!(soon(result(work.clone(), 1)).await, Ok(3));
        }));
    });
    let logged = |event: &&tests::Event| event.message.contains("after its caller was dropped");
    let logged: Vec<_> = events.iter().filter(logged).collect();
    assert_eq!(logged.len(), 2, "once on each store: {events:?}");
    assert_eq!(logged[0].function, "result");
    assert_eq!(logged[0].key, "quickpost:results:1");
}

#[cacheable(key = "panics:<<id>>", skip(work), detached, companions = false)]
async fn panics(work: Work, id: u32) -> u32 {
    let run = work.gate.pass().await;
    assert!(run > 1, "as the test wants");
    run + id
}

#[tokio::test]
async fn a_panic_reaches_the_caller_that_waits() {
    on_both(|place| async move {
        let work = place.work();
        work.gate.open();
        let caught = AssertUnwindSafe(panics(work.clone(), 1)).catch_unwind();
        let panic = soon(caught).await.expect_err("the body panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"as the test wants"));
        assert_eq!(soon(panics(work.clone(), 1)).await, 3);
    })
    .await;
}

#[tokio::test]
async fn the_next_caller_computes_after_a_panic_without_a_caller() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        abandon(&work.gate, panics(work.clone(), 1)).await;
        let waiter = begin(cache, panics(work.clone(), 1)).await;
        work.gate.open();
        assert_eq!(soon(waiter).await.unwrap(), 3);
    })
    .await;
}

#[test]
fn the_end_of_the_runtime_drops_the_body_and_the_next_caller_computes() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    for place in [Place::memory(), Place::redis()] {
        let work = place.work();
        let first = runtime();
        first.block_on(place.cache.scope(abandon(&work.gate, row(work.clone(), 1))));
        assert!(work.holders() > 1, "the body is not dropped");
        drop(first);
        assert_eq!(work.holders(), 1);
        work.gate.open();
        let second = runtime();
        let value = second.block_on(place.cache.scope(soon(row(work.clone(), 1))));
        assert_eq!(value, 3);
    }
}

#[cacheable(key = "plain:<<id>>", skip(gate), detached, companions = false)]
async fn plain(gate: Gate, id: u32) -> u32 {
    gate.pass().await + id
}

#[test]
fn without_a_runtime_a_dropped_callers_body_continues_and_is_stored() {
    for place in [Place::memory(), Place::redis()] {
        let gate = Gate::new();
        {
            let call = pin!(place.cache.scope(plain(gate.clone(), 1)));
            let mut call = call;
            let mut cx = Context::from_waker(Waker::noop());
            while gate.count() == 0 {
                assert!(call.as_mut().poll(&mut cx).is_pending());
            }
        }
        gate.open();
        let call = place.cache.scope(plain(gate.clone(), 1));
        assert_eq!(futures_executor::block_on(call), 2);
        assert_eq!(gate.count(), 1);
    }
}

#[cacheable(key = "scopes:<<id>>", skip(gate), detached, companions = false)]
async fn scope(gate: Gate, id: u32) -> String {
    let before = Cache::current().prefix().to_owned();
    gate.pass().await;
    format!("{id} {before} {}", Cache::current().prefix())
}

#[tokio::test]
async fn a_detached_body_uses_its_callers_cache() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        abandon(&gate, scope(gate.clone(), 1)).await;
        gate.open();
        assert_eq!(soon(scope(gate.clone(), 1)).await, "1 quickpost quickpost");
        assert_eq!(gate.count(), 1);
        drop(cache);
    })
    .await;
}

#[cacheable(key = "inner:<<id>>", skip(work), detached, companions = false)]
async fn nested(work: Work, id: u32) -> u32 {
    let run = work.gate.pass().await;
    if run > 1 {
        return run;
    }
    id + again(work, id).await
}

fn again(work: Work, id: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(nested(work, id))
}

#[tokio::test]
async fn a_nested_call_of_the_same_key_runs_the_body() {
    on_both(|place| async move {
        let work = place.work();
        abandon(&work.gate, nested(work.clone(), 10)).await;
        work.gate.open();
        assert_eq!(soon(nested(work.clone(), 10)).await, 12);
        assert_eq!(work.gate.count(), 2);
    })
    .await;
}

#[cacheable(key = "outer", skip(work), detached, companions = false)]
async fn outer(work: Work) -> u32 {
    if work.runs.next() > 1 {
        return 10;
    }
    abandon(&work.gate, middle(work.clone())).await;
    work.gate.open();
    // Wait for the computation of the dropped call, which calls this function.
    middle(work).await + 1
}

#[cacheable(key = "middle", skip(work), detached, companions = false)]
async fn middle(work: Work) -> u32 {
    work.gate.pass().await;
    outer_again(work).await + 1
}

fn outer_again(work: Work) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(outer(work))
}

#[tokio::test]
async fn a_computation_whose_caller_was_dropped_does_not_wait_for_an_enclosing_flight() {
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(soon(outer(work.clone())).await, 12);
        assert_eq!((work.runs.count(), work.gate.count()), (2, 1));
    })
    .await;
}

#[cacheable(key = "if:<<id>>", skip(work), condition = id > 1, detached, companions = false)]
async fn conditional(work: Work, id: u32) -> u32 {
    work.gate.pass().await + id
}

#[tokio::test]
async fn a_body_whose_value_is_not_stored_is_dropped_with_its_caller() {
    on_both(|place| async move {
        let work = place.work();
        abandon(&work.gate, conditional(work.clone(), 1)).await;
        assert_eq!(work.holders(), 1);
    })
    .await;
}

#[cacheable(
    key = "closures:<<id>>",
    skip(work),
    ttl = |run| u64::from(*run + id),
    unless = |run| *run > id,
    detached,
    companions = false
)]
async fn closures(work: Work, id: u32) -> u32 {
    work.gate.pass().await
}

#[tokio::test]
async fn ttl_and_unless_apply_to_a_value_without_a_caller() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        abandon(&work.gate, closures(work.clone(), 1_000)).await;
        work.gate.open();
        until_stored(cache, "closures:1000", 1).await;
        let ttl = cache.ttl("closures:1000").await.unwrap().unwrap();
        assert!(ttl > Duration::from_secs(900), "{ttl:?}");
        assert_eq!(soon(closures(work.clone(), 0)).await, 2);
        assert!(!cache.exists("closures:0").await.unwrap());
    })
    .await;
}

#[cacheable(
    key = "stale:<<id>>",
    ttl = work.life,
    stale_if_error = "10m",
    skip(work),
    detached,
    companions = false
)]
async fn expired(work: Work, id: u32) -> Result<u32, String> {
    Ok(work.run().await + id)
}

#[cacheable(key = "stale:<<id>>", ttl = work.life, stale = "10m", skip(work), detached, companions = false)]
async fn stale(work: Work, id: u32) -> u32 {
    work.run().await + id
}

#[tokio::test]
async fn with_stale_if_error_a_body_continues_without_its_caller() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        assert_eq!(soon(expired(work.clone(), 1)).await, Ok(2));
        place.turns_stale("stale:1").await;
        abandon(&work.gate, expired(work.clone(), 1)).await;
        let waiter = begin(cache, expired(work.clone(), 1)).await;
        work.gate.open();
        assert_eq!(soon(waiter).await.unwrap(), Ok(3));
        assert_eq!(work.runs.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn with_stale_a_body_continues_without_its_caller() {
    on_both(|place| async move {
        let (cache, work) = (&place.cache, place.work());
        // The second run stops at the gate.
        assert_eq!(work.run_through(), 1);
        abandon(&work.gate, stale(work.clone(), 1)).await;
        work.gate.open();
        until_stored(cache, "stale:1", 3).await;
        place.turns_stale("stale:1").await;
        assert_eq!(soon(stale(work.clone(), 1)).await, 3);
        until_stored(cache, "stale:1", 4).await;
        assert_eq!(work.runs.count(), 3);
    })
    .await;
}

#[cacheable(key = "attached:<<id>>", skip(work))]
async fn attached(work: Work, id: u32) -> u32 {
    work.gate.pass().await + id
}

#[tokio::test]
async fn without_detached_a_body_is_dropped_with_its_caller() {
    on_both(|place| async move {
        let work = place.work();
        abandon(&work.gate, attached(work.clone(), 1)).await;
        assert_eq!(work.holders(), 1);
    })
    .await;
}
