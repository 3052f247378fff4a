//! A thousand callers in four processes, and one computation.

use tests::{Database, RedisServer};

use crate::sizes::{HERD_CALLERS, PROCESSES};
use crate::start::{all_succeed, block_on, start};

#[test]
fn four_times_250_callers_make_one_computation() {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| start("herd", &cache, &database))
        .collect();
    all_succeed(workers);
    block_on(async {
        let database = Database::open(&database.url()).await;
        assert_eq!(database.counted("runs").await, 1);
        assert_eq!(database.counted("got:1").await, PROCESSES * HERD_CALLERS);
    });
}

#[test]
fn a_leader_that_is_killed_is_taken_over_by_one() {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    block_on(async {
        let rows = Database::open(&database.url()).await;
        rows.count("kill", 1).await;
        let mut workers: Vec<_> = (0..PROCESSES)
            .map(|_| start("herd", &cache, &database))
            .collect();
        rows.until("runs", 1).await;
        rows.until("callers", PROCESSES * HERD_CALLERS).await;
        let mut leader = None;
        for (at, worker) in workers.iter().enumerate() {
            if rows.counted(&format!("leader:{}", worker.id())).await > 0 {
                leader = Some(at);
            }
        }
        let mut leader = workers.swap_remove(leader.expect("one worker is the leader"));
        leader.kill().unwrap();
        leader.wait().unwrap();
        all_succeed(workers);
        assert_eq!(rows.counted("runs").await, 2);
        assert_eq!(rows.counted("got:2").await, (PROCESSES - 1) * HERD_CALLERS);
    });
}
