//! Redis is away while processes write and exit.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use cache_sql::Db;
use sqlx::Pool;
use tests::{Fault, until};

use crate::databases::{Fixture, TestDatabase, committed_likes, on_each_database};
use crate::support::OverRedis;
use crate::worker_process::Worker;

const PROCESSES: usize = 4;
const WRITES: usize = 250;

on_each_database!(every_key_is_fresh_after_an_outage_that_the_writers_did_not_survive);

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(pool))]
async fn likes<DB: TestDatabase>(pool: &Pool<DB>, slug: &str) -> Option<i64> {
    committed_likes(pool, slug).await
}

async fn every_key_is_fresh_after_an_outage_that_the_writers_did_not_survive<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let over = OverRedis::of(fixture).await;
    // A reader whose connection isn't cut.
    let reader = Cache::builder().prefix("blog").redis(over.server.url());
    let reader = reader.build().expect("a cache");
    let slugs: Vec<_> = (0..PROCESSES * WRITES).map(|n| format!("p{n}")).collect();
    let values: Vec<_> = slugs.iter().map(|slug| format!("('{slug}', 1)")).collect();
    let insert = format!("INSERT INTO posts VALUES {}", values.join(", "));
    over.fixture.run(&insert).await;
    assert_eq!(stale(&reader, &over.db, &slugs).await, slugs.len());

    over.proxy.set(Fault::Refuse);
    let mut workers = Vec::new();
    for slugs in slugs.chunks(WRITES) {
        let (url, redis) = (&over.fixture.url, over.proxy.url());
        workers.push(Worker::start::<DB>(url, &redis, 2, slugs.to_vec()).await);
    }
    workers.iter_mut().for_each(Worker::go);
    for worker in workers {
        worker.exit().await;
    }
    let rows = i64::try_from(slugs.len()).expect("few");
    assert_eq!(over.rows().await, rows);
    let db = over.db.clone().outbox_delay(Duration::ZERO);
    // A first one may fail and open the breaker.
    let _ = db.relay_once().await;
    assert_eq!(over.rows().await, rows);

    over.proxy.set(Fault::None);
    let _relays = [db.spawn_relay(), over.db.spawn_relay()];
    until("the rows are relayed", || async { over.rows().await == 0 }).await;
    assert_eq!(stale(&reader, &over.db, &slugs).await, 0);
}

/// Read each post through the cache, and return how many of the values are the old one.
async fn stale<DB: TestDatabase>(reader: &Cache, db: &Db<DB>, slugs: &[String]) -> usize {
    let mut stale = 0;
    for slug in slugs {
        let read = reader.scope(likes(db.pool(), slug)).await;
        stale += usize::from(read == Some(1));
    }
    stale
}
