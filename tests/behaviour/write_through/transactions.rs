//! `tx`: values that are stored after the commit.

use cache_runtime::{Cache, Invalidations, cacheable, invalidate, write_through};
use tests::{on_both_stores, soon};

use super::{Source, number};

#[write_through(key = "numbers:<<id>>", ttl = 60, tx = tx)]
async fn write(tx: &Invalidations, id: u32, number: u32) -> Result<u32, String> {
    if number == 0 {
        return Err("refused".to_owned());
    }
    Ok(number)
}

#[write_through(key = "numbers:<<id>>", ttl = 60, tx = tx)]
fn write_blocking(tx: Option<&Invalidations>, id: u32, number: u32) -> u32 {
    number
}

#[invalidate(patterns = ["numbers:<<id>>"], tx = tx)]
async fn touch(tx: &Invalidations, id: u32) {}

async fn cached(cache: &Cache) -> Option<u32> {
    cache.get("numbers:1").await.unwrap()
}

#[tokio::test]
async fn a_value_is_stored_at_the_commit_and_not_before() {
    on_both_stores(|cache| async move {
        let (source, tx) = (Source::default(), cache.invalidations());
        cache.set("numbers:1", &1, 60).await.unwrap();
        cache.scope(write(&tx, 1, 5)).await.unwrap();
        assert_eq!(tx.patterns(), ["numbers:1"]);
        assert!(!tx.is_empty());
        assert_eq!(cached(&cache).await, None);
        // Readers run uncached until the commit.
        soon(cache.scope(number(&source, 1))).await;
        assert_eq!(cached(&cache).await, None);
        assert_eq!(tx.commit().await.unwrap(), 0);
        assert_eq!(cached(&cache).await, Some(5));
        assert!(tx.is_empty());
    })
    .await;
}

#[tokio::test]
async fn without_a_transaction_a_value_is_stored_at_once() {
    on_both_stores(|cache| async move {
        cache.scope_sync(|| write_blocking(None, 1, 5));
        assert_eq!(cached(&cache).await, Some(5));
        let tx = cache.invalidations();
        cache.scope_sync(|| write_blocking(Some(&tx), 1, 6));
        assert_eq!(cached(&cache).await, None);
        tx.commit_blocking().unwrap();
        assert_eq!(cached(&cache).await, Some(6));
    })
    .await;
}

#[tokio::test]
async fn after_a_rollback_nothing_is_stored_and_the_key_is_free() {
    on_both_stores(|cache| async move {
        for by_drop in [false, true] {
            let tx = cache.invalidations();
            cache.scope(write(&tx, 1, 5)).await.unwrap();
            match by_drop {
                true => drop(tx),
                false => tx.rollback(),
            }
            tests::until("the key is free again", || async {
                cache.get_or_set("numbers:1", 60, || async { 3_u32 }).await;
                cached(&cache).await == Some(3)
            })
            .await;
            cache.delete("numbers:1").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_outcome_stores_nothing_and_invalidates() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        cache.scope(write(&tx, 1, 5)).await.unwrap();
        tx.mark_unknown();
        assert_eq!(tx.patterns(), ["numbers:1"]);
        tests::until("a reader stores the old value", || async {
            cache.get_or_set("numbers:1", 60, || async { 3_u32 }).await;
            cached(&cache).await == Some(3)
        })
        .await;
        assert_eq!(tx.commit().await.unwrap(), 1);
        assert_eq!(cached(&cache).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_later_invalidation_of_the_transaction_wins() {
    on_both_stores(|cache| async move {
        for touch_first in [false, true] {
            let tx = cache.invalidations();
            if touch_first {
                touch(&tx, 1).await;
            }
            cache.scope(write(&tx, 1, 5)).await.unwrap();
            if !touch_first {
                touch(&tx, 1).await;
            }
            tx.commit().await.unwrap();
            assert_eq!(cached(&cache).await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn of_several_writes_in_one_transaction_the_last_is_stored() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        for number in [5, 6, 7] {
            cache.scope(write(&tx, 1, number)).await.unwrap();
        }
        assert_eq!(tx.patterns(), ["numbers:1"]);
        tx.commit().await.unwrap();
        assert_eq!(cached(&cache).await, Some(7_u32));
        // The last one failed: the key is invalidated.
        cache.scope(write(&tx, 1, 8)).await.unwrap();
        cache.scope(write(&tx, 1, 0)).await.unwrap_err();
        tx.commit().await.unwrap();
        assert_eq!(cached(&cache).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_rollback_to_a_savepoint_forgets_later_writes() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        let savepoint = tx.savepoint();
        cache.scope(write(&tx, 1, 5)).await.unwrap();
        tx.rollback_to(savepoint);
        assert!(tx.is_empty());
        // The earlier write of a key that was written again is committed, but its lease is gone.
        cache.scope(write(&tx, 1, 6)).await.unwrap();
        let savepoint = tx.savepoint();
        cache.scope(write(&tx, 1, 7)).await.unwrap();
        tx.rollback_to(savepoint);
        tests::until("a reader stores the old value", || async {
            cache.get_or_set("numbers:1", 60, || async { 3_u32 }).await;
            cached(&cache).await == Some(3)
        })
        .await;
        assert_eq!(tx.commit().await.unwrap(), 1);
        assert_eq!(cached(&cache).await, None);
    })
    .await;
}

#[write_through(key = "numbers:<<id>>", ttl = 60, tx = tx)]
async fn write_and_commit(tx: &Invalidations, id: u32) -> u32 {
    tx.commit().await.unwrap();
    4
}

#[write_through(key = "numbers:<<id>>", ttl = 60, tx = tx)]
async fn write_and_roll_back(tx: &Invalidations, id: u32) -> u32 {
    tx.rollback();
    4
}

#[tokio::test]
async fn a_body_may_end_its_transaction() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        cache.scope(write_and_commit(&tx, 1)).await;
        assert_eq!(cached(&cache).await, Some(4));
        let tx = cache.invalidations();
        cache.scope(write_and_roll_back(&tx, 1)).await;
        assert_eq!(cached(&cache).await, None);
        assert!(tx.is_empty());
    })
    .await;
}

#[cacheable(key = "inner", ttl = 60)]
async fn inner() -> u32 {
    9
}

#[write_through(key = "numbers:<<id>>", ttl = 60, tx = tx)]
async fn write_with_a_read(tx: &Invalidations, id: u32) -> u32 {
    inner().await
}

#[tokio::test]
async fn the_body_runs_uncached_within_the_transaction() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        cache.scope(write_with_a_read(&tx, 1)).await;
        assert!(!cache.exists("inner").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(cached(&cache).await, Some(9_u32));
    })
    .await;
}

#[tokio::test]
async fn two_transactions_that_write_one_key_store_nothing() {
    on_both_stores(|cache| async move {
        for first_commits_first in [true, false] {
            let (first, second) = (cache.invalidations(), cache.invalidations());
            cache.scope(write(&first, 1, 5)).await.unwrap();
            cache.scope(write(&second, 1, 6)).await.unwrap();
            let (first, second) = match first_commits_first {
                true => (first, second),
                false => (second, first),
            };
            first.commit().await.unwrap();
            assert_eq!(cached(&cache).await, None);
            second.commit().await.unwrap();
            assert_eq!(cached(&cache).await, None);
        }
    })
    .await;
}
