//! Commits that fail: those that the database refused, and those whose outcome is unknown.

use cache_runtime::Transactional;
use cache_sql::{Db, Transaction};
use sqlx::{MySql, Postgres, Sqlite};
use tests::{Fault, Proxy, until};

use crate::databases::{Fixture, TestDatabase, set_likes};

/// Refer to no post, which the database notices at COMMIT.
async fn a_refused_commit_invalidates_nothing<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture
        .run(
            "CREATE TABLE comments (slug VARCHAR(64) REFERENCES posts (slug) \
             DEFERRABLE INITIALLY DEFERRED)",
        )
        .await;
    fixture.fill().await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    DB::run(
        tx.as_mut(),
        "INSERT INTO comments VALUES ('nowhere')".to_owned(),
    )
    .await
    .expect("checked later");
    tx.invalidations().add("posts:a:*");
    let invalidations = tx.invalidations().clone();
    let refused = tx.commit().await.expect_err("the foreign key is violated");
    let refused = refused.as_database_error().expect("the database says so");
    assert!(refused.is_foreign_key_violation(), "{refused}");
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
    assert!(!invalidations.is_open() && invalidations.is_empty());
}

#[tokio::test]
async fn a_commit_refused_by_sqlite_invalidates_nothing() {
    a_refused_commit_invalidates_nothing(Fixture::<Sqlite>::create().await).await;
}

#[tokio::test]
async fn a_commit_refused_by_postgres_invalidates_nothing() {
    a_refused_commit_invalidates_nothing(Fixture::<Postgres>::create().await).await;
}

/// Two transactions read what the other writes: the second to commit is refused.
#[tokio::test]
async fn a_serialization_failure_at_commit_invalidates_nothing() {
    let fixture = Fixture::<Postgres>::create().await;
    fixture.run("INSERT INTO posts VALUES ('b', 1)").await;
    fixture.fill().await;
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
    let mut one = fixture.db.begin_with(begin).await.expect("it begins");
    let mut other = fixture.db.begin_with(begin).await.expect("it begins");
    for (tx, read, write) in [(&mut one, "b", "a"), (&mut other, "a", "b")] {
        Postgres::read(tx.as_mut(), read).await.expect("read");
        set_likes::<Postgres>(tx.as_mut(), write, 2)
            .await
            .expect("updated");
        tx.invalidations().add("posts:a:*");
    }
    one.commit().await.expect("the first is committed");
    fixture.fill().await;
    let refused = other.commit().await.expect_err("the second isn't");
    let code = refused.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("40001"), "{refused}");
    assert!(fixture.is_cached().await);
}

/// Connect through a proxy, and change a row in a transaction.
async fn changed_through<DB: TestDatabase>(
    proxy: &Proxy,
    fixture: &Fixture<DB>,
    port: u16,
) -> Transaction<'static, DB> {
    let through = proxy.url().replace("redis://127.0.0.1:", "");
    let url = fixture
        .url
        .replace(&format!(":{port}/"), &format!(":{through}/"));
    let db = Db::new(&fixture.cache, DB::connect(&url).await);
    let mut tx = db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.invalidations().add("posts:a:*");
    tx
}

/// COMMIT reaches the server, and its reply is cut.
async fn a_commit_whose_reply_is_lost_invalidates<DB: TestDatabase>(
    fixture: Fixture<DB>,
    port: u16,
) {
    fixture.fill().await;
    let proxy = Proxy::before(port);
    let tx = changed_through(&proxy, &fixture, port).await;
    proxy.set(Fault::Cut);
    tx.commit().await.expect_err("the reply is lost");
    assert!(!fixture.is_cached().await);
    // A reader that comes before the server's own end caches the old row; so it is invalidated
    // once more.
    fixture.fill().await;
    until("the patterns are invalidated again", async || {
        !fixture.is_cached().await
    })
    .await;
    assert_eq!(fixture.likes("a").await, Some(2));
}

/// The caller is gone while COMMIT is on its way. An invalidation at that moment would be too early:
/// a reader would cache the old row before the server commits.
async fn a_commit_that_arrives_after_its_caller_has_left_is_still_followed<DB: TestDatabase>(
    fixture: Fixture<DB>,
    port: u16,
) {
    fixture.fill().await;
    let proxy = Proxy::before(port);
    let tx = changed_through(&proxy, &fixture, port).await;
    proxy.set(Fault::Silent);
    tokio::select! {
        biased;
        _ = tx.commit() => panic!("the server is silent"),
        () = std::future::ready(()) => {}
    }
    assert!(fixture.is_cached().await, "nothing is committed");
    proxy.set(Fault::None);
    until("the row is committed", async || {
        fixture.likes("a").await == Some(2)
    })
    .await;
    until("the entry is invalidated", async || {
        !fixture.is_cached().await
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_arrives_late_at_postgres_is_still_followed() {
    let fixture = Fixture::<Postgres>::create().await;
    let port = sql_tests::Postgres::shared().port();
    a_commit_that_arrives_after_its_caller_has_left_is_still_followed(fixture, port).await;
}

#[tokio::test]
async fn a_commit_that_arrives_late_at_mariadb_is_still_followed() {
    let fixture = Fixture::<MySql>::create().await;
    let port = sql_tests::MariaDb::shared().port();
    a_commit_that_arrives_after_its_caller_has_left_is_still_followed(fixture, port).await;
}

#[tokio::test]
async fn a_commit_whose_reply_from_postgres_is_lost_invalidates() {
    let fixture = Fixture::<Postgres>::create().await;
    let port = sql_tests::Postgres::shared().port();
    a_commit_whose_reply_is_lost_invalidates(fixture, port).await;
}

#[tokio::test]
async fn a_commit_whose_reply_from_mariadb_is_lost_invalidates() {
    let fixture = Fixture::<MySql>::create().await;
    let port = sql_tests::MariaDb::shared().port();
    a_commit_whose_reply_is_lost_invalidates(fixture, port).await;
}

/// The connection breaks before COMMIT is sent, which the client can't tell.
#[tokio::test]
async fn a_commit_that_does_not_reach_the_server_invalidates_too() {
    let fixture = Fixture::<Postgres>::create().await;
    fixture.fill().await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    set_likes::<Postgres>(tx.as_mut(), "a", 2)
        .await
        .expect("updated");
    tx.invalidations().add("posts:a:*");
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(tx.as_mut())
        .await
        .expect("it answers");
    fixture
        .run(&format!("SELECT pg_terminate_backend({process})"))
        .await;
    tx.commit().await.expect_err("the connection has ended");
    assert!(!fixture.is_cached().await);
    assert_eq!(fixture.likes("a").await, Some(1));
}
