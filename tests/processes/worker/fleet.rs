//! Calls that the test counts from outside.

use cache_runtime::{Cache, cacheable};
use tests::{Database, PATIENCE};

use crate::Orders;
use crate::sizes::FLEET_CALLS;

#[cacheable(key = "fleet:<<id>>", skip(database))]
async fn row(database: &Database, id: u64) -> u64 {
    database.count("runs", 1).await;
    id
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("app")
        .redis(orders.cache_url.as_str())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let calls = async {
        for call in 0..FLEET_CALLS {
            row(&database, call % 10).await;
        }
    };
    cache.scope(calls).await;
    database.until("seen", 1).await;
}
