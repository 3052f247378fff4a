//! Invalidating once more, for readers of a replica that lags.

use std::time::{Duration, Instant};

use cache_runtime::{Transactional, cacheable};
use cache_sql::Db;
use sqlx::Database;
use tests::until;

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};

on_each_database!(
    a_row_of_a_replica_that_lags_is_invalidated_again,
    each_commit_settles,
);

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(replica))]
async fn likes<DB: TestDatabase>(
    replica: &mut <DB as Database>::Connection,
    slug: &str,
) -> Result<Option<i64>, sqlx::Error> {
    DB::read(replica, slug).await
}

/// The replica is a snapshot from before the commit.
async fn a_row_of_a_replica_that_lags_is_invalidated_again<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { cache, db, .. } = &fixture;
    let db = db.clone().settle(Duration::from_millis(200));
    cache
        .scope(async {
            let mut replica = db.pool().begin().await.expect("it begins");
            if DB::NAME == "PostgreSQL" {
                let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
                DB::run(&mut replica, level.to_owned()).await.expect("set");
            }
            DB::read(&mut replica, "a")
                .await
                .expect("the snapshot is taken");

            let begun = Instant::now();
            let mut tx = db.begin().await.expect("it begins");
            set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
            tx.invalidations().add("posts:a:*");
            tx.commit().await.expect("committed");

            let seen = likes::<DB>(&mut replica, "a").await.expect("read");
            assert_eq!(seen, Some(1), "the replica lags");
            replica.commit().await.expect("the replica has caught up");
            until("the patterns are invalidated again", async || {
                cache.stats().entries == 0
            })
            .await;
            assert!(begun.elapsed() >= Duration::from_millis(200));
            let mut replica = db.pool().acquire().await.expect("a connection");
            let seen = likes::<DB>(&mut replica, "a").await.expect("read");
            assert_eq!(seen, Some(2));
        })
        .await;
}

/// Commits that are close together share a timer.
async fn each_commit_settles<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { cache, db, .. } = &fixture;
    let db: Db<DB> = db.clone().settle(Duration::from_millis(300));
    let keys: Vec<String> = (0..20).map(|n| format!("posts:{n}")).collect();
    for key in &keys {
        let tx = db.begin().await.expect("it begins");
        tx.invalidations().add(key);
        tx.commit().await.expect("committed");
        cache.set(key, &1, 600).await.expect("the replica lags");
    }
    until("all are invalidated again", async || {
        cache.stats().entries == 0
    })
    .await;
}
