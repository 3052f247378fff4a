//! Two processes that write one key through at the same time, in both orders of their commits.

use tests::RedisServer;

use crate::start::{all_succeed, start};

fn contested(order: &str) {
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let roles = ["first", "second"].map(|role| format!("through-{order}-{role}"));
    let workers = roles.map(|role| start(&role, &cache, &database));
    all_succeed(workers);
}

#[test]
fn the_writer_that_began_first_commits_first() {
    contested("as-begun");
}

#[test]
fn the_writer_that_began_first_commits_last() {
    contested("reversed");
}
