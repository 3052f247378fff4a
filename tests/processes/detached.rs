//! A computation that outlives its callers in one process, and serves another process.

use tests::RedisServer;

use crate::start::{all_succeed, start};

#[test]
fn the_callers_of_two_processes_start_one_body() {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers = ["impatient", "patient"].map(|role| start(role, &cache, &database));
    all_succeed(workers);
}
