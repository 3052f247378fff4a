//! Limits of audits: an audit never fills or delays, and few run at a time.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, Invalidations, Transactional, cacheable};
use tests::{Gate, all, on_both_stores_with, soon, until, until_blocking};

use super::support::{Results, Table, on_both, until_ended, until_settled};
use crate::common::Runs;

#[cacheable(
    key = "bounds:gated:<<id>>",
    audit = 1.0,
    skip(runs, gate),
    companions = false
)]
async fn gated(runs: Runs, gate: Gate, id: u32) -> u32 {
    if runs.next() > 10 {
        gate.pass().await;
    }
    id
}

#[tokio::test]
async fn one_body_runs_at_a_time_and_no_caller_waits_for_it() {
    on_both(|cache| async move {
        let (runs, gate) = (Runs::default(), Gate::new());
        for id in 0..10 {
            gated(runs.clone(), gate.clone(), id).await;
        }
        for round in 0..20 {
            for id in 0..10 {
                let value = soon(gated(runs.clone(), gate.clone(), id)).await;
                assert_eq!(value, id, "in round {round}");
            }
        }
        gate.reached_by(1).await;
        tokio::task::yield_now().await;
        assert_eq!(runs.count(), 11, "the others didn't begin");
        gate.open();
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
    })
    .await;
}

#[tokio::test]
async fn so_many_audits_begin_in_a_second() {
    let limited = |builder: cache_runtime::CacheBuilder| builder.audit_limit(2);
    on_both_stores_with(limited, |cache| async move {
        let (runs, gate) = (Runs::default(), Gate::new());
        gate.open();
        let begun = std::time::Instant::now();
        for _ in 0..2_000 {
            gated(runs.clone(), gate.clone(), 1).await;
            tokio::task::yield_now().await;
        }
        let most = 1 + begun.elapsed().as_millis() as u64 / 500;
        let audits = u64::from(runs.count()) - 1;
        assert!(audits <= most, "{audits} audits, and {most} are allowed");
        assert!(until_ended(&cache, 1).await.ok >= 1);
    })
    .await;
}

#[tokio::test]
async fn an_audit_fills_nothing_and_computes_the_functions_within_too() {
    #[cacheable(key = "bounds:outer", audit = 1.0, skip(table), companions = false)]
    async fn outer(table: Table) -> u32 {
        inner(&table).await
    }
    #[cacheable(key = "bounds:inner", skip(table), companions = false)]
    async fn inner(table: &Table) -> u32 {
        table.row(1)
    }
    on_both(|cache| async move {
        let table = Table::default();
        outer(table.clone()).await;
        assert_eq!(table.runs.count(), 1);
        outer(table.clone()).await;
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
        assert_eq!(
            table.runs.count(),
            2,
            "the entry of the inner function isn't used"
        );
        assert_eq!(cache.snapshot().total().fills, 2);
        // Both entries are old in the same way, which is found.
        table.set(1, 5);
        outer(table.clone()).await;
        assert_eq!(until_settled(&cache, 2).await.stale, 1);
        assert_eq!(cache.snapshot().total().fills, 2);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_audited_without_the_cache() {
    on_both(|cache| async move {
        let (runs, gate) = (Runs::default(), Gate::new());
        gate.open();
        gated(runs.clone(), gate.clone(), 1).await;
        for _ in 0..10 {
            Cache::uncached(gated(runs.clone(), gate.clone(), 1)).await;
        }
        tokio::task::yield_now().await;
        assert_eq!((runs.count(), Results::of(&cache).sum()), (11, 0));
    })
    .await;
}

#[derive(Clone)]
struct Tx(Arc<Invalidations>);

impl Transactional for Tx {
    fn invalidations(&self) -> &Invalidations {
        self.0.invalidations()
    }
}

#[tokio::test]
async fn nothing_is_audited_within_a_transaction() {
    #[cacheable(key = "bounds:tx", audit = 1.0, tx = tx, skip(table), companions = false)]
    async fn in_tx(tx: Option<Tx>, table: Table) -> u32 {
        table.row(1)
    }
    on_both(|cache| async move {
        let table = Table::default();
        in_tx(None, table.clone()).await;
        let tx = Tx(Arc::new(cache.invalidations()));
        for _ in 0..10 {
            in_tx(Some(tx.clone()), table.clone()).await;
        }
        tokio::task::yield_now().await;
        assert_eq!((table.runs.count(), Results::of(&cache).sum()), (11, 0));
        in_tx(None, table.clone()).await;
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
    })
    .await;
}

#[cacheable(
    key = "bounds:panics:<<id>>",
    audit = 1.0,
    skip(runs),
    companions = false
)]
async fn panics(runs: Runs, id: u32) -> u32 {
    assert_eq!(runs.next(), 1, "this panic is a part of the test");
    id
}

#[cacheable(
    key = "bounds:panics-sync:<<id>>",
    audit = 1.0,
    skip(runs),
    companions = false
)]
fn panics_sync(runs: Runs, id: u32) -> u32 {
    assert_eq!(runs.next(), 1, "this panic is a part of the test");
    id
}

#[tokio::test]
async fn a_body_that_panics_harms_nobody() {
    on_both(|cache| async move {
        for id in 0..2 {
            let runs = Runs::default();
            assert_eq!(panics(runs.clone(), id).await, id);
            assert_eq!(panics(runs.clone(), id).await, id);
            let ended = 2 * u64::from(id) + 1;
            assert_eq!(until_ended(&cache, ended).await.failed, ended);
            let blocking = |runs: Runs| {
                let cache = cache.clone();
                tokio::task::spawn_blocking(move || cache.scope_sync(|| panics_sync(runs, id)))
            };
            let runs = Runs::default();
            assert_eq!(blocking(runs.clone()).await.unwrap(), id);
            assert_eq!(blocking(runs.clone()).await.unwrap(), id);
            assert_eq!(until_ended(&cache, ended + 1).await.failed, ended + 1);
        }
        // The turn was given back.
        let (runs, gate) = (Runs::default(), Gate::new());
        gated(runs.clone(), gate.clone(), 1).await;
        gated(runs.clone(), gate.clone(), 1).await;
        assert_eq!(until_ended(&cache, 5).await.ok, 1);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_given_up() {
    let clock = cache_runtime::Clock::manual();
    let brief =
        |builder| super::support::audited(builder, &clock).wait_timeout(Duration::from_millis(20));
    on_both_stores_with(brief, |cache| async move {
        let (runs, gate) = (Runs::default(), Gate::new());
        for id in 0..10 {
            gated(runs.clone(), gate.clone(), id).await;
        }
        gated(runs.clone(), gate.clone(), 1).await;
        let results = until_ended(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                failed: 1,
                ..Results::default()
            }
        );
    })
    .await;
}

#[test]
fn an_audit_ends_with_its_runtime_and_another_one_may_begin() {
    let cache = Cache::builder().audit_limit(u32::MAX).build().unwrap();
    let (runs, gate) = (Runs::default(), Gate::new());
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let first = runtime();
    first.block_on(cache.scope(async {
        for id in 0..10 {
            gated(runs.clone(), gate.clone(), id).await;
        }
        gated(runs.clone(), gate.clone(), 1).await;
        gate.reached_by(1).await;
    }));
    drop(first);
    until_blocking("it ends", || Results::of(&cache).failed == 1);
    gate.open();
    let second = runtime();
    second.block_on(cache.scope(async {
        gated(runs.clone(), gate.clone(), 2).await;
        assert_eq!(until_ended(&cache, 2).await.ok, 1);
    }));
}

#[tokio::test]
async fn few_keys_are_looked_at_again_and_none_of_them_twice() {
    #[cacheable(
        key = "bounds:many:<<id>>",
        audit = 1.0,
        skip(table),
        companions = false
    )]
    async fn many(table: Table, id: u32) -> u32 {
        table.row(id)
    }
    on_both(|cache| async move {
        let table = Table::default();
        let read = |id| many(table.clone(), id);
        for id in 0..30 {
            read(id).await;
            table.set(id, id + 1);
        }
        for _ in 0..10 {
            for id in 0..30 {
                read(id).await;
                tokio::task::yield_now().await;
            }
        }
        until("eight are looked at", || async {
            for id in 0..30 {
                read(id).await;
            }
            table.runs.count() >= 38
        })
        .await;
        // That no ninth one begins has no condition to wait for.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(table.runs.count(), 38);
        let results = until_settled(&cache, 8).await;
        assert_eq!(
            results,
            Results {
                stale: 8,
                ..Results::default()
            }
        );
    })
    .await;
}

#[cacheable(
    key = "bounds:busy:<<id>>",
    audit = 1.0,
    skip(table),
    companions = false
)]
async fn busy(table: Table, id: u32) -> u32 {
    table.row(id) + id
}

#[tokio::test]
async fn callers_that_are_many_get_their_values_while_audits_run() {
    on_both(|cache| async move {
        let table = Table::default();
        for id in 0..10 {
            busy(table.clone(), id).await;
        }
        let calls = (0..500).map(|id| tokio::spawn(cache.scope(busy(table.clone(), id % 10))));
        let values = all(calls.collect()).await;
        assert!((0..500).zip(values).all(|(id, value)| value == id % 10));
        assert!(until_ended(&cache, 1).await.ok >= 1);
        assert_eq!(cache.snapshot().total().hits, 500);
    })
    .await;
}
