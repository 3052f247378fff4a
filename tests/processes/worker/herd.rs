//! Callers that miss the same key at the same time.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::Database;

use crate::Orders;
use crate::sizes::{HERD_CALLERS, PROCESSES};

#[cacheable(key = "cold", skip(database))]
async fn compute(database: &Database) -> u64 {
    database
        .count(&format!("leader:{}", std::process::id()), 1)
        .await;
    let run = database.count("runs", 1).await;
    // Wait for all callers. In the test that kills the first leader, that leader never ends.
    database.until("callers", PROCESSES * HERD_CALLERS).await;
    if run == 1 && database.counted("kill").await > 0 {
        std::future::pending::<()>().await;
    }
    run
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("app")
        .redis(orders.cache_url.as_str())
        .response_timeout(Duration::from_secs(5))
        // Short, as it is waited for after a kill, but a busy machine must renew it in time.
        .lease_ttl(Duration::from_secs(3))
        .build()
        .unwrap();
    let callers: Vec<_> = (0..HERD_CALLERS)
        .map(|_| {
            let (cache, database) = (cache.clone(), database.clone());
            tokio::spawn(async move {
                database.count("callers", 1).await;
                cache.scope(compute(&database)).await
            })
        })
        .collect();
    for caller in callers {
        let value = caller.await.unwrap();
        database.count(&format!("got:{value}"), 1).await;
    }
}
