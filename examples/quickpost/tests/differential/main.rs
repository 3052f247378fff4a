//! A cached and an uncached quickpost get the same random requests, and have to give the same
//! responses. Each server is a process of its own.
//!
//! A failure names its seed; `DIFFERENTIAL_SEED=<seed>` runs the same requests again.

#![allow(missing_docs, clippy::unwrap_used)]

mod client;
mod random;
mod requests;
mod server;
mod twins;

use std::time::{Duration, Instant};

use tests::RedisServer;

use crate::server::{Database, Server};
use crate::twins::{Lag, Twins};

#[test]
fn a_cache_in_memory_is_not_noticed() {
    let mut twins = Twins::new(vec![Server::start(&[])], Lag::Never);
    twins.steps(1_000);
    let hits = twins.hits();
    assert!(hits > 50, "{hits} hits of single posts");
}

#[test]
fn two_processes_on_one_redis_are_not_noticed() {
    let redis = RedisServer::start();
    let database = Database::new();
    let start = || Server::start_on(&redis, &database, 0);
    let mut twins = Twins::new(vec![start(), start()], Lag::Never);
    for _ in 0..6 {
        twins.steps(120);
        // A process that is killed takes nothing with it: what it acknowledged is in Redis.
        twins.replace_a_process(start);
    }
    let hits = twins.hits();
    assert!(hits > 50, "{hits} hits of single posts");
}

#[test]
fn near_caches_lag_by_moments_only() {
    let redis = RedisServer::start();
    let database = Database::new();
    let start = || Server::start_on(&redis, &database, 1 << 20);
    let mut twins = Twins::new(vec![start(), start()], Lag::AfterOthersWrites);
    twins.steps(500);
    println!("longest lag: {:?}", twins.longest_lag());
    let hits = twins.hits();
    assert!(hits > 50, "{hits} hits of single posts");
}

#[test]
fn one_process_does_not_notice_that_redis_dies_and_returns() {
    let mut redis = RedisServer::start();
    let server = Server::start_on(&redis, &Database::new(), 1 << 20);
    let mut twins = Twins::new(vec![server], Lag::Never);
    disturb(&mut twins, &mut redis);
}

#[test]
fn two_processes_lag_only_until_both_have_redis_again() {
    let mut redis = RedisServer::start();
    let database = Database::new();
    let start = || Server::start_on(&redis, &database, 0);
    let mut twins = Twins::new(vec![start(), start()], Lag::Never);
    disturb(&mut twins, &mut redis);
    println!("longest lag: {:?}", twins.longest_lag());
}

/// Let Redis die, or forget something, between and during the requests: in each way once, beginning
/// with any of them.
fn disturb(twins: &mut Twins, redis: &mut RedisServer) {
    let first = twins.random().below(4);
    for way in (0..4).map(|next| (first + next) % 4) {
        twins.steps(60);
        twins.note(format!("disturbance {way}"));
        match way {
            // It loses everything, while the processes write on.
            0 => {
                twins.begin_outage();
                redis.kill();
                twins.steps(40);
                redis.restart();
                twins.steps(20);
            }
            // It comes back with what it had before the last writes, so it has lost invalidations
            // that it acknowledged.
            1 => {
                let saved = Instant::now();
                redis_says(redis, "SAVE");
                twins.steps(15);
                twins.begin_outage();
                redis.kill();
                redis.restart();
                // The processes repeat what is younger than their replay window, which is 10 s.
                if saved.elapsed() > Duration::from_secs(5) {
                    redis_says(redis, "FLUSHALL");
                }
                twins.steps(20);
            }
            // It is away for so short a time that few requests notice.
            2 => {
                twins.begin_outage();
                redis.kill();
                redis.restart();
                twins.steps(20);
            }
            // It forgets everything, the index included.
            _ => redis_says(redis, "FLUSHALL"),
        }
        twins.end_outage();
    }
    twins.steps(60);
}

fn redis_says(redis: &RedisServer, command: &str) {
    redis::cmd(command).exec(&mut redis.connect()).unwrap();
}
