//! Callers of two processes; those of the first leave before the body ends.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::Database;

use crate::Orders;

/// End once all impatient callers have left and the other process has called.
#[cacheable(key = "hot", skip(database), detached = true)]
async fn hot(database: Database) -> u64 {
    let run = database.count("runs", 1).await;
    database.until("gone", 10).await;
    database.until("asked", 1).await;
    run
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
    if orders.role == "impatient" {
        // A busy machine may drop a call before its body begins, and then no other caller starts
        // it.
        while database.counted("runs").await == 0 {
            let call = cache.scope(hot(database.clone()));
            let _ = tokio::time::timeout(Duration::from_millis(50), call).await;
        }
        for _ in 0..10 {
            let call = cache.scope(hot(database.clone()));
            let value = tokio::time::timeout(Duration::from_millis(50), call).await;
            assert!(value.is_err(), "the body waits for the other process");
            database.count("gone", 1).await;
        }
        database.until("got", 1).await;
    } else {
        database.until("gone", 10).await;
        let call = cache.scope(hot(database.clone()));
        database.count("asked", 1).await;
        assert_eq!(call.await, 1);
        database.count("got", 1).await;
    }
}
