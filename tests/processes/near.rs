//! An entry in one process's near cache is invalidated by another process. The benchmark measures
//! how soon.

use cache_runtime::{Cache, invalidate};
use tests::{Database, PATIENCE, RedisServer};

use crate::sizes::NEAR_ROUNDS;
use crate::start::{block_on, start};

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

#[test]
fn a_near_cache_drops_an_entry_that_another_process_invalidates() {
    let (server, database) = (RedisServer::start(), RedisServer::start());
    let mut watcher = start("near", &server, &database);
    block_on(async {
        let cache = cache(&server.url());
        let database = Database::open(&database.url()).await;
        for round in 1..=NEAR_ROUNDS {
            cache.scope(write(&database, 1)).await;
            let seen = tokio::time::timeout(PATIENCE, database.until("seen", round));
            seen.await.expect("the other process reads the new version");
        }
        assert!(watcher.wait().unwrap().success());
        assert!(database.counted("hits").await > NEAR_ROUNDS);
    });
}
