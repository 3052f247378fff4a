//! `#[invalidate(.., tx = tx)]`: which patterns the collector gets, and when.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use cache_runtime::{Invalidations, Transactional, invalidate};
use futures_util::FutureExt;
use tests::on_both_stores;

use super::{Database, Transaction};
use crate::common::{Post, memory};

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], tx = tx)]
async fn on_ok(tx: &mut Transaction, id: u32, ok: bool) -> Result<Post, String> {
    tx.write(id);
    ok.then(|| Post::new(id, "y")).ok_or_else(String::new)
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], when = "always", tx = &mut *tx)]
async fn always(tx: &mut Transaction, id: u32, ok: bool) -> Result<Post, String> {
    tx.write(id);
    ok.then(|| Post::new(id, "y")).ok_or_else(String::new)
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], tx = tx)]
fn on_ok_blocking(tx: &mut Transaction, id: u32, ok: bool) -> Result<Post, String> {
    tx.write(id);
    ok.then(|| Post::new(id, "y")).ok_or_else(String::new)
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], when = "always", tx = tx)]
fn always_blocking(tx: &mut Transaction, id: u32, ok: bool) -> Result<Post, String> {
    tx.write(id);
    ok.then(|| Post::new(id, "y")).ok_or_else(String::new)
}

#[tokio::test]
async fn patterns_are_removed_at_the_commit_and_not_before() {
    on_both_stores(|cache| async move {
        for key in ["a:1", "a:2", "b:y:x", "b:z:x"] {
            cache.set(key, &1, 600).await.unwrap();
        }
        let mut tx = Database::holding(0).begin(&cache);
        on_ok(&mut tx, 1, true).await.unwrap();
        on_ok_blocking(&mut tx, 1, true).unwrap();
        assert_eq!(tx.invalidations.patterns(), ["a:1", "b:y:x"]);
        assert!(cache.exists("a:1").await.unwrap());
        assert_eq!(cache.stats().invalidated, 0);
        assert_eq!(tx.commit().await, 2);
        for (key, exists) in [
            ("a:1", false),
            ("b:y:x", false),
            ("a:2", true),
            ("b:z:x", true),
        ] {
            assert_eq!(cache.exists(key).await.unwrap(), exists, "{key}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_rollback_and_a_dropped_transaction_remove_nothing() {
    on_both_stores(|cache| async move {
        cache.set("a:1", &1, 600).await.unwrap();
        let mut tx = Database::holding(0).begin(&cache);
        on_ok(&mut tx, 1, true).await.unwrap();
        tx.rollback();
        let mut tx = Database::holding(0).begin(&cache);
        on_ok(&mut tx, 1, true).await.unwrap();
        drop(tx);
        assert!(cache.exists("a:1").await.unwrap());
        assert_eq!(cache.stats().invalidated, 0);
    })
    .await;
}

#[tokio::test]
async fn an_error_adds_nothing_unless_always_is_given() {
    let cache = memory();
    for is_blocking in [false, true] {
        let mut tx = Database::holding(0).begin(&cache);
        let failed = match is_blocking {
            false => on_ok(&mut tx, 1, false).await,
            true => on_ok_blocking(&mut tx, 1, false),
        };
        assert!(failed.is_err());
        assert!(tx.invalidations.is_empty());
        let failed = match is_blocking {
            false => always(&mut tx, 2, false).await,
            true => always_blocking(&mut tx, 2, false),
        };
        assert!(failed.is_err());
        assert_eq!(tx.invalidations.patterns(), ["a:2", "b:*:x"]);
        let written = match is_blocking {
            false => always(&mut tx, 2, true).await,
            true => always_blocking(&mut tx, 2, true),
        };
        assert!(written.is_ok());
        assert_eq!(tx.invalidations.patterns(), ["a:2", "b:*:x", "b:y:x"]);
    }
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result.slug>>:x"], tx = tx)]
async fn hanging(tx: &mut Transaction, id: u32) -> Result<Post, String> {
    tx.write(id);
    std::future::pending().await
}

#[test]
fn a_body_dropped_after_a_poll_adds_with_a_wildcard_for_the_result() {
    let mut tx = Database::holding(0).begin(&memory());
    drop(hanging(&mut tx, 1));
    assert!(tx.invalidations.is_empty(), "it was never polled");
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(hanging(&mut tx, 1)).poll(&mut cx).is_pending());
    assert_eq!(tx.invalidations.patterns(), ["a:1", "b:*:x"]);
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result>>"], tx = tx)]
async fn panicking(tx: &Transaction, id: u32) -> Result<u32, String> {
    panic!("for a test: {id} {tx:?}")
}

#[invalidate(patterns = ["a:<<id>>", "b:<<result>>"], tx = tx)]
fn panicking_blocking(tx: &Transaction, id: u32) -> Result<u32, String> {
    panic!("for a test: {id} {tx:?}")
}

#[tokio::test]
async fn a_body_that_panics_adds_with_a_wildcard_for_the_result() {
    let tx = Database::holding(0).begin(&memory());
    let panicked = AssertUnwindSafe(panicking(&tx, 1)).catch_unwind().await;
    assert!(panicked.is_err());
    assert_eq!(tx.invalidations.patterns(), ["a:1", "b:*"]);
    let tx = Database::holding(0).begin(&memory());
    let panicked = catch_unwind(AssertUnwindSafe(|| panicking_blocking(&tx, 1)));
    assert!(panicked.is_err());
    assert_eq!(tx.invalidations.patterns(), ["a:1", "b:*"]);
}

#[test]
fn the_first_poll_that_returns_waits_for_no_invalidation() {
    let mut tx = Database::holding(0).begin(&memory());
    let mut cx = Context::from_waker(Waker::noop());
    let written = pin!(on_ok(&mut tx, 1, true)).poll(&mut cx);
    assert!(written.is_ready());
}

#[invalidate(patterns = ["a:<<id>>"], condition = *id > 1, tx = tx)]
fn conditional(tx: &Invalidations, id: &u32) {}

#[invalidate(patterns = ["a:<<ids..>>", "b:<<result..>>"], tx = tx)]
async fn many(tx: &Invalidations, ids: &[u32]) -> Vec<u32> {
    ids.iter().map(|id| id * 10).collect()
}

#[tokio::test]
async fn conditions_and_lists_are_what_they_are_without_a_transaction() {
    let tx = memory().invalidations();
    conditional(&tx, &1);
    assert!(tx.is_empty());
    conditional(&tx, &2);
    many(&tx, &[3, 4]).await;
    assert_eq!(tx.patterns(), ["a:2", "a:3", "a:4", "b:30", "b:40"]);
}

#[invalidate(patterns = ["first:<<id>>"], tx = first)]
#[invalidate(patterns = ["second:<<id>>"], tx = second)]
#[invalidate(patterns = ["none:<<id>>"])]
async fn stacked(first: &Invalidations, second: &Invalidations, id: u32) {}

#[tokio::test]
async fn each_attribute_has_a_transaction_of_its_own() {
    let cache = memory();
    cache.set("none:1", &1, 600).await.unwrap();
    let (first, second) = (cache.invalidations(), cache.invalidations());
    cache.scope(stacked(&first, &second, 1)).await;
    assert_eq!(first.patterns(), ["first:1"]);
    assert_eq!(second.patterns(), ["second:1"]);
    assert!(!cache.exists("none:1").await.unwrap());
}

struct Repository {
    tx: Transaction,
}

#[async_trait::async_trait]
trait Posts {
    async fn rename(&mut self, id: u32) -> Result<(), String>;
}

#[async_trait::async_trait]
impl Posts for Repository {
    #[invalidate(patterns = ["a:<<id>>"], tx = self.tx)]
    async fn rename(&mut self, id: u32) -> Result<(), String> {
        self.tx.write(id);
        Ok(())
    }
}

impl Repository {
    #[invalidate(patterns = ["b:<<id>>"], tx = self.tx())]
    fn remove(&mut self, id: u32) -> impl std::fmt::Debug + use<> {
        self.tx.write(id);
    }

    fn tx(&self) -> &Transaction {
        &self.tx
    }
}

#[tokio::test]
async fn the_transaction_may_be_a_part_of_self() {
    let tx = Database::holding(0).begin(&memory());
    let mut repository = Repository { tx };
    repository.rename(1).await.unwrap();
    let _ = repository.remove(2);
    assert_eq!(repository.tx.invalidations.patterns(), ["a:1", "b:2"]);
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn boxed(tx: Box<dyn Transactional + Send>, id: u32) {}

#[tokio::test]
async fn the_transaction_may_be_of_any_type_that_holds_a_collector() {
    let tx = memory().invalidations();
    boxed(Box::new(tx.clone()), 1).await;
    assert_eq!(tx.patterns(), ["a:1"]);
}

#[invalidate(patterns = ["a:<<id>>"], tx = tx)]
async fn maybe(tx: Option<&mut Transaction>, id: u32) {
    if let Some(tx) = tx {
        tx.write(id);
    }
}

#[tokio::test]
async fn an_absent_transaction_invalidates_at_once() {
    let cache = memory();
    cache.set("a:1", &1, 600).await.unwrap();
    let mut tx = Database::holding(0).begin(&cache);
    cache
        .scope(async {
            maybe(Some(&mut tx), 1).await;
            assert!(cache.exists("a:1").await.unwrap());
            assert_eq!(tx.invalidations.patterns(), ["a:1"]);
            maybe(None, 1).await;
            assert!(!cache.exists("a:1").await.unwrap());
        })
        .await;
}

#[tokio::test]
async fn a_savepoint_that_rolls_back_takes_its_patterns_with_it() {
    on_both_stores(|cache| async move {
        for key in ["a:1", "a:2", "a:3"] {
            cache.set(key, &1, 600).await.unwrap();
        }
        let mut tx = Database::holding(0).begin(&cache);
        on_ok(&mut tx, 1, true).await.unwrap();
        let savepoint = tx.invalidations.savepoint();
        on_ok(&mut tx, 2, true).await.unwrap();
        tx.invalidations.rollback_to(savepoint);
        on_ok(&mut tx, 3, true).await.unwrap();
        assert_eq!(tx.commit().await, 2);
        assert!(cache.exists("a:2").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_cache_is_that_of_the_collector() {
    let (own, current) = (memory(), memory());
    for cache in [&own, &current] {
        cache.set("a:1", &1, 600).await.unwrap();
    }
    let mut tx = Database::holding(0).begin(&own);
    current
        .scope(async {
            on_ok(&mut tx, 1, true).await.unwrap();
            tx.commit().await;
        })
        .await;
    assert!(!own.exists("a:1").await.unwrap());
    assert!(current.exists("a:1").await.unwrap());
}
