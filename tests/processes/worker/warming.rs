//! A process with a warmer that runs at start and hourly.

use std::time::Duration;

use cache_runtime::{Cache, Warm, cacheable, warmer};
use tests::{Database, PATIENCE, until};

use crate::Orders;
use crate::sizes::WARMED_ROWS;

#[cacheable(key = "warmed:<<id>>", skip(database))]
async fn row(database: &Database, id: u64) -> u64 {
    database.count("runs", 1).await;
    id
}

#[warmer("rows", at_start, every = "1h")]
async fn rows(warm: Warm, database: Database, held: bool) {
    database.count("warmings", 1).await;
    if held {
        std::future::pending::<()>().await;
    }
    warm.each(0..WARMED_ROWS, |id| row(&database, id)).await;
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("app")
        .redis(orders.cache_url.as_str())
        .response_timeout(PATIENCE)
        .lease_ttl(Duration::from_secs(1))
        .build()
        .unwrap();
    let held = orders.role == "warming-held";
    let warmer = rows_warmer(database.clone(), held);
    cache.add_warmer(warmer).unwrap();
    database.count("waiting", 1).await;
    until("all rows are cached", || async {
        let last = format!("warmed:{}", WARMED_ROWS - 1);
        cache.exists(&last).await.unwrap() && cache.warmers()[0].running.is_none()
    })
    .await;
    let calls = async {
        for id in 0..WARMED_ROWS {
            assert_eq!(row(&database, id).await, id);
        }
    };
    cache.scope(calls).await;
    database.count("seen", 1).await;
    database.until("over", 1).await;
}
