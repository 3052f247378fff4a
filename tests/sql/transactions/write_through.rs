//! Values that are written through in a transaction: stored after COMMIT, and only then.

use cache_runtime::{Transactional, write_through};
use cache_sql::Transaction;
use sqlx::Sqlite;

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};

on_each_database!(
    a_value_is_stored_by_the_commit,
    after_a_rollback_nothing_is_stored,
);

// A key of its own: generic functions of other modules read `posts:<<slug>>`, with an entry for each
// type, and a write removes these instead of storing one.
#[write_through(key = "written:<<slug>>", ttl = 600, tx = tx)]
async fn like<DB: TestDatabase>(
    tx: &mut Transaction<'_, DB>,
    slug: &str,
    likes: i64,
) -> Result<i64, String> {
    let set = set_likes::<DB>(tx.as_mut(), slug, likes).await;
    set.map(|_| likes).map_err(|error| error.to_string())
}

async fn cached<DB: TestDatabase>(fixture: &Fixture<DB>) -> Option<i64> {
    fixture.cache.get("written:a").await.expect("it answers")
}

async fn a_value_is_stored_by_the_commit<DB: TestDatabase>(fixture: Fixture<DB>) {
    let mut tx = fixture.db.begin().await.expect("it begins");
    like(&mut tx, "a", 2).await.expect("updated");
    like(&mut tx, "a", 3).await.expect("updated");
    assert_eq!(tx.invalidations().patterns(), ["written:a"]);
    assert_eq!(cached(&fixture).await, None);
    tx.commit().await.expect("committed");
    assert_eq!(fixture.likes("a").await, Some(3));
    assert_eq!(cached(&fixture).await, Some(3));
}

async fn after_a_rollback_nothing_is_stored<DB: TestDatabase>(fixture: Fixture<DB>) {
    let mut tx = fixture.db.begin().await.expect("it begins");
    like(&mut tx, "a", 2).await.expect("updated");
    tx.rollback().await.expect("rolled back");
    assert_eq!(cached(&fixture).await, None);
    drop(fixture.db.begin().await.expect("it begins"));
    assert_eq!(fixture.likes("a").await, Some(1));
}

/// COMMIT is refused: the row is as before, and so is what a reader caches.
#[tokio::test]
async fn after_a_refused_commit_nothing_is_stored() {
    let fixture = Fixture::<Sqlite>::create().await;
    let comments = "CREATE TABLE comments (slug VARCHAR(64) REFERENCES posts (slug) \
                    DEFERRABLE INITIALLY DEFERRED)";
    fixture.run(comments).await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    like(&mut tx, "a", 2).await.expect("updated");
    let nowhere = "INSERT INTO comments VALUES ('nowhere')".to_owned();
    Sqlite::run(tx.as_mut(), nowhere)
        .await
        .expect("checked later");
    tx.commit().await.expect_err("the foreign key is violated");
    assert_eq!(cached(&fixture).await, None);
}
