//! The outbox of SeaORM and rusqlite.

use std::time::Duration;

use cache_runtime::{Cache, Transactional};
use cache_sql::{rusqlite, sea_orm};
use sqlx::{MySql, Postgres, Sqlite};
use tests::{Fault, Proxy, RedisServer, until};

use crate::databases::{Fixture, TestDatabase, on_each_database};
use crate::support::rows;

on_each_database!(
    seaorm_writes_a_row_and_deletes_it,
    seaorm_relays_a_row_that_is_left,
    seaorm_commits_without_the_table,
);

/// A database of SeaORM, and a cache on Redis behind a proxy.
struct OverSeaOrm {
    _server: RedisServer,
    proxy: Proxy,
    cache: Cache,
    db: sea_orm::Db,
}

impl OverSeaOrm {
    async fn of<DB: TestDatabase>(fixture: &Fixture<DB>) -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::before(server.port());
        let cache = Cache::builder().prefix("blog").redis(proxy.url());
        let cache = cache.build().expect("a cache");
        let url = match DB::TITLE {
            "sqlite" => format!("sqlite://{}", fixture.url),
            _ => fixture.url.clone(),
        };
        let connection = ::sea_orm::Database::connect(url).await;
        let connection = connection.expect("the database answers");
        let db = sea_orm::Db::new(&cache, connection)
            .with_outbox()
            .outbox_delay(Duration::ZERO);
        Self {
            _server: server,
            proxy,
            cache,
            db,
        }
    }

    async fn write(&self) {
        use ::sea_orm::ConnectionTrait;
        let tx = self.db.begin().await.expect("it begins");
        let update = "UPDATE posts SET likes = likes + 1 WHERE slug = 'a'";
        let updated = tx.execute_unprepared(update).await;
        assert_eq!(updated.expect("updated").rows_affected(), 1);
        tx.invalidations().add("posts:a:*");
        tx.invalidations().add(r"quote:'\*");
        tx.commit().await.expect("committed");
    }
}

async fn seaorm_writes_a_row_and_deletes_it<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverSeaOrm::of(&fixture).await;
    over.db.create_outbox().await.expect("created");
    over.cache.set("posts:a", &1, 600).await.expect("stored");
    over.write().await;
    assert!(!over.cache.exists("posts:a").await.expect("it answers"));
    until("the row is deleted", || async { rows(&fixture).await == 0 }).await;
    over.proxy.set(Fault::Refuse);
    over.write().await;
    assert_eq!(rows(&fixture).await, 1);
    assert_eq!(fixture.likes("a").await, Some(3));
}

async fn seaorm_relays_a_row_that_is_left<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverSeaOrm::of(&fixture).await;
    over.db.create_outbox().await.expect("created");
    over.cache.set("posts:b", &1, 600).await.expect("stored");
    crate::support::leave(&fixture, "posts:b:*").await;
    let relayed = over.db.relay_once().await;
    assert_eq!(relayed.expect("relayed"), 1);
    assert!(!over.cache.exists("posts:b").await.expect("it answers"));
    let _relay = over.db.spawn_relay();
    crate::support::leave(&fixture, "posts:b:*").await;
    until("the row is relayed", || async { rows(&fixture).await == 0 }).await;
}

async fn seaorm_commits_without_the_table<DB: TestDatabase>(fixture: Fixture<DB>) {
    let over = OverSeaOrm::of(&fixture).await;
    for likes in [2, 3] {
        over.cache.set("posts:a", &1, 600).await.expect("stored");
        over.write().await;
        assert_eq!(fixture.likes("a").await, Some(likes));
        assert!(!over.cache.exists("posts:a").await.expect("it answers"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rusqlite_writes_a_row_and_relays_it() {
    let fixture = Fixture::<Sqlite>::create().await;
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder().prefix("blog").redis(proxy.url());
    let cache = cache.build().expect("a cache");
    let db = rusqlite::Db::new(&cache)
        .with_outbox()
        .outbox_delay(Duration::ZERO);
    let path = fixture.url.clone();
    let open = move || ::rusqlite::Connection::open(&path);
    let mut connection = open().expect("it opens");
    let mut write = |db: &rusqlite::Db| {
        let tx = db.begin(&mut connection).expect("it begins");
        tx.execute("UPDATE posts SET likes = likes + 1", [])
            .expect("updated");
        tx.invalidations().add("posts:a:*");
        tx.commit().expect("committed");
    };
    tokio::task::block_in_place(|| write(&db));
    assert_eq!(fixture.likes("a").await, Some(2), "without the table");

    let mut other = open().expect("it opens");
    db.create_outbox(&other).expect("created");
    tokio::task::block_in_place(|| {
        write(&db);
        write(&db);
    });
    assert_eq!(
        rows(&fixture).await,
        1,
        "the first is deleted with the second"
    );
    proxy.set(Fault::Refuse);
    tokio::task::block_in_place(|| write(&db));
    assert_eq!(rows(&fixture).await, 1, "the second with the third");
    proxy.set(Fault::None);
    tests::until_well(&cache).await;
    tokio::task::block_in_place(|| {
        tests::until_blocking("the row is relayed", || {
            db.relay_once(&mut other).is_ok_and(|relayed| relayed == 1)
        });
    });
    crate::support::leave(&fixture, "posts:b:*").await;
    let _relay = db.spawn_relay(open);
    until("the row is relayed", || async { rows(&fixture).await == 0 }).await;
    until("the rows are counted", || async {
        cache.snapshot().outbox_rows == Some(0)
    })
    .await;
}

#[test]
fn the_schema_is_one_statement_for_each_database() {
    use cache_sql::{Dialect, schema};
    for dialect in [Dialect::Postgres, Dialect::Sqlite, Dialect::MySql] {
        let schema = schema(dialect);
        assert_eq!(schema.matches(';').count(), 1, "{schema}");
        assert!(schema.ends_with(";\n"), "{schema}");
    }
    assert_ne!(Postgres::TITLE, MySql::TITLE);
}
