//! `#[cacheable(.., tx = tx)]`: uncached while the transaction is open.

use cache_runtime::{Cache, Invalidations, cacheable};
use tests::{Gate, begin, on_both_stores, soon};

use super::{Database, Transaction};
use crate::common::{Runs, memory};

#[cacheable(key = "inner:<<id>>", skip(runs))]
async fn inner(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "inner:<<id>>", skip(runs))]
fn inner_blocking(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "outer:<<id>>", skip(runs), tx = tx)]
async fn outer(tx: &Invalidations, id: u32, runs: &Runs) -> u32 {
    // Await once, so that the body is polled again.
    tokio::task::yield_now().await;
    inner(id, runs).await
}

#[cacheable(key = "outer:<<id>>", skip(runs), tx = tx)]
fn outer_blocking(tx: &Invalidations, id: u32, runs: &Runs) -> u32 {
    inner_blocking(id, runs)
}

#[tokio::test]
async fn while_the_transaction_is_open_nothing_is_read_or_stored() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let tx = cache.invalidations();
        for run in 1..=3 {
            assert_eq!(outer(&tx, 1, &runs).await, run);
        }
        assert_eq!(outer_blocking(&tx, 1, &runs), 4);
        for key in ["outer:1", "inner:1"] {
            assert!(!cache.exists(key).await.unwrap(), "{key}");
        }
        // What others have stored isn't read.
        cache.set("outer:1", &100_u32, 600).await.unwrap();
        cache.set("inner:1", &100_u32, 600).await.unwrap();
        assert_eq!(outer(&tx, 1, &runs).await, 5);
        assert_eq!(outer_blocking(&tx, 1, &runs), 6);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses), (0, 0));
        tx.commit().await.unwrap();
        assert_eq!(outer(&tx, 1, &runs).await, 100);
        assert_eq!(outer_blocking(&tx, 1, &runs), 100);
    })
    .await;
}

#[tokio::test]
async fn after_the_transaction_the_function_is_cached() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let tx = cache.invalidations();
        tx.rollback();
        for _ in 0..2 {
            assert_eq!(outer(&tx, 1, &runs).await, 1);
            assert_eq!(outer_blocking(&tx, 2, &runs), 2);
        }
        assert!(cache.exists("outer:1").await.unwrap());
        assert!(cache.exists("inner:2").await.unwrap());
        tx.add("other:1");
        assert_eq!(outer(&tx, 1, &runs).await, 3, "the next transaction");
    })
    .await;
}

#[cacheable(key = "gated", skip(gate), tx = tx)]
async fn gated(tx: Invalidations, gate: Gate) -> u32 {
    gate.pass().await
}

#[tokio::test]
async fn an_open_transaction_neither_waits_for_others_nor_makes_them_wait() {
    on_both_stores(|cache| async move {
        let (open, closed) = (cache.invalidations(), cache.invalidations());
        closed.rollback();
        let gate = Gate::new();
        let leader = begin(&cache, gated(closed.clone(), gate.clone())).await;
        let through = Gate::new();
        through.open();
        assert_eq!(soon(gated(open.clone(), through.clone())).await, 1);
        gate.open();
        assert_eq!(leader.await.unwrap(), 1);
        cache.delete_pattern("gated").await.unwrap();
        let gate = Gate::new();
        let within = begin(&cache, gated(open, gate.clone())).await;
        assert_eq!(soon(gated(closed, through)).await, 2);
        gate.open();
        assert_eq!(within.await.unwrap(), 1);
    })
    .await;
}

#[cacheable(key = "number:<<id>>", tx = tx)]
async fn number(tx: &mut Transaction, id: u32) -> u32 {
    tx.number() + id
}

#[cacheable(tx = &*tx)]
fn without_a_key(tx: &Transaction, id: u32) -> u32 {
    tx.number() + id
}

#[tokio::test]
async fn the_transaction_is_no_part_of_the_key() {
    let cache = memory();
    let mut tx = Database::holding(1).begin(&cache);
    let mut other = Database::holding(2).begin(&cache);
    cache.scope_sync(|| {
        assert_eq!(number_cache_path(&mut tx, 1), "number:1");
        assert_eq!(
            without_a_key_cache_path(&tx, 1),
            without_a_key_cache_path(&other, 1)
        );
        assert_ne!(
            without_a_key_cache_path(&tx, 1),
            without_a_key_cache_path(&tx, 2)
        );
    });
    cache
        .scope(async {
            assert_eq!(number(&mut other, 1).await, 3);
            assert_eq!(without_a_key(&other, 1), 3);
        })
        .await;
    assert_eq!(cache.stats().entries, 0);
}

/// A type of the user's domain, and no database transaction.
#[derive(serde::Serialize)]
struct Payment {
    id: u32,
}

mod bank {
    pub(super) type Transaction = super::Payment;
}

#[cacheable(key = "fee", tx = none)]
fn fee(of: &bank::Transaction) -> u32 {
    of.id * 2
}

#[test]
fn with_none_an_argument_is_hashed_like_any_other() {
    memory().scope_sync(|| {
        assert_eq!(fee(&Payment { id: 1 }), 2);
        assert_eq!(fee(&Payment { id: 2 }), 4);
    });
}

#[tokio::test]
async fn the_companions_store_nothing_while_the_transaction_is_open() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let tx = cache.invalidations();
        assert_eq!(outer_refresh(&tx, 1, &runs).await, 1);
        assert_eq!(outer_blocking_refresh(&tx, 1, &runs), 2);
        assert_eq!(outer_no_cache(&tx, 1, &runs).await, 3);
        assert_eq!(outer_blocking_no_cache(&tx, 1, &runs), 4);
        for key in ["outer:1", "inner:1"] {
            assert!(!cache.exists(key).await.unwrap(), "{key}");
        }
        cache.set("outer:1", &100_u32, 600).await.unwrap();
        assert!(outer_invalidate(&tx, 1, &runs).await.unwrap());
        tx.rollback();
        assert_eq!(outer_refresh(&tx, 1, &runs).await, 5);
        assert_eq!(cache.get::<u32>("outer:1").await.unwrap(), Some(5));
        assert_eq!(outer_blocking_refresh(&tx, 1, &runs), 5, "the inner value");
    })
    .await;
}

#[cacheable(key = "maybe", skip(runs), tx = tx)]
async fn maybe(tx: Option<&Invalidations>, runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn without_a_transaction_the_function_is_cached() {
    on_both_stores(|cache: Cache| async move {
        let runs = Runs::default();
        let tx = cache.invalidations();
        assert_eq!(maybe(Some(&tx), &runs).await, 1);
        assert_eq!(maybe(None, &runs).await, 2);
        assert_eq!(maybe(None, &runs).await, 2);
        assert_eq!(maybe(Some(&tx), &runs).await, 3);
    })
    .await;
}
