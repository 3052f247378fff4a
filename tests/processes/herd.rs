//! A thousand callers in four processes, and one computation.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::RedisServer;

use crate::database::Database;
use crate::worker::{self, Orders};

const PROCESSES: u64 = 4;
const CALLERS: u64 = 250;

#[cacheable(key = "cold", skip(database))]
async fn compute(database: &Database) -> u64 {
    database
        .count(&format!("leader:{}", std::process::id()), 1)
        .await;
    let run = database.count("runs", 1).await;
    // As long as all are needed to arrive; in the second test, for ever in the first leader.
    database.until("callers", PROCESSES * CALLERS).await;
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
        // Short enough to wait for after a kill, long enough for a busy machine to renew it in time.
        .lease_ttl(Duration::from_secs(3))
        .build()
        .unwrap();
    let callers: Vec<_> = (0..CALLERS)
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

#[test]
fn four_times_250_callers_make_one_computation() {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| worker::start("herd", &cache, &database))
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = Database::open(&database.url()).await;
        assert_eq!(database.counted("runs").await, 1);
        assert_eq!(database.counted("got:1").await, PROCESSES * CALLERS);
    });
}

#[test]
fn a_leader_that_is_killed_is_taken_over_by_one() {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let rows = Database::open(&database.url()).await;
        rows.count("kill", 1).await;
        let mut workers: Vec<_> = (0..PROCESSES)
            .map(|_| worker::start("herd", &cache, &database))
            .collect();
        rows.until("runs", 1).await;
        rows.until("callers", PROCESSES * CALLERS).await;
        let mut leader = None;
        for (at, worker) in workers.iter().enumerate() {
            if rows.counted(&format!("leader:{}", worker.id())).await > 0 {
                leader = Some(at);
            }
        }
        let mut leader = workers.swap_remove(leader.expect("one leads"));
        leader.kill().unwrap();
        leader.wait().unwrap();
        for mut worker in workers {
            assert!(worker.wait().unwrap().success());
        }
        assert_eq!(rows.counted("runs").await, 2);
        assert_eq!(rows.counted("got:2").await, (PROCESSES - 1) * CALLERS);
    });
}
