//! A stale value in four processes: one of all their callers recomputes it.

use tests::{Database, RedisServer};

use crate::sizes::{PROCESSES, REFRESH_CALLERS};
use crate::start::{all_succeed, block_on, start};

/// Run the workers. Return the number of runs, and of callers with the first and the second value.
fn outcome(role: &str) -> (u64, u64, u64) {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| start(role, &cache, &database))
        .collect();
    all_succeed(workers);
    block_on(async {
        let rows = Database::open(&database.url()).await;
        (
            rows.counted("runs").await,
            rows.counted("got:1").await,
            rows.counted("got:2").await,
        )
    })
}

#[test]
fn callers_of_all_processes_are_served_the_stale_value_while_one_run_refreshes_it() {
    assert_eq!(outcome("stale"), (2, PROCESSES * REFRESH_CALLERS, 0));
}

#[test]
fn callers_of_all_processes_wait_for_one_run_if_the_value_is_too_old_to_serve() {
    assert_eq!(outcome("expired"), (2, 0, PROCESSES * REFRESH_CALLERS));
}
