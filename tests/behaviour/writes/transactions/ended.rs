//! Functions that end the transaction that `tx` names.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cache_runtime::{Invalidations, invalidate};
use tests::{on_both_stores, until};

use super::{Database, Transaction};

#[derive(Clone, Copy, PartialEq)]
enum End {
    Commit,
    Rollback,
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn write(mut tx: Transaction, id: u32, end: End) {
    tx.write(id);
    match end {
        End::Commit => {
            tx.commit().await;
        }
        End::Rollback => tx.rollback(),
    }
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
fn write_blocking(tx: &Invalidations, id: u32, end: End) {
    match end {
        End::Commit => {
            tx.commit_blocking().unwrap();
        }
        End::Rollback => tx.rollback(),
    }
}

#[tokio::test]
async fn a_body_that_commits_invalidates_when_it_returns() {
    on_both_stores(|cache| async move {
        for end in [End::Rollback, End::Commit] {
            for key in ["a:1", "a:2"] {
                cache.set(key, &1, 600).await.unwrap();
            }
            let tx = Database::holding(0).begin(&cache);
            let collector = tx.invalidations.clone();
            write(tx, 1, end).await;
            let collector_of_blocking = cache.invalidations();
            write_blocking(&collector_of_blocking, 2, end);
            for collector in [collector, collector_of_blocking] {
                assert!(collector.is_empty() && !collector.is_open());
            }
            for key in ["a:1", "a:2"] {
                let is_left = cache.exists(key).await.unwrap();
                assert_eq!(is_left, end == End::Rollback, "{key}");
            }
        }
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn commit_and_hang(tx: &Invalidations, id: u32) {
    drop(tx.commit());
    std::future::pending().await
}

#[tokio::test]
async fn a_body_that_is_dropped_after_its_commit_invalidates() {
    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        let tx = cache.invalidations();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(commit_and_hang(&tx, 1)).poll(&mut cx).is_pending());
        until("the entry is gone", || async {
            !cache.exists("a:1").await.unwrap()
        })
        .await;
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn commit_and_continue(tx: &Invalidations, id: u32) {
    tx.commit().await.unwrap();
    tx.add("b:1");
}

#[tokio::test]
async fn a_body_between_two_transactions_counts_for_both() {
    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        let tx = cache.invalidations();
        commit_and_continue(&tx, 1).await;
        assert!(!cache.exists("a:1").await.unwrap());
        assert_eq!(tx.patterns(), ["b:1", "a:1"]);
    })
    .await;
}

#[tokio::test]
async fn a_collector_that_was_closed_collects_for_the_next_transaction() {
    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        let tx = cache.invalidations();
        tx.rollback();
        plain(&tx, 1).await;
        assert!(tx.is_open());
        assert_eq!(tx.commit().await.unwrap(), 1);
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn plain(tx: &Invalidations, id: u32) {}
