//! Processes that are killed between COMMIT and the invalidation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use cache_sql::Db;
use sqlx::Pool;
use tests::{Proxy, RedisServer, until};
use tokio::task::JoinSet;

use crate::databases::{Fixture, TestDatabase, committed_likes, on_each_database};
use crate::support::OverRedis;
use crate::worker_process::Worker;

/// Processes at a time, each killed this often.
const PROCESSES: usize = 4;
const KILLS: usize = 25;
/// The relay's interval and the outbox's delay.
const BOUND: Duration = Duration::from_secs(1 + 2);
/// This machine may be busy. A lost invalidation would be noticed at the end of the TTL.
const SLACK: Duration = Duration::from_secs(5);

on_each_database!(no_read_is_stale_after_a_kill_between_commit_and_invalidation);

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(pool))]
async fn likes<DB: TestDatabase>(pool: &Pool<DB>, slug: &str) -> Option<i64> {
    committed_likes(pool, slug).await
}

struct Scene<DB: TestDatabase> {
    cache: Cache,
    db: Db<DB>,
    url: String,
    redis: RedisServer,
    fixture: Fixture<DB>,
}

async fn no_read_is_stale_after_a_kill_between_commit_and_invalidation<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let OverRedis {
        server: redis,
        cache,
        db,
        fixture,
        proxy: _proxy,
    } = OverRedis::of(fixture).await;
    let _relays = [db.spawn_relay(), db.spawn_relay()];
    let scene = Arc::new(Scene {
        url: fixture.url.clone(),
        cache,
        db,
        redis,
        fixture,
    });
    let mut slots = JoinSet::new();
    for slot in 0..PROCESSES {
        let scene = Arc::clone(&scene);
        slots.spawn(async move { scene.kill_many(slot).await });
    }
    let left: usize = slots.join_all().await.into_iter().sum();
    // Otherwise the test would pass without an outbox.
    assert!(
        left > PROCESSES * KILLS * 9 / 10,
        "only {left} rows were left"
    );
}

impl<DB: TestDatabase> Scene<DB> {
    /// Kill processes one after another, and return the number of rows that they have left.
    async fn kill_many(self: Arc<Self>, slot: usize) -> usize {
        let mut readers = JoinSet::new();
        let mut left = 0;
        for kill in 0..KILLS {
            let slug = format!("s{slot}k{kill}");
            let insert = format!("INSERT INTO posts VALUES ('{slug}', 1)");
            self.fixture.run(&insert).await;
            assert_eq!(self.read(&slug).await, Some(1));

            let committed = self.kill_one(&slug).await;
            left += usize::from(self.has_row(&slug).await);
            let scene = Arc::clone(&self);
            readers.spawn(async move { scene.stale_until(&slug, committed).await });
        }
        for stale in readers.join_all().await {
            assert!(stale < BOUND + SLACK, "a read was stale for {stale:?}");
        }
        left
    }

    /// Kill a process that has committed, and whose invalidation doesn't reach Redis. Return when
    /// its commit was seen.
    async fn kill_one(&self, slug: &str) -> Instant {
        let proxy = Proxy::before(self.redis.port());
        let slugs = vec![slug.to_owned()];
        let mut worker = Worker::start::<DB>(&self.url, &proxy.url(), 2, slugs).await;
        proxy.vanish();
        worker.go();
        until("it commits", || async {
            committed_likes(self.db.pool(), slug).await == Some(2)
        })
        .await;
        worker.kill();
        Instant::now()
    }

    async fn has_row(&self, slug: &str) -> bool {
        let count = format!("SELECT COUNT(*) FROM cache_outbox WHERE patterns = 'posts:{slug}:*'");
        self.fixture.number(&count).await == 1
    }

    async fn read(&self, slug: &str) -> Option<i64> {
        self.cache.scope(likes(self.db.pool(), slug)).await
    }

    /// Read until the value is the committed one, and return how long the reads were stale.
    async fn stale_until(&self, slug: &str, committed: Instant) -> Duration {
        until("a read is fresh", || async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.read(slug).await == Some(2)
        })
        .await;
        committed.elapsed()
    }
}
