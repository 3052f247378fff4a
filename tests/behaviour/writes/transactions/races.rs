//! The ways to a stale entry that transactions open, each with `tx` and without it.

use cache_runtime::{cacheable, invalidate};
use tests::on_both_stores;

use super::{Database, Transaction};

#[cacheable(key = "number", skip(database))]
async fn number(database: &Database) -> u32 {
    database.number()
}

#[invalidate(patterns = ["number"], tx = tx)]
async fn write(tx: &mut Transaction, number: u32) {
    tx.write(number);
}

#[invalidate(patterns = ["number"], tx = none)]
async fn write_too_early(tx: &mut Transaction, number: u32) {
    tx.write(number);
}

#[tokio::test]
async fn a_reader_before_the_commit_does_not_bring_the_old_value_back() {
    on_both_stores(|cache| async move {
        for collects in [true, false] {
            let database = Database::holding(1);
            cache.delete_pattern("number").await.unwrap();
            assert_eq!(number(&database).await, 1);
            let mut tx = database.begin(&cache);
            match collects {
                true => write(&mut tx, 2).await,
                false => write_too_early(&mut tx, 2).await,
            }
            assert_eq!(number(&database).await, 1, "the row before the commit");
            tx.commit().await;
            assert_eq!(database.number(), 2);
            let expected = if collects { 2 } else { 1 };
            assert_eq!(number(&database).await, expected);
        }
    })
    .await;
}

#[cacheable(key = "number", tx = tx)]
async fn number_in(tx: &Transaction) -> u32 {
    tx.number()
}

#[cacheable(key = "number", tx = none, skip(tx))]
async fn number_of_any(tx: &Transaction) -> u32 {
    tx.number()
}

#[tokio::test]
async fn a_row_that_is_never_committed_is_not_cached() {
    on_both_stores(|cache| async move {
        for collects in [true, false] {
            let database = Database::holding(2);
            cache.delete_pattern("number").await.unwrap();
            let mut tx = database.begin(&cache);
            write(&mut tx, 99).await;
            let read = match collects {
                true => number_in(&tx).await,
                false => number_of_any(&tx).await,
            };
            assert_eq!(read, 99, "a transaction reads its own writes");
            tx.rollback();
            assert_eq!(database.number(), 2);
            let expected = if collects { 2 } else { 99 };
            assert_eq!(number(&database).await, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_transaction_reads_its_own_writes_and_not_the_cache() {
    on_both_stores(|cache| async move {
        let database = Database::holding(1);
        assert_eq!(number(&database).await, 1);
        let mut tx = database.begin(&cache);
        write(&mut tx, 2).await;
        assert_eq!(number_in(&tx).await, 2);
        assert_eq!(number(&database).await, 1);
        tx.commit().await;
        assert_eq!(number(&database).await, 2);
    })
    .await;
}
