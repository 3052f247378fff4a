//! The counters of all processes, seen by one that makes no calls.

use std::cell::RefCell;

use cache_runtime::Cache;
use cache_runtime::observe::Snapshot;
use tests::{Database, PATIENCE, RedisServer, until};

use crate::sizes::{FLEET_CALLS, PROCESSES};
use crate::start::{all_succeed, block_on, start};

#[test]
fn the_fleets_sums_are_the_calls_that_its_processes_made() {
    let (redis, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| start("fleet", &redis, &database))
        .collect();
    let pids: Vec<u32> = workers.iter().map(std::process::Child::id).collect();
    block_on(async {
        let database = Database::open(&database.url()).await;
        let tool = Cache::builder().prefix("app").redis(redis.url());
        let tool = tool.response_timeout(PATIENCE).publish_stats(false);
        let tool = tool.build().unwrap();
        let fleet = RefCell::new(Vec::new());
        until("all calls are in the sums", || {
            let (tool, fleet) = (&tool, &fleet);
            async move {
                let seen = tool.fleet().await.unwrap();
                let calls: u64 = seen.iter().map(|one| one.total().calls()).sum();
                fleet.replace(seen);
                calls == PROCESSES * FLEET_CALLS
            }
        })
        .await;
        let fleet = fleet.into_inner();
        let sums = Snapshot::sums(&fleet);
        assert_eq!(sums.len(), 1, "{sums:?}");
        assert_eq!(sums[0].function, "worker::fleet::row");
        assert_eq!(sums[0].compute.count(), database.counted("runs").await);
        let mut seen: Vec<u32> = fleet.iter().map(|one| one.pid).collect();
        let mut expected = pids;
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected);
        database.count("seen", 1).await;
    });
    all_succeed(workers);
}
