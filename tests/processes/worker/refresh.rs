//! Callers that find the same stale value.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::{Database, until};

use crate::Orders;
use crate::sizes::{PROCESSES, REFRESH_CALLERS};

/// The value of the first run turns stale. The second run ends after every caller has called, and
/// if callers are served meanwhile, after every caller has its answer.
async fn run(database: Database, answered: &str) -> u64 {
    let run = database.count("runs", 1).await;
    if run > 1 {
        database.until(answered, PROCESSES * REFRESH_CALLERS).await;
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
        until("the value is stale", || async {
            cache.ttl("hot").await.unwrap().is_none()
        })
        .await;
        database.count("is old", 1).await;
    }
    database.until("is old", 1).await;
    let callers: Vec<_> = (0..REFRESH_CALLERS)
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
    // A refresh in the background would end with its process, so the process stays.
    database.until("answers", PROCESSES * REFRESH_CALLERS).await;
    until("the value is refreshed", || async {
        cache
            .get::<u64>("hot")
            .await
            .unwrap()
            .is_some_and(|run| run > 1)
    })
    .await;
}
