//! The three ways to a stale entry that transactions open, and that none of them is left.

use cache_runtime::{Cache, Transactional, cacheable};
use cache_sql::Db;
use sqlx::{Database, Pool};

use crate::databases::{Fixture, TestDatabase, committed_likes, on_each_database, set_likes};

on_each_database!(
    a_reader_before_commit_does_not_keep_the_old_row,
    a_row_that_is_rolled_back_is_not_cached,
    a_row_of_an_older_snapshot_is_not_cached,
);

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(pool))]
async fn likes<DB: TestDatabase>(pool: &Pool<DB>, slug: &str) -> Option<i64> {
    committed_likes(pool, slug).await
}

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(connection))]
async fn likes_seen_by<DB: TestDatabase>(
    connection: &mut <DB as Database>::Connection,
    slug: &str,
) -> Result<Option<i64>, sqlx::Error> {
    DB::read(connection, slug).await
}

/// Row a. The reader caches the old row while the transaction is open.
async fn a_reader_before_commit_does_not_keep_the_old_row<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { cache, db, .. } = &fixture;
    cache
        .scope(async {
            // Without a collector: the reader comes after the invalidation and before COMMIT.
            let mut tx = db.pool().begin().await.expect("it begins");
            set_likes::<DB>(&mut tx, "a", 2).await.expect("updated");
            cache
                .delete_pattern("posts:a:*")
                .await
                .expect("invalidated");
            assert_eq!(likes(db.pool(), "a").await, Some(1));
            tx.commit().await.expect("committed");
            assert_eq!(
                likes(db.pool(), "a").await,
                Some(1),
                "stale, as the race has it"
            );

            let mut tx = db.begin().await.expect("it begins");
            set_likes::<DB>(tx.as_mut(), "a", 3).await.expect("updated");
            tx.invalidations().add("posts:a:*");
            cache
                .delete_pattern("posts:a:*")
                .await
                .expect("nobody has it yet");
            assert_eq!(likes(db.pool(), "a").await, Some(2));
            tx.commit().await.expect("committed");
            assert_eq!(likes(db.pool(), "a").await, Some(3));
        })
        .await;
}

/// Row b. A cached read sees the transaction's own change, which is then rolled back.
async fn a_row_that_is_rolled_back_is_not_cached<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { cache, db, .. } = &fixture;
    cache
        .scope(async {
            // Without: the row that was never committed is cached.
            let mut tx = db.pool().begin().await.expect("it begins");
            set_likes::<DB>(&mut tx, "a", 99).await.expect("updated");
            let seen = likes_seen_by::<DB>(&mut tx, "a").await.expect("read");
            assert_eq!(seen, Some(99));
            tx.rollback().await.expect("rolled back");
            assert_eq!(likes(db.pool(), "a").await, Some(1));
            // The functions have one template, but variants of their own.
            let mut connection = db.pool().acquire().await.expect("a connection");
            let seen = likes_seen_by::<DB>(&mut connection, "a")
                .await
                .expect("read");
            assert_eq!(seen, Some(99), "stale, as the race has it");
            drop(connection);
            cache.clear().await.expect("cleared");

            let rolled_back: Result<(), sqlx::Error> = db
                .transaction(async |tx| {
                    set_likes::<DB>(tx.as_mut(), "a", 99).await?;
                    assert_eq!(likes_seen_by::<DB>(tx.as_mut(), "a").await?, Some(99));
                    Err(sqlx::Error::RowNotFound)
                })
                .await;
            assert!(matches!(rolled_back, Err(sqlx::Error::RowNotFound)));
            let mut connection = db.pool().acquire().await.expect("a connection");
            let seen = likes_seen_by::<DB>(&mut connection, "a")
                .await
                .expect("read");
            assert_eq!(seen, Some(1));
        })
        .await;
}

/// Row c. A cached read begins after the invalidation, in a snapshot from before the commit.
async fn a_row_of_an_older_snapshot_is_not_cached<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { cache, db, .. } = &fixture;
    cache
        .scope(async {
            let reader: Result<(), sqlx::Error> = db
                .transaction(async |tx| {
                    if DB::NAME == "PostgreSQL" {
                        let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
                        DB::run(tx.as_mut(), level.to_owned()).await?;
                    }
                    // The snapshot is taken by the first read.
                    assert_eq!(DB::read(tx.as_mut(), "a").await?, Some(1));
                    write(db, cache, 2).await;
                    assert_eq!(likes_seen_by::<DB>(tx.as_mut(), "a").await?, Some(1));
                    Ok(())
                })
                .await;
            reader.expect("committed");
            let mut connection = db.pool().acquire().await.expect("a connection");
            let seen = likes_seen_by::<DB>(&mut connection, "a")
                .await
                .expect("read");
            assert_eq!(seen, Some(2));
        })
        .await;
}

async fn write<DB: TestDatabase>(db: &Db<DB>, cache: &Cache, likes: i64) {
    let mut tx = db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", likes)
        .await
        .expect("updated");
    tx.invalidations().add("posts:a:*");
    tx.commit().await.expect("committed");
    assert!(!cache.exists("posts:a").await.expect("the cache answers"));
}
