//! Savepoints: each that rolls back takes its patterns with it.

use cache_runtime::Transactional;
use cache_sql::Transaction;

use crate::databases::{Fixture, TestDatabase, on_each_database};

on_each_database!(
    savepoints_nest_three_deep,
    a_dropped_savepoint_takes_its_rows_and_patterns_with_it,
    a_savepoint_is_as_good_as_its_transaction,
    a_savepoint_that_fails_does_not_lose_patterns,
);

/// Insert a post, and invalidate it.
async fn insert<DB: TestDatabase>(tx: &mut Transaction<'_, DB>, slug: &str) {
    let statement = format!("INSERT INTO posts VALUES ('{slug}', 1)");
    DB::run(tx.as_mut(), statement).await.expect("inserted");
    tx.invalidations().add(&format!("posts:{slug}"));
}

/// The slugs of `b` to `e` that exist.
async fn slugs<DB: TestDatabase>(fixture: &Fixture<DB>) -> String {
    let mut found = String::new();
    for slug in ["b", "c", "d", "e"] {
        if fixture.likes(slug).await.is_some() {
            found.push_str(slug);
        }
    }
    found
}

async fn savepoints_nest_three_deep<DB: TestDatabase>(fixture: Fixture<DB>) {
    // Which of the savepoints roll back, and which posts that leaves.
    for (rolls_back, left) in [
        ([false, false, false], "bcde"),
        ([false, false, true], "bcd"),
        ([false, true, false], "bc"),
        ([false, true, true], "bc"),
        ([true, false, false], "b"),
        ([true, false, true], "b"),
        ([true, true, true], "b"),
    ] {
        fixture.run("DELETE FROM posts").await;
        let mut tx = fixture.db.begin().await.expect("it begins");
        insert(&mut tx, "b").await;
        {
            let mut first = tx.savepoint().await.expect("SAVEPOINT");
            insert(&mut first, "c").await;
            {
                let mut second = first.savepoint().await.expect("SAVEPOINT");
                insert(&mut second, "d").await;
                {
                    let mut third = second.savepoint().await.expect("SAVEPOINT");
                    insert(&mut third, "e").await;
                    let end = if rolls_back[2] {
                        third.rollback().await
                    } else {
                        third.commit().await
                    };
                    end.expect("it ends");
                }
                let end = if rolls_back[1] {
                    second.rollback().await
                } else {
                    second.commit().await
                };
                end.expect("it ends");
            }
            let end = if rolls_back[0] {
                first.rollback().await
            } else {
                first.commit().await
            };
            end.expect("it ends");
        }
        let patterns: Vec<String> = left.chars().map(|slug| format!("posts:{slug}")).collect();
        assert_eq!(tx.invalidations().patterns(), patterns, "{rolls_back:?}");
        tx.commit().await.expect("committed");
        assert_eq!(slugs(&fixture).await, left, "{rolls_back:?}");
    }
}

async fn a_dropped_savepoint_takes_its_rows_and_patterns_with_it<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let mut tx = fixture.db.begin().await.expect("it begins");
    insert(&mut tx, "b").await;
    let mut first = tx.savepoint().await.expect("SAVEPOINT");
    insert(&mut first, "c").await;
    let mut second = first.savepoint().await.expect("SAVEPOINT");
    insert(&mut second, "d").await;
    drop(second);
    insert(&mut first, "e").await;
    assert_eq!(
        first.invalidations().patterns(),
        ["posts:b", "posts:c", "posts:e"]
    );
    first.commit().await.expect("RELEASE");
    let third = tx.savepoint().await.expect("SAVEPOINT");
    // The future of a commit that is never polled.
    drop(third.commit());
    tx.commit().await.expect("committed");
    assert_eq!(slugs(&fixture).await, "bce");
}

async fn a_savepoint_is_as_good_as_its_transaction<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    let done: Result<(), sqlx::Error> = fixture
        .db
        .transaction(async |tx| {
            let mut savepoint = tx.savepoint().await?;
            insert(&mut savepoint, "b").await;
            savepoint.commit().await?;
            let mut savepoint = tx.savepoint().await?;
            savepoint.invalidations().add("posts:a");
            insert(&mut savepoint, "c").await;
            savepoint.rollback().await
        })
        .await;
    done.expect("committed");
    assert_eq!(slugs(&fixture).await, "b");
    assert!(fixture.is_cached().await);
}

/// On Postgres a failed statement makes SAVEPOINT fail, and sqlx rolls the transaction back.
async fn a_savepoint_that_fails_does_not_lose_patterns<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    tx.invalidations().add("posts:a");
    let failed = DB::run(tx.as_mut(), "INSERT INTO nowhere VALUES (1)".to_owned()).await;
    failed.expect_err("there is no such table");
    match tx.savepoint().await {
        Ok(savepoint) => savepoint.commit().await.expect("RELEASE"),
        Err(error) => assert_eq!(DB::NAME, "PostgreSQL", "{error}"),
    }
    let committed = tx.commit().await;
    assert_eq!(
        committed.is_err(),
        DB::NAME == "PostgreSQL",
        "{committed:?}"
    );
    assert!(!fixture.is_cached().await);
}
