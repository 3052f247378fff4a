//! A database with an outbox, and a cache on Redis behind a proxy.

use std::time::Duration;

use cache_runtime::{Cache, Transactional};
use cache_sql::Db;
use tests::{Proxy, RedisServer};

use crate::databases::{Fixture, TestDatabase};

/// The prefix of the caches.
pub(crate) const PREFIX: &str = "blog";

/// A database with the outbox, and a cache on Redis.
pub(crate) struct OverRedis<DB: TestDatabase> {
    pub(crate) server: RedisServer,
    /// Between the cache and Redis.
    pub(crate) proxy: Proxy,
    pub(crate) cache: Cache,
    pub(crate) db: Db<DB>,
    pub(crate) fixture: Fixture<DB>,
}

impl<DB: TestDatabase> OverRedis<DB> {
    pub(crate) async fn of(fixture: Fixture<DB>) -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::before(server.port());
        let cache = Cache::builder().prefix(PREFIX).redis(proxy.url());
        let cache = cache.build().expect("a cache on Redis");
        let db = Db::new(&cache, fixture.db.pool().clone()).with_outbox();
        db.create_outbox().await.expect("the table is created");
        Self {
            server,
            proxy,
            cache,
            db,
            fixture,
        }
    }

    /// The number of rows in the outbox.
    pub(crate) async fn rows(&self) -> i64 {
        rows(&self.fixture).await
    }
}

/// A database with the outbox, and a cache in memory whose relays don't wait.
pub(crate) async fn in_memory<DB: TestDatabase>(fixture: &Fixture<DB>) -> (Cache, Db<DB>) {
    let cache = Cache::builder().prefix(PREFIX).build().expect("a cache");
    let db = Db::new(&cache, fixture.db.pool().clone())
        .with_outbox()
        .outbox_delay(Duration::ZERO);
    db.create_outbox().await.expect("the table is created");
    (cache, db)
}

/// The number of rows in the outbox.
pub(crate) async fn rows<DB: TestDatabase>(fixture: &Fixture<DB>) -> i64 {
    fixture.number("SELECT COUNT(*) FROM cache_outbox").await
}

/// Leave a row, as a process does that dies after its commit.
pub(crate) async fn leave<DB: TestDatabase>(fixture: &Fixture<DB>, pattern: &str) {
    let values = format!("('{PREFIX}', '{pattern}')");
    let insert = format!("INSERT INTO cache_outbox (prefix, patterns) VALUES {values}");
    fixture.run(&insert).await;
}

/// Commit a transaction that invalidates this pattern.
pub(crate) async fn commit<DB: TestDatabase>(db: &Db<DB>, pattern: &str) {
    let tx = db.begin().await.expect("it begins");
    tx.invalidations().add(pattern);
    tx.commit().await.expect("committed");
}
