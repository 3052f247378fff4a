//! A connection that is cut or goes silent, a server that is flushed or comes back as another: nothing near outlives what it was
//! believed for.

use std::time::{Duration, Instant};

use tests::{Fault, Proxy};

use super::*;
use crate::common::until_well;

fn says(server: &RedisServer, command: &[&str]) -> String {
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    request.query(&mut server.connect()).unwrap()
}

/// How many heartbeats the server has answered.
fn heartbeats(server: &RedisServer) -> u64 {
    let info = says(server, &["INFO", "commandstats"]);
    let exists = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_exists:calls="));
    let calls = exists.and_then(|stats| stats.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn after_its_connection_is_killed_nothing_old_is_served() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for round in 1..20 {
        until_near(&server, &cache, &rows, 1).await;
        let mut admin = server.connect();
        // The other connections stand, so nothing but its end tells of it.
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut admin).unwrap();
        let tracking = clients.lines().find(|client| client.contains(" flags=t"));
        let id = tracking.and_then(|client| client.split(['=', ' ']).nth(1));
        redis::cmd("CLIENT")
            .arg(&["KILL", "ID", id.expect("it tracks")])
            .exec(&mut admin)
            .unwrap();
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
    }
    assert_eq!(cache.stats().errors, 0, "no call has noticed");
}

#[tokio::test]
async fn after_a_cut_nothing_old_is_served() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let (cache, rows) = (builder(proxy.url()).build().unwrap(), Rows::default());
    for round in 1..6 {
        until_near(&server, &cache, &rows, 1).await;
        proxy.set(Fault::Refuse);
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
        proxy.set(Fault::None);
        until_well(&cache).await;
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// A hit looks at the clock, so that the bound holds whatever else the process may be doing.
#[tokio::test]
async fn a_silent_connection_is_trusted_for_no_longer_than_the_bound() {
    const SILENCE: Duration = Duration::from_millis(400);
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let near = builder(proxy.url()).near_max_silence(SILENCE);
    let near = near.response_timeout(Duration::from_millis(250));
    let (cache, rows) = (near.build().unwrap(), Rows::default());
    for round in 1..4 {
        until_near(&server, &cache, &rows, 1).await;
        proxy.set(Fault::Silent);
        let silent = Instant::now();
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        let mut latest = Duration::ZERO;
        loop {
            let asked = silent.elapsed();
            if *cache.scope(row(&rows, 1)).await == round {
                break;
            }
            latest = asked;
        }
        assert!(latest <= SILENCE, "served after {latest:?}");
        until_fresh(&cache, &rows, 1, round).await;
        proxy.set(Fault::None);
        until_well(&cache).await;
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// The same by a server that is stopped: its connections stand, and the kernel goes on taking what is sent.
#[tokio::test]
async fn a_stopped_server_ends_hits_in_the_near_cache() {
    let server = RedisServer::start();
    let near = builder(server.url()).near_max_silence(Duration::from_millis(400));
    let near = near.response_timeout(Duration::from_millis(250));
    let (cache, rows) = (near.build().unwrap(), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    server.signal("STOP");
    rows.write(1);
    let stopped = Instant::now();
    while *cache.scope(row(&rows, 1)).await == 0 {
        assert!(stopped.elapsed() < Duration::from_secs(30));
    }
    server.signal("CONT");
    until_well(&cache).await;
    // The row in Redis was never invalidated; it is one that this process may still read.
    cache.scope(update(&rows, 1, 2)).await;
    until_near(&server, &cache, &rows, 1).await;
    assert_eq!(*cache.scope(row(&rows, 1)).await, 2);
}

#[tokio::test]
async fn a_flush_empties_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for (round, flush) in (1..).zip(["FLUSHALL", "FLUSHDB", "FLUSHALL"]) {
        until_near(&server, &cache, &rows, 1).await;
        until_near(&server, &cache, &rows, 2).await;
        rows.write(round);
        says(&server, &[flush]);
        until_fresh(&cache, &rows, 1, round).await;
        until_fresh(&cache, &rows, 2, round).await;
    }
}

/// What it says to a client is limited; who doesn't take it is thrown out.
#[tokio::test]
async fn an_overflow_of_what_the_server_has_to_say_empties_it() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let limit = ["CONFIG", "SET", "client-output-buffer-limit"];
    says(&server, &[&limit[..], &["normal 65536 65536 1"]].concat());
    // More than the kernel takes at once, in a reply over the tracked connection.
    let large = vec![b'x'; 12 << 20];
    let _: () = server.connect().set("app:rows:9", large).unwrap();
    cache.scope(row(&rows, 9)).await;
    rows.write(1);
    deleted_elsewhere(&server, "rows:1");
    until_fresh(&cache, &rows, 1, 1).await;
    says(&server, &[&limit[..], &["normal 0 0 0"]].concat());
    until_well(&cache).await;
    until_near(&server, &cache, &rows, 1).await;
}

/// It has forgotten an invalidation that it had acknowledged. No command has gone over the cache's other connection since:
/// tracked reads alone would find the old entry.
#[tokio::test]
async fn a_server_that_comes_back_from_a_snapshot_is_told_again_before_anything_is_near() {
    let mut server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    says(&server, &["SAVE"]);
    cache.scope(update(&rows, 1, 1)).await;
    server.kill();
    server.restart();
    let old: Vec<u8> = server.connect().get("app:rows:1").unwrap();
    assert!(!old.is_empty(), "the server remembers the old row");
    until("it tracks again", || {
        let tracks = heartbeats(&server) > 1;
        async move { tracks }
    })
    .await;
    for _ in 0..20 {
        assert_eq!(*cache.scope(row(&rows, 1)).await, 1);
    }
    until_near(&server, &cache, &rows, 1).await;
    assert_eq!(*cache.scope(row(&rows, 1)).await, 1);
}

/// No call waits for two timeouts in a row, whichever connection is silent.
#[tokio::test]
async fn a_call_waits_for_one_response_timeout() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder(proxy.url()).response_timeout(TIMEOUT);
    // Trusted for longer than the timeout, so that a call finds out.
    let cache = cache
        .near_max_silence(Duration::from_secs(60))
        .build()
        .unwrap();
    let rows = Rows::default();
    until_near(&server, &cache, &rows, 1).await;
    proxy.set(Fault::Silent);
    let started = Instant::now();
    assert_eq!(*cache.scope(row(&rows, 2)).await, 0);
    let waited = started.elapsed();
    assert!(
        (TIMEOUT..TIMEOUT * 2).contains(&waited),
        "waited {waited:?}"
    );
    // From here on it is known.
    let started = Instant::now();
    for id in 0..1_000 {
        cache.scope(row(&rows, 3 + id)).await;
    }
    assert!(started.elapsed() < TIMEOUT, "{:?}", started.elapsed());
}
