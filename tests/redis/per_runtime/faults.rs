//! Reads over a runtime's connection after the server failed or was replaced.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use redis::Commands;
use tests::{Fault, Proxy, RedisServer, until, until_well};

use super::{Row, builder, connections, only_the_new_row_returns, read, until_local, update};

#[tokio::test(flavor = "multi_thread")]
async fn invalidations_are_replayed_to_a_restored_server_before_any_read() {
    let mut server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    for _ in 0..3 {
        until_local(&server, &cache, &row).await;
        let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
        cache.scope(update(&row, 1)).await;
        server.kill();
        server.restart();
        only_the_new_row_returns(&cache, &row).await;
    }
    until_local(&server, &cache, &row).await;
}

/// Many concurrent readers on two runtimes, while the server restarts with older data.
#[test]
fn no_read_on_any_runtime_returns_a_value_of_an_old_snapshot() {
    let mut server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    let several = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    };
    let runtimes = [several(), several()];
    for runtime in &runtimes {
        runtime.block_on(async {
            for _ in 0..50 {
                cache.scope(read(&row, 1)).await;
            }
        });
    }
    runtimes[0].block_on(until("both runtimes have a connection", || async {
        cache.scope(read(&row, 1)).await;
        connections(&server) == 3
    }));
    let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
    let version = runtimes[0].block_on(cache.scope(update(&row, 1)));
    let readers: Vec<_> = (0..16)
        .map(|at: usize| {
            let (cache, row) = (cache.clone(), row.clone());
            runtimes[at % 2].spawn(async move {
                let (mut reads, mut well) = (0_u32, 0);
                while reads < 500 || well == 0 {
                    assert_eq!(cache.scope(read(&row, 1)).await, version);
                    reads += 1;
                    if reads > 400 {
                        well += u32::from(cache.health_check().await.is_ok());
                    }
                }
            })
        })
        .collect();
    server.kill();
    server.restart();
    for reader in readers {
        runtimes[0].block_on(reader).unwrap();
    }
}

/// The main connection stays open, and new connections reach another server with other entries.
#[tokio::test]
async fn reads_do_not_use_a_runtimes_connection_to_another_server() {
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let proxy = Proxy::before(server.port());
    let (cache, row) = (builder(proxy.url()).build().unwrap(), Row::default());
    assert_eq!(cache.scope(read(&row, 1)).await, 0);
    let elsewhere = builder(other.url()).build().unwrap();
    row.0.store(7, Ordering::SeqCst);
    assert_eq!(elsewhere.scope(read(&row, 1)).await, 7);
    proxy.lead_to(other.port());
    let came = || {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query(&mut other.connect())
            .unwrap();
        let asked = info.lines().find(|line| line.starts_with("cmdstat_info:"));
        asked.map(|line| line.split(',').next().unwrap().to_owned())
    };
    let before = came();
    until(
        "a connection was tried, and the server was identified",
        || async {
            assert_eq!(
                cache.scope(read(&row, 1)).await,
                0,
                "the first server's value"
            );
            // Each check is an `INFO` too.
            came() != before && connections(&other) == 1
        },
    )
    .await;
    for _ in 0..200 {
        assert_eq!(cache.scope(read(&row, 1)).await, 0);
    }
    assert_eq!(cache.stats().errors, 0);
}

/// Only this runtime's connection is lost. Its read is repeated over the main connection.
#[tokio::test]
async fn a_killed_connection_of_a_runtime_is_not_an_outage() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    for _ in 0..3 {
        until_local(&server, &cache, &row).await;
        let clients: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query(&mut server.connect())
            .unwrap();
        let local = clients.lines().find(|line| line.contains(" cmd=get "));
        let id = local.unwrap().split([' ', '=']).nth(1).unwrap();
        let mut kill = redis::cmd("CLIENT");
        let _: u32 = kill
            .arg("KILL")
            .arg("ID")
            .arg(id)
            .query(&mut server.connect())
            .unwrap();
        for _ in 0..5 {
            assert_eq!(cache.scope(read(&row, 1)).await, 0);
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.misses), (0, 1));
}

#[tokio::test]
async fn a_silent_server_costs_one_timeout_and_is_used_again() {
    let server = RedisServer::start();
    let limit = Duration::from_secs(1);
    let cache = builder(server.url())
        .response_timeout(limit)
        .build()
        .unwrap();
    let row = Row::default();
    until_local(&server, &cache, &row).await;
    server.signal("STOP");
    let started = Instant::now();
    for _ in 0..10 {
        assert_eq!(cache.scope(read(&row, 1)).await, 0);
    }
    let took = started.elapsed();
    assert!(took >= limit && took < 2 * limit, "{took:?}");
    assert!(cache.stats().errors > 0, "the silence is an outage");
    server.signal("CONT");
    until_well(&cache).await;
    until_local(&server, &cache, &row).await;
}

/// The reply is slower than a read waits before it repeats itself, and faster than the timeout.
/// Either reply is used.
#[tokio::test]
async fn a_slow_server_is_not_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let limit = Duration::from_secs(4);
    let cache = builder(proxy.url())
        .response_timeout(limit)
        .build()
        .unwrap();
    let row = Row::default();
    until_local(&server, &cache, &row).await;
    proxy.set(Fault::Delay(limit / 4));
    assert_eq!(cache.scope(read(&row, 1)).await, 0);
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.misses), (0, 1));
}

/// A value of another Redis type is not an entry, and not a failure of the connection.
#[tokio::test]
async fn a_redis_list_at_an_entrys_key_is_a_miss() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    until_local(&server, &cache, &row).await;
    let _: () = server.connect().lpush("app:rows:2", 1).unwrap();
    assert_eq!(cache.scope(read(&row, 2)).await, 0);
    row.0.store(3, Ordering::SeqCst);
    assert_eq!(
        cache.scope(read(&row, 2)).await,
        0,
        "the list was overwritten"
    );
    assert_eq!(cache.stats().errors, 0);
}
