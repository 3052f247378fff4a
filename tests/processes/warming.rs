//! One process of all runs a warmer, and another one if it dies.

use tests::{Database, RedisServer};

use crate::sizes::{PROCESSES, WARMED_ROWS};
use crate::start::{all_succeed, block_on, start};

#[test]
fn one_process_warms_for_all() {
    let (redis, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| start("warming", &redis, &database))
        .collect();
    block_on(async {
        let database = Database::open(&database.url()).await;
        database.until("seen", PROCESSES).await;
        assert_eq!(database.counted("warmings").await, 1);
        assert_eq!(database.counted("runs").await, WARMED_ROWS);
        database.count("over", 1).await;
    });
    all_succeed(workers);
}

#[test]
fn another_process_takes_over_when_the_one_that_warms_is_killed() {
    let (redis, database) = (RedisServer::start(), RedisServer::start());
    block_on(async {
        let database_url = database.url();
        let counts = Database::open(&database_url).await;
        let mut dying = start("warming-held", &redis, &database);
        counts.until("warmings", 1).await;
        let others: Vec<_> = (1..PROCESSES)
            .map(|_| start("warming", &redis, &database))
            .collect();
        counts.until("waiting", PROCESSES).await;
        assert_eq!(counts.counted("warmings").await, 1);
        dying.kill().unwrap();
        dying.wait().unwrap();
        counts.until("seen", PROCESSES - 1).await;
        assert_eq!(counts.counted("warmings").await, 2);
        assert_eq!(counts.counted("runs").await, WARMED_ROWS);
        counts.count("over", 1).await;
        all_succeed(others);
    });
}
