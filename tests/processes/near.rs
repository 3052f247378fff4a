//! A process that has an entry near turns fresh when another one invalidates. How soon, the benchmark says.

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{PATIENCE, RedisServer};

use crate::database::Database;
use crate::worker::{self, Orders};

const ROUNDS: u64 = 300;

#[cacheable(key = "rows:<<row>>", skip(database))]
async fn read(database: &Database, row: u32) -> u64 {
    database.version(row).await
}

#[invalidate(patterns = ["rows:<<row>>"])]
async fn write(database: &Database, row: u32) -> u64 {
    database.update(row).await
}

fn cache(url: &str) -> Cache {
    let cache = Cache::builder()
        .prefix("app")
        .redis(url)
        .near_cache(1 << 20);
    cache.response_timeout(PATIENCE).build().unwrap()
}

/// Polls, and says when it has seen each version; and how often it was served without being asked for.
pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = cache(&orders.cache_url);
    for round in 1..=ROUNDS {
        while cache.scope(read(&database, 1)).await < round {
            tokio::task::yield_now().await;
        }
        database.count("seen", 1).await;
        // So that what comes next finds it near.
        for _ in 0..20 {
            assert!(cache.scope(read(&database, 1)).await >= round);
        }
    }
    database.count("hits", cache.stats().hits).await;
}

#[test]
fn another_process_turns_fresh() {
    let (server, database) = (RedisServer::start(), RedisServer::start());
    let mut watcher = worker::start("near", &server, &database);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let cache = cache(&server.url());
        let database = Database::open(&database.url()).await;
        for round in 1..=ROUNDS {
            cache.scope(write(&database, 1)).await;
            let seen = tokio::time::timeout(PATIENCE, database.until("seen", round));
            seen.await.expect("it turns fresh");
        }
        assert!(watcher.wait().unwrap().success());
        assert!(database.counted("hits").await > ROUNDS);
    });
}
