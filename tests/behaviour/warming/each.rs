//! Going through items.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Warm, cacheable};
use tests::{Gate, Runs, events_of, on_both_stores, on_both_stores_with, soon};
use tracing::Level;

#[cacheable(key = "rows:<<id>>", skip(runs), condition = id != 99)]
async fn row(id: u32, runs: &Runs) -> Result<u32, String> {
    runs.next();
    match id {
        13 => Err("unlucky".to_owned()),
        14 => panic!("worse than 13"),
        _ => Ok(id),
    }
}

#[tokio::test]
async fn fresh_computed_failed_and_uncached_items_are_told_apart() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for id in 1..=5 {
            row(id, &runs).await.unwrap();
        }
        let warm = Warm::of(&cache);
        let ids = (1..=10).chain([13, 14, 99]);
        let counts = warm.each(ids, |id| row(id, &runs)).await;
        assert_eq!(
            (
                counts.fresh,
                counts.computed,
                counts.failed,
                counts.uncached
            ),
            (5, 5, 2, 1)
        );
        assert_eq!((counts.items, counts.expected), (13, 13));
        assert_eq!(runs.count(), 5 + 5 + 3);
        let again = warm.each(1..=10, |id| row(id, &runs)).await;
        assert_eq!((again.fresh, again.items), (10, 10));
        assert_eq!(warm.counts().items, 23);
        assert_eq!(runs.count(), 13);
    })
    .await;
}

#[tokio::test]
async fn an_item_that_another_caller_computes_is_fresh_and_runs_no_body() {
    #[cacheable(key = "gate", skip(gate))]
    async fn gated(gate: &Gate) -> u32 {
        gate.pass().await
    }
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let leader = tokio::spawn(cache.scope({
            let gate = gate.clone();
            async move { gated(&gate).await }
        }));
        gate.reached_by(1).await;
        let warm = Warm::of(&cache);
        let warming = warm.each([()], |()| gated(&gate));
        let (counts, ()) = tokio::join!(warming, async {
            tokio::task::yield_now().await;
            gate.open();
        });
        assert_eq!((counts.fresh, counts.computed), (1, 0));
        assert_eq!(soon(leader).await.unwrap(), 1);
        assert_eq!(gate.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_panic_of_one_item_ends_no_other_and_errors_are_logged() {
    let cache = super::super::common::memory();
    let runs = Runs::default();
    let events = events_of(Level::WARN, || {
        let ids = (0..40).map(|place| if place % 2 == 0 { 14 } else { 100 + place });
        let warm = Warm::of(&cache);
        let counts = futures_executor::block_on(warm.try_each(ids, |id| row(id, &runs)));
        assert_eq!((counts.failed, counts.computed), (20, 20));
    });
    let failures: Vec<_> = events.iter().filter(|event| event.op == "warm").collect();
    // The first ten of a run.
    assert_eq!(failures.len(), 10, "{events:?}");
    assert_eq!(
        failures[0].message,
        "[Cache] WARM: by hand: item 1 failed: panicked: worse than 13"
    );
}

#[tokio::test]
async fn the_errors_of_try_each_are_logged_with_their_key_and_text() {
    let cache = super::super::common::memory();
    let runs = Runs::default();
    let events = events_of(Level::WARN, || {
        let warm = Warm::of(&cache);
        futures_executor::block_on(warm.try_each([13], |id| row(id, &runs)));
        futures_executor::block_on(warm.each([13], |id| row(id, &runs)));
        let alien = |_| std::future::ready(Err::<(), _>("not of a cached call"));
        futures_executor::block_on(warm.try_each([1], alien));
        let broken = |_: u32| -> std::future::Ready<()> { panic!("before the call") };
        futures_executor::block_on(warm.each([1], broken));
    });
    let messages: Vec<_> = events.iter().map(|event| event.message.as_str()).collect();
    let each = [
        "quickpost:rows:13: \"unlucky\"",
        "quickpost:rows:13: `row` returned an error",
        "\"not of a cached call\"",
        "panicked: before the call",
    ];
    assert_eq!(
        messages,
        each.map(|text| format!("[Cache] WARM: by hand: item 1 failed: {text}"))
    );
}

#[tokio::test]
async fn the_number_of_calls_at_a_time_is_bounded() {
    on_both_stores(|cache| async move {
        for limit in [1, 3] {
            let (now, most) = (AtomicU32::new(0), AtomicU32::new(0));
            let call = async |id: u32| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                id
            };
            let warm = Warm::of(&cache).with_concurrency(limit);
            let counts = warm.each(0..20, call).await;
            assert_eq!((counts.items, now.into_inner()), (20, 0));
            assert_eq!(most.into_inner() as usize, limit);
        }
    })
    .await;
}

#[tokio::test]
async fn the_rate_limits_what_is_computed_and_not_what_is_fresh() {
    #[cacheable(key = "rated:<<id>>")]
    async fn rated(id: u32) -> u32 {
        id
    }
    on_both_stores(|cache| async move {
        let begun = Instant::now();
        let warm = Warm::of(&cache).with_rate(20);
        let counts = warm.each(0..5, rated).await;
        assert_eq!(counts.computed, 5);
        // The first begins at once, and nothing waits after the last one.
        assert!(begun.elapsed() >= Duration::from_millis(4 * 50));
        let hourly = Warm::of(&cache).with_rate(1).with_concurrency(1);
        let counts = soon(hourly.each((0..500).map(|id| id % 5), rated)).await;
        assert_eq!(counts.fresh, 500);
    })
    .await;
}

#[tokio::test]
async fn dropping_the_future_ends_the_calls() {
    #[cacheable(key = "held:<<id>>", skip(gate))]
    async fn held(id: u32, gate: &Gate) -> u32 {
        gate.pass().await;
        id
    }
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let warm = Warm::of(&cache).with_concurrency(2);
        {
            let warming = warm.each(0..10, |id| held(id, &gate));
            tokio::select! {
                biased;
                _ = warming => panic!("the gate is closed"),
                () = gate.reached_by(2) => {}
            }
        }
        gate.open();
        let counts = warm.counts();
        assert_eq!((counts.items, counts.expected), (0, 10));
        // The flights and leases were given back.
        assert_eq!(soon(held(0, &gate)).await, 0);
        assert_eq!(gate.count(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_cache_is_not_warmed() {
    on_both_stores_with(
        |builder| builder.enabled(false),
        |cache| async move {
            let runs = Runs::default();
            let warm = Warm::of(&cache);
            let counts = warm.each(1..=5, |id| row(id, &runs)).await;
            assert_eq!((counts.items, counts.expected, runs.count()), (0, 5, 0));
            assert!(warm.is_stopped());
        },
    )
    .await;
}

#[test]
fn hits_in_memory_let_other_tasks_have_their_turn() {
    let cache = super::super::common::memory();
    let warm = Warm::of(&cache);
    let mut warming = pin!(warm.each(0..100, std::future::ready));
    let mut cx = Context::from_waker(Waker::noop());
    let mut polls = 0;
    loop {
        polls += 1;
        if let Poll::Ready(counts) = warming.as_mut().poll(&mut cx) {
            assert_eq!(counts.items, 100);
            break;
        }
    }
    assert!(polls > 2, "{polls}");
}

#[tokio::test]
async fn calls_are_made_with_the_runs_cache_even_those_that_block() {
    #[cacheable(key = "blocking:<<id>>")]
    fn blocking(id: u32) -> u32 {
        id
    }
    let (outer, inner) = (
        Cache::builder().prefix("outer").build().unwrap(),
        Cache::builder().prefix("inner").build().unwrap(),
    );
    let warm = Warm::of(&inner);
    let call = |id| std::future::ready(blocking(id));
    let counts = outer.scope(warm.each([1, 1], call)).await;
    assert_eq!((counts.computed, counts.fresh), (1, 1));
    assert_eq!((inner.stats().fills, outer.stats().fills), (1, 0));
}
