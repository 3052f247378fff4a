//! Rows that relays take.

use std::time::Duration;

use cache_runtime::Transactional;
use cache_sql::Db;
use sqlx::{MySql, Postgres};
use tests::{Fault, until, until_well};
use tokio::time::timeout;

use crate::databases::{Fixture, TestDatabase, on_each_database};
use crate::support::{OverRedis, commit, in_memory, leave, rows};

on_each_database!(
    a_row_is_taken_after_the_delay_and_not_before,
    the_delay_is_two_seconds_by_default,
    a_row_of_a_trigger_is_taken_at_once,
    rows_of_another_prefix_are_left_alone,
    a_backlog_is_relayed_by_one_call,
    four_relays_at_once_take_each_row_once,
    a_row_updated_twice_with_a_relay_in_between_is_invalidated_twice,
    a_relay_leaves_the_rows_while_the_breaker_is_open,
    a_relay_that_fails_leaves_the_rows,
    writers_go_on_while_a_relay_waits_for_redis,
    a_spawned_relay_works_until_it_is_dropped,
    a_spawned_relay_counts_the_rows_that_are_left,
    a_relay_without_the_table_is_an_error,
);

async fn a_row_is_taken_after_the_delay_and_not_before<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (cache, db) = in_memory(&fixture).await;
    cache.set("posts:a", &1, 600).await.expect("stored");
    leave(&fixture, "posts:a:*").await;
    let patient = db.clone().outbox_delay(Duration::from_secs(3600));
    assert_eq!(patient.relay_once().await.expect("relayed"), 0);
    assert!(cache.exists("posts:a").await.expect("it answers"));
    assert_eq!(rows(&fixture).await, 1);

    assert_eq!(db.relay_once().await.expect("relayed"), 1);
    assert!(!cache.exists("posts:a").await.expect("it answers"));
    assert_eq!(rows(&fixture).await, 0);
    assert_eq!(db.relay_once().await.expect("relayed"), 0);
}

async fn the_delay_is_two_seconds_by_default<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (cache, _) = in_memory(&fixture).await;
    let db = Db::new(&cache, fixture.db.pool().clone());
    leave(&fixture, "posts:a:*").await;
    let start = std::time::Instant::now();
    until("the row is taken", || async {
        db.relay_once().await.expect("relayed") == 1
    })
    .await;
    // The database's clock has milliseconds, and the row is older than `start`.
    assert!(start.elapsed() > Duration::from_millis(1_500));
    assert!(start.elapsed() < Duration::from_secs(30));
}

async fn a_row_of_a_trigger_is_taken_at_once<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (_, db) = in_memory(&fixture).await;
    let db = db.outbox_delay(Duration::from_secs(3600));
    leave(&fixture, "posts:a:*").await;
    let trigger = "INSERT INTO cache_outbox (prefix, patterns, source) \
                   VALUES ('blog', 'posts:b:*', 'trigger')";
    fixture.run(trigger).await;
    assert_eq!(db.relay_once().await.expect("relayed"), 1);
    assert_eq!(rows(&fixture).await, 1);
}

async fn rows_of_another_prefix_are_left_alone<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (_, db) = in_memory(&fixture).await;
    for prefix in ["blo", "blog2", "BLOG", "shop"] {
        let values = format!("('{prefix}', '*')");
        let insert = format!("INSERT INTO cache_outbox (prefix, patterns) VALUES {values}");
        fixture.run(&insert).await;
    }
    assert_eq!(db.relay_once().await.expect("relayed"), 0);
    assert_eq!(rows(&fixture).await, 4);
}

async fn a_backlog_is_relayed_by_one_call<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (cache, db) = in_memory(&fixture).await;
    for n in 0..300 {
        let path = format!("posts:{n}");
        cache.set(&path, &1, 600).await.expect("stored");
    }
    leave_many(&fixture, 300).await;
    assert_eq!(db.relay_once().await.expect("relayed"), 300);
    assert_eq!(cache.stats().entries, 0);
}

async fn four_relays_at_once_take_each_row_once<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (_, db) = in_memory(&fixture).await;
    leave_many(&fixture, 600).await;
    let relays: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.relay_once().await.expect("relayed") })
        })
        .collect();
    let mut total = 0;
    for relay in relays {
        total += relay.await.expect("it doesn't panic");
    }
    // A relay may leave rows that another one has locked, and end.
    total += db.relay_once().await.expect("relayed");
    assert_eq!(total, 600);
    assert_eq!(rows(&fixture).await, 0);
}

async fn a_row_updated_twice_with_a_relay_in_between_is_invalidated_twice<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let (cache, db) = in_memory(&fixture).await;
    for _ in 0..2 {
        cache.set("posts:a", &1, 600).await.expect("stored");
        leave(&fixture, "posts:a:*").await;
        assert_eq!(db.relay_once().await.expect("relayed"), 1);
        assert!(!cache.exists("posts:a").await.expect("it answers"));
    }
}

async fn a_relay_leaves_the_rows_while_the_breaker_is_open<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    let db = over.db.clone().outbox_delay(Duration::ZERO);
    over.proxy.set(Fault::Refuse);
    until("the breaker is open", || async {
        let _ = over.cache.exists("posts:a").await;
        !over.cache.is_available()
    })
    .await;
    leave(&over.fixture, "posts:a:*").await;
    assert_eq!(db.relay_once().await.expect("nothing is tried"), 0);
    assert_eq!(over.rows().await, 1);

    over.proxy.set(Fault::None);
    until_well(&over.cache).await;
    until("the row is relayed", || async {
        db.relay_once().await.is_ok_and(|relayed| relayed == 1)
    })
    .await;
    assert_eq!(over.rows().await, 0);
}

async fn a_relay_that_fails_leaves_the_rows<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    let db = over.db.clone().outbox_delay(Duration::ZERO);
    leave(&over.fixture, "posts:a:*").await;
    // The breaker is closed until the first failure.
    over.cache.exists("posts:a").await.expect("it answers");
    over.proxy.set(Fault::Refuse);
    let relayed = db.relay_once().await;
    assert!(!matches!(relayed, Ok(1..)), "{relayed:?}");
    assert_eq!(over.rows().await, 1);
}

async fn writers_go_on_while_a_relay_waits_for_redis<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverRedis::of(fixture).await;
    let db = over.db.clone().outbox_delay(Duration::ZERO);
    over.cache.delete_pattern("x").await.expect("connected");
    leave(&over.fixture, "posts:a:*").await;
    over.proxy.set(Fault::Silent);
    let relay = tokio::spawn(async move { db.relay_once().await });
    let without = Db::new(&over.cache, over.fixture.db.pool().clone());
    for likes in 2..50 {
        let mut tx = without.begin().await.expect("it begins");
        let written = crate::databases::set_likes::<DB>(tx.as_mut(), "a", likes);
        written.await.expect("written");
        let committed = timeout(Duration::from_secs(20), tx.commit()).await;
        committed.expect("no lock stops it").expect("committed");
    }
    let relayed = relay.await.expect("it doesn't panic");
    assert!(!matches!(relayed, Ok(1..)), "{relayed:?}");
    assert_eq!(over.rows().await, 1);
}

async fn a_spawned_relay_works_until_it_is_dropped<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (_, db) = in_memory(&fixture).await;
    let relay = db.spawn_relay();
    for _ in 0..2 {
        leave(&fixture, "posts:a:*").await;
        until("the row is relayed", || async { rows(&fixture).await == 0 }).await;
    }
    drop(relay);
    leave(&fixture, "posts:a:*").await;
    // Longer than the relay's interval: that nothing happens has no condition to wait for.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rows(&fixture).await, 1);
}

async fn a_spawned_relay_counts_the_rows_that_are_left<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (cache, db) = in_memory(&fixture).await;
    assert_eq!(cache.snapshot().outbox_rows, None);
    leave_many(&fixture, 3).await;
    // Not due for an hour, and counted all the same.
    let _relay = db.outbox_delay(Duration::from_secs(3_600)).spawn_relay();
    until("the rows are counted", || async {
        cache.snapshot().outbox_rows == Some(3)
    })
    .await;
    assert_eq!(rows(&fixture).await, 3);
}

async fn a_relay_without_the_table_is_an_error<DB: TestDatabase>(fixture: Fixture<DB>) {
    let error = fixture.db.relay_once().await.expect_err("no table");
    assert!(matches!(error, cache_sql::RelayError::Database(_)));
    assert!(error.to_string().contains("cache_outbox"), "{error}");
}

#[tokio::test]
async fn the_order_of_ids_is_not_that_of_commits_on_postgres() {
    the_order_of_ids_is_not_that_of_commits(Fixture::<Postgres>::create().await).await;
}

#[tokio::test]
async fn the_order_of_ids_is_not_that_of_commits_on_mariadb() {
    the_order_of_ids_is_not_that_of_commits(Fixture::<MySql>::create().await).await;
}

/// A relay that keeps a cursor would skip the row that commits last. SQLite has one writer at once.
async fn the_order_of_ids_is_not_that_of_commits<DB: TestDatabase>(fixture: Fixture<DB>) {
    let (cache, db) = in_memory(&fixture).await;
    let insert = |pattern: &str| {
        format!("INSERT INTO cache_outbox (prefix, patterns) VALUES ('blog', '{pattern}')")
    };
    for path in ["posts:first", "posts:second"] {
        cache.set(path, &1, 600).await.expect("stored");
    }
    let mut first = fixture.db.pool().begin().await.expect("it begins");
    let inserted = DB::run(&mut first, insert("posts:first"));
    inserted.await.expect("inserted");
    let mut second = fixture.db.pool().begin().await.expect("it begins");
    let inserted = DB::run(&mut second, insert("posts:second"));
    inserted.await.expect("inserted");

    second.commit().await.expect("committed");
    assert_eq!(db.relay_once().await.expect("relayed"), 1);
    assert!(cache.exists("posts:first").await.expect("it answers"));
    assert!(!cache.exists("posts:second").await.expect("it answers"));

    first.commit().await.expect("committed");
    assert_eq!(db.relay_once().await.expect("relayed"), 1);
    assert!(!cache.exists("posts:first").await.expect("it answers"));
}

/// A pool with one connection, as an SQLite in memory needs it.
#[tokio::test]
async fn one_connection_is_enough() {
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.expect("it opens");
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    let db = Db::new(&cache, pool)
        .with_outbox()
        .outbox_delay(Duration::ZERO);
    db.create_outbox().await.expect("created");
    let _relay = db.spawn_relay();
    for _ in 0..50 {
        commit(&db, "posts:a:*").await;
    }
    let tx = db.begin().await.expect("it begins");
    assert!(tx.invalidations().is_empty());
}

async fn leave_many<DB: TestDatabase>(fixture: &Fixture<DB>, rows: u32) {
    let values: Vec<_> = (0..rows)
        .map(|n| format!("('blog', 'posts:{n}')"))
        .collect();
    let values = values.join(", ");
    let insert = format!("INSERT INTO cache_outbox (prefix, patterns) VALUES {values}");
    fixture.run(&insert).await;
}
