//! An outbox that can't be written never fails a write.

use cache_runtime::{Cache, Transactional};
use cache_sql::Db;
use sqlx::{MySql, Postgres, Sqlite};
use tests::{Fault, events_of, until};
use tracing::Level;

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};
use crate::support::{OverRedis, commit, rows};

on_each_database!(
    a_commit_without_the_table_succeeds_and_invalidates,
    a_commit_succeeds_after_the_table_was_dropped,
    a_commit_succeeds_if_the_database_refuses_the_row,
    a_table_that_is_created_later_is_used,
    creating_the_table_at_once_and_twice_succeeds,
);

async fn a_commit_without_the_table_succeeds_and_invalidates<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let db = fixture.db.clone().with_outbox();
    for likes in [2, 3] {
        fixture.fill().await;
        write(&db, likes).await;
        assert_eq!(fixture.likes("a").await, Some(likes));
        assert!(!fixture.is_cached().await);
    }
}

async fn a_commit_succeeds_after_the_table_was_dropped<DB: TestDatabase>(fixture: Fixture<DB>) {
    let db = fixture.db.clone().with_outbox();
    db.create_outbox().await.expect("created");
    write(&db, 2).await;
    until("the row is deleted", || async { rows(&fixture).await == 0 }).await;
    fixture.run("DROP TABLE cache_outbox").await;
    fixture.fill().await;
    write(&db, 3).await;
    assert_eq!(fixture.likes("a").await, Some(3));
    assert!(!fixture.is_cached().await);
}

async fn a_commit_succeeds_if_the_database_refuses_the_row<DB: TestDatabase>(fixture: Fixture<DB>) {
    // A table of somebody else, without the columns.
    fixture.run("CREATE TABLE cache_outbox (id INT)").await;
    let db = fixture.db.clone().with_outbox();
    for likes in [2, 3] {
        fixture.fill().await;
        write(&db, likes).await;
        assert_eq!(fixture.likes("a").await, Some(likes));
        assert!(!fixture.is_cached().await);
    }
}

async fn a_table_that_is_created_later_is_used<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    over.fixture.run("DROP TABLE cache_outbox").await;
    write(&over.db, 2).await;
    over.db.create_outbox().await.expect("created");
    over.proxy.set(Fault::Refuse);
    write(&over.db, 3).await;
    assert_eq!(over.rows().await, 1);
}

async fn creating_the_table_at_once_and_twice_succeeds<DB: TestDatabase>(fixture: Fixture<DB>) {
    let creations: Vec<_> = (0..4)
        .map(|_| {
            let db = fixture.db.clone();
            tokio::spawn(async move { db.create_outbox().await })
        })
        .collect();
    for creation in creations {
        let created = creation.await.expect("it doesn't panic");
        created.expect("created");
    }
    fixture.db.create_outbox().await.expect("created");
    commit(&fixture.db.clone().with_outbox(), "posts:a").await;
}

#[test]
fn a_missing_table_is_logged_once_on_sqlite() {
    a_missing_table_is_logged_once::<Sqlite>();
}

#[test]
fn a_missing_table_is_logged_once_on_postgres() {
    a_missing_table_is_logged_once::<Postgres>();
}

#[test]
fn a_missing_table_is_logged_once_on_mariadb() {
    a_missing_table_is_logged_once::<MySql>();
}

fn a_missing_table_is_logged_once<DB: TestDatabase>() {
    let events = events_of(Level::WARN, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let fixture = Fixture::<DB>::create().await;
            let db = fixture.db.clone().with_outbox();
            for likes in 2..6 {
                write(&db, likes).await;
            }
        });
    });
    let warnings: Vec<_> = events.iter().filter(|event| event.op == "outbox").collect();
    let [warning] = warnings[..] else {
        panic!("one warning, not {warnings:?}");
    };
    assert!(warning.message.contains("create_outbox"), "{warning:?}");
}

/// An aborted transaction of Postgres commits nothing, with or without the outbox.
#[tokio::test]
async fn a_transaction_that_was_aborted_before_is_not_repaired() {
    let fixture = Fixture::<Postgres>::create().await;
    let cache = Cache::builder().build().expect("a cache");
    let db = Db::new(&cache, fixture.db.pool().clone()).with_outbox();
    db.create_outbox().await.expect("created");
    let mut tx = db.begin().await.expect("it begins");
    set_likes::<Postgres>(tx.as_mut(), "a", 2)
        .await
        .expect("updated");
    tx.invalidations().add("posts:a:*");
    let failed = Postgres::run(tx.as_mut(), "SELECT nonsense".to_owned());
    failed.await.expect_err("no such column");
    let _ = tx.commit().await;
    assert_eq!(fixture.likes("a").await, Some(1));
    assert_eq!(rows(&fixture).await, 0);
}

async fn write<DB: TestDatabase>(db: &Db<DB>, likes: i64) {
    let mut tx = db.begin().await.expect("it begins");
    let written = set_likes::<DB>(tx.as_mut(), "a", likes);
    written.await.expect("updated");
    tx.invalidations().add("posts:a:*");
    tx.commit().await.expect("committed");
}
