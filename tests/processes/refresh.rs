//! A stale value in four processes: one of all their callers computes it anew.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::RedisServer;

use crate::database::Database;
use crate::worker::{self, Orders};

const PROCESSES: u64 = 4;
const CALLERS: u64 = 50;

/// The first run is what turns stale. The second ends when every caller has asked, and where they are served meanwhile, has got
/// its answer.
async fn run(database: Database, answered: &str) -> u64 {
    let run = database.count("runs", 1).await;
    if run > 1 {
        database.until(answered, PROCESSES * CALLERS).await;
    }
    run
}

/// Only the first value turns stale.
fn life(run: u64) -> Duration {
    Duration::from_millis(if run == 1 { 100 } else { 600_000 })
}

#[cacheable(key = "hot", ttl = |run: &u64| life(*run), stale = "10m", skip(database))]
async fn stale(database: Database) -> Result<u64, String> {
    Ok(run(database, "answers").await)
}

#[cacheable(key = "hot", ttl = |run: &u64| life(*run), stale_if_error = "10m", skip(database))]
async fn expired(database: Database) -> Result<u64, String> {
    Ok(run(database, "questions").await)
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("app")
        .redis(orders.cache_url.as_str())
        .response_timeout(Duration::from_secs(5))
        .lease_ttl(Duration::from_secs(5))
        .build()
        .unwrap();
    let call = |database: Database| {
        let is_stale = orders.role == "stale";
        cache.scope(async move {
            match is_stale {
                true => stale(database).await,
                false => expired(database).await,
            }
        })
    };
    if database.count("elected", 1).await == 1 {
        assert_eq!(call(database.clone()).await, Ok(1));
        while cache.ttl("hot").await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        database.count("is old", 1).await;
    }
    database.until("is old", 1).await;
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (database, call) = (database.clone(), call(database.clone()));
            tokio::spawn(async move {
                database.count("questions", 1).await;
                let value = call.await.unwrap();
                database.count(&format!("got:{value}"), 1).await;
                database.count("answers", 1).await;
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    // A refresh in the background ends with its process.
    database.until("answers", PROCESSES * CALLERS).await;
    while cache.get::<u64>("hot").await.unwrap().unwrap_or(1) == 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs the workers; how many runs there were, and how many callers got the first and the second value.
fn outcome(role: &str) -> (u64, u64, u64) {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| worker::start(role, &cache, &database))
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let rows = Database::open(&database.url()).await;
        (
            rows.counted("runs").await,
            rows.counted("got:1").await,
            rows.counted("got:2").await,
        )
    })
}

#[test]
fn all_are_served_a_stale_value_and_one_run_refreshes_it() {
    assert_eq!(outcome("stale"), (2, PROCESSES * CALLERS, 0));
}

#[test]
fn all_wait_for_the_one_that_computes_what_is_too_old_to_serve() {
    assert_eq!(outcome("expired"), (2, 0, PROCESSES * CALLERS));
}
