//! The closure form.

use std::sync::Arc;

use cache_runtime::Transactional;
use cache_sql::{Db, Transaction};
use tests::{Gate, soon};

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};

on_each_database!(
    ok_commits_and_err_rolls_back,
    a_panic_rolls_back,
    a_dropped_closure_rolls_back,
    the_future_can_be_spawned,
);

async fn publish<DB: TestDatabase>(
    tx: &mut Transaction<'_, DB>,
    slug: &str,
) -> Result<i64, sqlx::Error> {
    set_likes::<DB>(tx.as_mut(), slug, 2).await?;
    tx.invalidations().add(&format!("posts:{slug}:*"));
    Ok(2)
}

#[derive(Debug)]
enum Error {
    Sqlx(sqlx::Error),
    Refused,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

async fn ok_commits_and_err_rolls_back<DB: TestDatabase>(fixture: Fixture<DB>) {
    let Fixture { db, .. } = &fixture;
    fixture.fill().await;
    let refused: Result<(), Error> = db
        .transaction(async |tx| {
            publish(tx, "a").await?;
            Err(Error::Refused)
        })
        .await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
    assert!(fixture.is_cached().await);
    assert_eq!(fixture.likes("a").await, Some(1));

    let published = db.transaction(async |tx| publish(tx, "a").await).await;
    assert_eq!(published.expect("committed"), 2);
    assert!(!fixture.is_cached().await);
    assert_eq!(fixture.likes("a").await, Some(2));

    db.pool().close().await;
    let closed = db.transaction(async |_| Ok::<(), Error>(())).await;
    assert!(
        matches!(closed, Err(Error::Sqlx(sqlx::Error::PoolClosed))),
        "{closed:?}"
    );
}

async fn a_panic_rolls_back<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    let db = fixture.db.clone();
    let task = tokio::spawn(async move {
        let run = async |tx: &mut Transaction<'_, DB>| {
            publish(tx, "a").await?;
            if tx.invalidations().is_open() {
                panic!("on purpose");
            }
            Ok::<_, sqlx::Error>(())
        };
        db.transaction(run).await
    });
    assert!(task.await.expect_err("it panics").is_panic());
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

async fn a_dropped_closure_rolls_back<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    let (db, gate) = (fixture.db.clone(), Gate::new());
    let held = gate.clone();
    let task = tokio::spawn(async move {
        db.transaction(async |tx| {
            publish(tx, "a").await?;
            held.pass().await;
            Ok::<_, sqlx::Error>(())
        })
        .await
    });
    gate.reached_by(1).await;
    task.abort();
    assert!(soon(task).await.expect_err("it is dropped").is_cancelled());
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

/// As a handler of a web framework does: the closure borrows from its function, whose future has to
/// be `Send`.
async fn handler<DB: TestDatabase>(db: Db<DB>, slug: Arc<str>) -> Result<i64, Error> {
    let name: &str = &slug;
    let owned = slug.to_string();
    db.transaction(async |tx| {
        let first = publish(tx, name).await?;
        let mut savepoint = tx.savepoint().await?;
        let second = publish(&mut savepoint, &owned).await?;
        savepoint.commit().await?;
        Ok(first + second)
    })
    .await
}

async fn the_future_can_be_spawned<DB: TestDatabase>(fixture: Fixture<DB>) {
    let spawned = tokio::spawn(handler(fixture.db.clone(), Arc::from("a")));
    assert_eq!(spawned.await.expect("no panic").expect("committed"), 4);
    let boxed: std::pin::Pin<Box<dyn Future<Output = Result<i64, Error>> + Send>> =
        Box::pin(handler(fixture.db.clone(), Arc::from("a")));
    assert_eq!(
        tokio::spawn(boxed)
            .await
            .expect("no panic")
            .expect("committed"),
        4
    );
    let db = fixture.db.clone();
    let moved = tokio::spawn(async move {
        let slug = String::from("a");
        db.transaction(async move |tx| publish(tx, &slug).await)
            .await
    });
    assert_eq!(moved.await.expect("no panic").expect("committed"), 2);
}
