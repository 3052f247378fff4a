//! Connections that are lost or silent, servers that are flushed or replaced: near entries are not
//! served when Redis can no longer invalidate them.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tests::{Fault, Proxy, until_well};

use super::*;

/// A cache that reaches the server through the proxy.
fn builder_behind(proxy: &Proxy, server: &RedisServer) -> CacheBuilder {
    builder(proxy.url()).prefix(prefix(&server.url()))
}

fn says(server: &RedisServer, command: &[&str]) -> String {
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    request.query(&mut server.connect()).unwrap()
}

/// Return the number of heartbeats that the server has answered.
fn heartbeats(server: &RedisServer) -> u64 {
    let info = says(server, &["INFO", "commandstats"]);
    let exists = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_exists:calls="));
    let calls = exists.and_then(|stats| stats.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn no_old_value_is_served_after_the_tracking_connection_is_killed() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for round in 1..20 {
        until_near(&server, &cache, &rows, 1).await;
        let mut admin = server.connect();
        // The other connections stay open, so only the end of this one shows the loss.
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut admin).unwrap();
        let tracking = clients.lines().find(|client| client.contains(" flags=t"));
        let id = tracking.and_then(|client| client.split(['=', ' ']).nth(1));
        redis::cmd("CLIENT")
            .arg(&["KILL", "ID", id.expect("a connection tracks keys")])
            .exec(&mut admin)
            .unwrap();
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        until_fresh(&cache, &rows, 1, round).await;
    }
    assert_eq!(cache.stats().errors, 0, "no call failed");
}

#[tokio::test]
async fn no_old_value_is_served_after_connections_are_refused() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let (cache, rows) = (
        builder_behind(&proxy, &server).build().unwrap(),
        Rows::default(),
    );
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

/// A hit checks the clock, so the limit holds whatever else the process does.
#[tokio::test]
async fn near_entries_behind_a_silent_connection_are_served_no_longer_than_near_max_silence() {
    const SILENCE: Duration = Duration::from_millis(400);
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let near = builder_behind(&proxy, &server).near_max_silence(SILENCE);
    let near = near.response_timeout(Duration::from_millis(250));
    let (cache, rows) = (near.build().unwrap(), Rows::default());
    for round in 1..4 {
        until_near(&server, &cache, &rows, 1).await;
        proxy.set(Fault::Silent);
        let silent = Instant::now();
        rows.write(round);
        deleted_elsewhere(&server, "rows:1");
        let latest = Cell::new(Duration::ZERO);
        until("the new value is read", || async {
            let asked = silent.elapsed();
            let is_new = *cache.scope(row(&rows, 1)).await == round;
            if !is_new {
                latest.set(asked);
            }
            is_new
        })
        .await;
        let latest = latest.get();
        assert!(latest <= SILENCE, "served after {latest:?}");
        until_fresh(&cache, &rows, 1, round).await;
        proxy.set(Fault::None);
        until_well(&cache).await;
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// The same with a stopped server: its connections stay open, and the kernel still accepts packets.
#[tokio::test]
async fn a_stopped_server_ends_hits_in_the_near_cache_until_it_continues() {
    let server = RedisServer::start();
    let near = builder(server.url()).near_max_silence(Duration::from_millis(400));
    let near = near.response_timeout(Duration::from_millis(250));
    let (cache, rows) = (near.build().unwrap(), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    server.signal("STOP");
    rows.write(1);
    until("the old value is no longer served", || async {
        *cache.scope(row(&rows, 1)).await != 0
    })
    .await;
    server.signal("CONT");
    until_well(&cache).await;
    // The row in Redis was never invalidated, so this process may still read it.
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

/// The server disconnects a client whose unread replies exceed the limit.
#[tokio::test]
async fn an_overflow_of_the_clients_output_buffer_empties_the_near_cache() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    let limit = ["CONFIG", "SET", "client-output-buffer-limit"];
    says(&server, &[&limit[..], &["normal 65536 65536 1"]].concat());
    // More than the kernel takes at once, in a reply over the tracked connection.
    let large = vec![b'x'; 12 << 20];
    let _: () = server.connect().set(key(&server, "rows:9"), large).unwrap();
    cache.scope(row(&rows, 9)).await;
    rows.write(1);
    deleted_elsewhere(&server, "rows:1");
    until_fresh(&cache, &rows, 1, 1).await;
    says(&server, &[&limit[..], &["normal 0 0 0"]].concat());
    until_well(&cache).await;
    until_near(&server, &cache, &rows, 1).await;
}

/// The restarted server lacks an invalidation that it had acknowledged. No command has gone over
/// the cache's main connection since, so tracked reads alone would find the old entry.
#[tokio::test]
async fn invalidations_are_replayed_to_a_restored_server_before_the_near_cache_fills() {
    let mut server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    until_near(&server, &cache, &rows, 1).await;
    says(&server, &["SAVE"]);
    cache.scope(update(&rows, 1, 1)).await;
    server.kill();
    server.restart();
    let old: Vec<u8> = server.connect().get(key(&server, "rows:1")).unwrap();
    assert!(!old.is_empty(), "the restarted server has the old row");
    until("keys are tracked again", || {
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
async fn a_call_on_a_silent_server_waits_for_one_response_timeout() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder_behind(&proxy, &server).response_timeout(TIMEOUT);
    // The near cache is trusted for longer than the timeout, so a call notices the silence first.
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
    // The breaker is open from here on.
    let started = Instant::now();
    for id in 0..1_000 {
        cache.scope(row(&rows, 3 + id)).await;
    }
    assert!(started.elapsed() < TIMEOUT, "{:?}", started.elapsed());
}
