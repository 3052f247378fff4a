//! Calls within their own flight: they run the body instead of waiting for themselves.

use cache_runtime::cacheable;
use futures_util::poll;
use tests::{Gate, begin_to_wait, on_both_stores, soon};

use crate::common::Runs;

#[cacheable(key = "nested:recursing", skip(runs, depth))]
fn recursing(runs: &Runs, depth: u32) -> u32 {
    runs.next();
    match depth {
        0 => 0,
        _ => recursing(runs, depth - 1) + 1,
    }
}

/// One of several functions with the same key.
#[cacheable(key = "nested:<<id>>", skip(runs, inner))]
async fn outer(runs: &Runs, id: u32, inner: &str) -> u32 {
    runs.next();
    tokio::task::yield_now().await;
    match inner {
        "async" => leaf(runs, id).await + 1,
        "sync" => leaf_sync(runs, id) + 1,
        "async in sync" => between_sync(runs, id) + 1,
        "deep" => Box::pin(between(runs, id)).await + 1,
        other => panic!("{other}"),
    }
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
async fn leaf(runs: &Runs, id: u32) -> u32 {
    runs.next();
    tokio::task::yield_now().await;
    id
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
fn leaf_sync(runs: &Runs, id: u32) -> u32 {
    runs.next();
    id
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
async fn between(runs: &Runs, id: u32) -> u32 {
    runs.next();
    leaf(runs, id).await
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
fn between_sync(runs: &Runs, id: u32) -> u32 {
    runs.next();
    futures_executor::block_on(leaf_untimed(runs, id))
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
async fn leaf_untimed(runs: &Runs, id: u32) -> u32 {
    runs.next();
    id
}

#[tokio::test]
async fn a_nested_call_runs_the_body() {
    on_both_stores(|cache| async move {
        for (inner, bodies) in [("async", 2), ("sync", 2), ("async in sync", 3), ("deep", 3)] {
            cache.clear().await.unwrap();
            let runs = Runs::default();
            assert_eq!(soon(outer(&runs, 5, inner)).await, 6, "{inner}");
            assert_eq!(runs.count(), bodies, "{inner}");
            assert_eq!(
                leaf(&runs, 5).await,
                6,
                "{inner}: the outermost call's value is stored"
            );
        }
        let runs = Runs::default();
        let task = tokio::task::spawn_blocking({
            let runs = runs.clone();
            move || cache.scope_sync(|| (recursing(&runs, 2), between_sync(&runs, 8)))
        });
        assert_eq!(soon(task).await.unwrap(), (2, 8));
        assert_eq!(runs.count(), 5);
    })
    .await;
}

/// On Redis, callers that read the store before the lease was taken must not remove the flight from
/// the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nested_call_runs_the_body_among_many_concurrent_callers() {
    on_both_stores(|cache| async move {
        for round in 0..20 {
            let runs = Runs::default();
            let call = |_| {
                let (cache, runs) = (cache.clone(), runs.clone());
                tokio::spawn(async move { cache.scope(outer(&runs, round, "async")).await })
            };
            let tasks: Vec<_> = (0..20).map(call).collect();
            for task in tasks {
                assert_eq!(soon(task).await.unwrap(), round + 1);
            }
            assert_eq!(runs.count(), 2);
        }
    })
    .await;
}

/// On Redis, a caller that reads the store before the lease is taken, and joins after that, must
/// not remove the flight from the table: its body could no longer be told from another process's.
#[tokio::test]
async fn a_nested_call_runs_the_body_after_a_late_caller_joined() {
    #[cacheable(key = "nested:late", skip(gate, inner))]
    async fn late(gate: &Gate, inner: bool) -> u32 {
        if inner {
            return 7;
        }
        gate.pass().await;
        Box::pin(late(gate, true)).await + 1
    }
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = || {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.scope(late(&gate, false)).await }
        };
        // In memory, a call reads and leads in one step, so the first call would lead.
        let reads_first = format!("{cache:?}").contains("redis");
        let mut late = Box::pin(call());
        if reads_first {
            assert!(poll!(&mut late).is_pending());
            cache.get::<u32>("a barrier").await.unwrap();
        }
        let leader = tokio::spawn(call());
        gate.reached_by(1).await;
        begin_to_wait(&cache, &mut late).await;
        gate.open();
        assert_eq!(soon(leader).await.unwrap(), 8);
        assert_eq!(soon(late).await, 8);
        assert_eq!(gate.count(), 1);
    })
    .await;
}
