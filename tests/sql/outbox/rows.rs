//! Rows that commits write.

use cache_runtime::Transactional;
use tests::{Fault, until};

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};
use crate::support::{OverRedis, commit, in_memory, rows};

on_each_database!(
    a_row_is_deleted_once_its_invalidation_has_succeeded,
    a_row_stays_if_its_invalidation_fails,
    a_rollback_leaves_no_row,
    a_commit_without_patterns_leaves_no_row,
    a_row_holds_its_prefix_and_one_pattern_per_line,
    patterns_come_back_from_the_database_as_they_were,
);

async fn a_row_is_deleted_once_its_invalidation_has_succeeded<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let (_, db) = in_memory(&fixture).await;
    for n in 0..20 {
        commit(&db, &format!("posts:{n}")).await;
    }
    until("the rows are deleted", || async {
        rows(&fixture).await == 0
    })
    .await;
    // They were there: the ids of 20 rows are used up.
    crate::support::leave(&fixture, "posts:*").await;
    assert_eq!(fixture.number("SELECT id FROM cache_outbox").await, 21);
}

async fn a_row_stays_if_its_invalidation_fails<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    over.proxy.set(Fault::Refuse);
    let mut tx = over.db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.invalidations().add("posts:a:*");
    tx.commit()
        .await
        .expect("a failure of Redis isn't the caller's");
    assert_eq!(over.fixture.likes("a").await, Some(2));
    assert_eq!(over.rows().await, 1);
}

async fn a_rollback_leaves_no_row<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    over.proxy.set(Fault::Refuse);
    let tx = over.db.begin().await.expect("it begins");
    tx.invalidations().add("posts:a:*");
    tx.rollback().await.expect("rolled back");
    let tx = over.db.begin().await.expect("it begins");
    tx.invalidations().add("posts:a:*");
    drop(tx);
    let mut tx = over.db.begin().await.expect("it begins");
    let savepoint = tx.savepoint().await.expect("it begins");
    savepoint.invalidations().add("posts:a:*");
    savepoint.rollback().await.expect("rolled back");
    tx.commit().await.expect("committed");
    assert_eq!(over.rows().await, 0);
}

async fn a_commit_without_patterns_leaves_no_row<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    over.proxy.set(Fault::Refuse);
    let mut tx = over.db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.commit().await.expect("committed");
    assert_eq!(over.rows().await, 0);
}

async fn a_row_holds_its_prefix_and_one_pattern_per_line<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    over.proxy.set(Fault::Refuse);
    let tx = over.db.begin().await.expect("it begins");
    for pattern in ["posts:a:*", "posts:list:*", "posts:a:*"] {
        tx.invalidations().add(pattern);
    }
    tx.commit().await.expect("committed");
    let text = match DB::TITLE {
        "sqlite" => "'posts:a:*' || char(10) || 'posts:list:*'",
        "postgres" => "'posts:a:*' || chr(10) || 'posts:list:*'",
        _ => "CONCAT('posts:a:*', CHAR(10), 'posts:list:*')",
    };
    let count = format!(
        "SELECT COUNT(*) FROM cache_outbox WHERE prefix = 'blog' AND source = 'commit' \
         AND patterns = {text}"
    );
    assert_eq!(over.fixture.number(&count).await, 1);
}

async fn patterns_come_back_from_the_database_as_they_were<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    let paths = [r"quote:'", r#"double:""#, "%40:ä€😀", r"glob:\*:x"];
    let set = |path: &'static str| over.cache.set(path, &1, 600);
    for path in ["quote:'", "double:\"", "%40:ä€😀", "glob:*:x", "glob:y:x"] {
        set(path).await.expect("stored");
    }
    over.proxy.set(Fault::Refuse);
    let tx = over.db.begin().await.expect("it begins");
    for pattern in paths {
        tx.invalidations().add(pattern);
    }
    tx.commit().await.expect("committed");
    // Another process relays: this one sends its own invalidation again.
    let other = cache_runtime::Cache::builder().prefix("blog");
    let other = other.redis(over.server.url()).build().expect("a cache");
    let relay = cache_sql::Db::new(&other, over.fixture.db.pool().clone())
        .outbox_delay(std::time::Duration::ZERO);
    assert_eq!(relay.relay_once().await.expect("relayed"), 1);
    for path in ["quote:'", "double:\"", "%40:ä€😀", "glob:*:x"] {
        assert!(!other.exists(path).await.expect("it answers"), "{path}");
    }
    assert!(other.exists("glob:y:x").await.expect("it answers"));
}
