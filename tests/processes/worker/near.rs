//! A process that polls a row through its near cache.

use cache_runtime::{Cache, cacheable};
use tests::{Database, PATIENCE};

use crate::Orders;
use crate::sizes::NEAR_ROUNDS;

#[cacheable(key = "rows:<<row>>", skip(database))]
async fn read(database: &Database, row: u32) -> u64 {
    database.version(row).await
}

fn cache(url: &str) -> Cache {
    let cache = Cache::builder()
        .prefix("app")
        .redis(url)
        .near_cache(1 << 20);
    cache.response_timeout(PATIENCE).build().unwrap()
}

/// Poll the row, and count each version when it is seen, and the hits.
pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = cache(&orders.cache_url);
    for round in 1..=NEAR_ROUNDS {
        while cache.scope(read(&database, 1)).await < round {
            tokio::task::yield_now().await;
        }
        database.count("seen", 1).await;
        // These hits put the entry into the near cache, where the next write has to find it.
        for _ in 0..20 {
            assert!(cache.scope(read(&database, 1)).await >= round);
        }
    }
    database.count("hits", cache.stats().hits).await;
}
