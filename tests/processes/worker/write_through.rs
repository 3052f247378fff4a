//! One of two processes that write the same row through at the same time. The first takes its lease
//! before the second. The row is as the later commit has left it, whatever the order.

use cache_runtime::{Cache, cacheable, write_through};
use tests::{Database, PATIENCE};

use crate::Orders;

#[cacheable(key = "rows:<<row>>", ttl = 600, skip(database))]
async fn read(database: &Database, row: u32) -> u64 {
    database.count("runs", 1).await;
    database.version(row).await
}

/// Commit when it is this writer's turn, and return when the other has committed.
#[write_through(key = "rows:<<row>>", ttl = 600)]
async fn write(database: &Database, row: u32, first: bool, turn: u64) -> u64 {
    database.count(if first { "begun" } else { "met" }, 1).await;
    database.until("met", 1).await;
    database.until("committed", turn).await;
    let version = database.update(row).await;
    database.count("committed", 1).await;
    database.until("committed", 2).await;
    version
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("app")
        .redis(orders.cache_url.as_str())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let first = orders.role.ends_with("first");
    let commits_first = first == orders.role.contains("as-begun");
    if !first {
        database.until("begun", 1).await;
    }
    let turn = u64::from(!commits_first);
    let version = cache.scope(write(&database, 1, first, turn)).await;
    assert_eq!(version, turn + 1);
    // This write has returned, and both are committed: no older version is read.
    assert_eq!(cache.scope(read(&database, 1)).await, 2);
    database.count("returned", 1).await;
    database.until("returned", 2).await;
    assert_eq!(cache.scope(read(&database, 1)).await, 2);
    database.count("settled", 1).await;
    database.until("settled", 2).await;
    // Neither has left a lease that keeps the row uncached.
    assert_eq!(cache.get::<u64>("rows:1").await.unwrap(), Some(2));
    assert!(database.counted("runs").await <= 4);
}
