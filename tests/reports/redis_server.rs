//! Addresses, administrative commands and batches that cause trouble to Redis clients.

use std::time::Duration;

use cache_runtime::{Cache, CacheError};
use futures_util::future::join_all;
use redis::Connection;
use tests::{PATIENCE, RedisServer, until_well};

use crate::common::{Runs, on_redis, soon};

fn at(url: &str) -> Cache {
    let builder = Cache::builder().prefix("reports").redis(url);
    builder.response_timeout(PATIENCE).build().unwrap()
}

fn run(connection: &mut Connection, command: &str) {
    let mut words = command.split(' ');
    let mut request = redis::cmd(words.next().unwrap());
    request.arg(words.collect::<Vec<_>>());
    let _: redis::Value = request.query(connection).unwrap();
}

// The database in the URL is ignored, or forgotten after a reconnect.
#[tokio::test]
async fn the_database_of_the_url_is_used_on_every_connection() {
    let server = RedisServer::start();
    let caches = [0, 1, 15].map(|n| at(&format!("{}/{n}", server.url())));
    for (n, cache) in caches.iter().enumerate() {
        cache.set("a", &n, 60).await.unwrap();
    }
    run(&mut server.connect(), "CLIENT KILL TYPE normal");
    for (n, cache) in caches.iter().enumerate() {
        until_well(cache).await;
        assert_eq!(cache.get::<usize>("a").await.unwrap(), Some(n));
    }
    assert_eq!(caches[1].clear().await.unwrap(), 1);
    assert!(caches[0].exists("a").await.unwrap() && caches[2].exists("a").await.unwrap());
    run(&mut server.connect(), "FLUSHDB");
    assert!(!caches[0].exists("a").await.unwrap() && caches[2].exists("a").await.unwrap());
}

// A URL that is almost valid (no number, spaces, another scheme) panics, or connects elsewhere.
#[test]
fn malformed_urls_are_refused_when_the_cache_is_built() {
    let mut taken = Vec::new();
    for url in [
        "redis://127.0.0.1:6379?db=3",
        "redis://127.0.0.1:6379/0?protcol=resp3",
        "redis://127.0.0.1:6379/0?ssl=true",
        "redis://127.0.0.1:6379/0?protocol=resp9",
        "unix:///tmp/redis.sock?db=-1",
        "unix:///tmp/redis.sock?database=1",
        "redis://127.0.0.1:6379/2147483648",
        "redis://127.0.0.1:6379/abc",
        "redis://127.0.0.1:6379/-1",
        "redis://127.0.0.1:6379/99999999999999999999",
        "redis://127.0.0.1:port",
        "redis://127.0.0.1:99999",
        "redis://",
        "redis:///",
        "127.0.0.1:6379",
        "tcp://127.0.0.1:6379",
        "redis://[::1",
        " ",
    ] {
        let built = Cache::builder().redis(url).build();
        if !matches!(built, Err(CacheError::InvalidUrl { .. })) {
            taken.push(url);
        }
    }
    assert!(taken.is_empty(), "{taken:?}");
}

// A password with special characters of URLs is sent encoded, or is parsed as part of the host.
#[tokio::test]
async fn a_percent_encoded_password_is_decoded() {
    let password = "p@ss:w/o#r?d%20";
    let server = RedisServer::start_with(&["--requirepass", password]);
    let encoded = "p%40ss%3Aw%2Fo%23r%3Fd%2520";
    let cache = at(&format!("redis://:{encoded}@127.0.0.1:{}/0", server.port()));
    cache.set("a", &1, 60).await.unwrap();
    assert_eq!(cache.get::<i32>("a").await.unwrap(), Some(1));
}

// Of a host name that resolves to two addresses, only the first is tried, where no server listens.
#[tokio::test]
async fn a_host_with_several_addresses_is_reached_at_the_one_that_listens() {
    let server = RedisServer::start();
    let cache = at(&format!("redis://localhost:{}", server.port()));
    cache.set("a", &1, 60).await.unwrap();
    assert_eq!(cache.get::<i32>("a").await.unwrap(), Some(1));
}

// The path of a socket is refused, or its database is ignored.
#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_with_a_database_is_accepted() {
    let socket = std::env::temp_dir().join(format!("cache-reports-{}.sock", std::process::id()));
    let path = socket.to_str().unwrap();
    let _server = RedisServer::start_with(&["--unixsocket", path]);
    for scheme in ["unix", "redis+unix"] {
        let [zero, three] =
            ["", "?db=3"].map(|database| at(&format!("{scheme}://{path}{database}")));
        let runs = Runs::default();
        for cache in [&zero, &three] {
            cache.clear().await.unwrap();
            for _ in 0..2 {
                cache.get_or_set("a", 60, || async { runs.next() }).await;
            }
        }
        assert_eq!(runs.count(), 2, "{scheme}: one each");
    }
    let _ = std::fs::remove_file(socket);
}

// An administrator flushes the data or the scripts or kills connections during calls, and callers
// see errors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrative_commands_during_calls_fail_no_call() {
    let server = RedisServer::start();
    let cache = on_redis(&server);
    let call = |task: u32| {
        let cache = cache.clone();
        tokio::spawn(async move {
            for n in 0..150 {
                let key = format!("admin:{}", (n + task) % 20);
                assert_eq!(
                    cache.get_or_set(&key, 60, || async { key.clone() }).await,
                    key
                );
                tokio::task::yield_now().await;
            }
        })
    };
    let calls: Vec<_> = (0..8).map(call).collect();
    let mut admin = server.connect();
    for command in [
        "FLUSHALL",
        "SCRIPT FLUSH",
        "FLUSHALL ASYNC",
        "CONFIG RESETSTAT",
        "SCRIPT FLUSH ASYNC",
    ] {
        run(&mut admin, command);
        // Real time, in which calls meet the effect of the command.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    run(&mut admin, "CLIENT KILL TYPE normal");
    for call in calls {
        soon(call).await.unwrap();
    }
    until_well(&cache).await;
    cache.set("after", &1, 60).await.unwrap();
    assert_eq!(cache.delete_pattern("aft*").await.unwrap(), 1);
}

fn calls_of(command: &str, connection: &mut Connection) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(connection)
        .unwrap();
    let start = format!("cmdstat_{command}:calls=");
    let calls = stats
        .lines()
        .find_map(|line| line.strip_prefix(start.as_str()));
    calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

// A batch of many keys is one command, whose reply arrives so late that it counts as an outage.
#[tokio::test]
async fn a_large_batch_is_sent_in_parts() {
    let server = RedisServer::start();
    let cache = on_redis(&server);
    let entries: Vec<(String, String)> = (0..2_001)
        .map(|n| (format!("batch:{n}"), n.to_string()))
        .collect();
    cache.set_many(&entries, 60).await.unwrap();
    let keys = entries.iter().map(|(key, _)| key);
    let found = cache.get_many::<String>(keys).await.unwrap();
    let expected = entries.iter().map(|(_, value)| Some(value.clone()));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert!(calls_of("mget", &mut server.connect()) >= 5);
    assert_eq!(cache.delete_pattern("batch:*").await.unwrap(), 2_001);
    cache.set_many(&entries, 60).await.unwrap();
    // A TTL of zero removes the entries.
    cache.set_many(&entries, 0).await.unwrap();
    assert_eq!(cache.clear().await.unwrap(), 0);
    assert_eq!(cache.stats().errors, 0);
}

// A caller cancelled during a command leaves its reply to the next caller.
#[tokio::test]
async fn the_reply_of_a_cancelled_call_goes_to_no_other_call() {
    let server = RedisServer::start();
    let cache = on_redis(&server);
    for n in 0..50 {
        cache.set(&format!("cancelled:{n}"), &n, 60).await.unwrap();
    }
    for round in 0..60_u64 {
        let cancelled = (0..10).map(|n| {
            let (cache, key) = (cache.clone(), format!("cancelled:{n}"));
            async move {
                let patience = Duration::from_micros(round * 7 % 300);
                let _ = tokio::time::timeout(patience, cache.get::<i32>(&key)).await;
            }
        });
        join_all(cancelled).await;
        let n = (round % 50) as i32;
        let found = cache.get::<i32>(&format!("cancelled:{n}")).await.unwrap();
        assert_eq!(found, Some(n));
    }
}

// A key that an administrator deleted, overwrote or expired fails calls, or is never stored again.
#[tokio::test]
async fn a_key_changed_by_an_administrator_is_recomputed() {
    let server = RedisServer::start();
    let cache = on_redis(&server);
    let runs = Runs::default();
    let call = || cache.get_or_set("by-hand", 60, || async { runs.next() });
    assert_eq!((call().await, call().await), (1, 1));
    run(&mut server.connect(), "DEL reports:by-hand");
    assert_eq!((call().await, call().await), (2, 2));
    run(&mut server.connect(), "SET reports:by-hand {}");
    assert_eq!((call().await, call().await), (3, 3));
    run(&mut server.connect(), "EXPIRE reports:by-hand 0");
    assert_eq!((call().await, call().await), (4, 4));
}

// A server that is down when the program starts is never tried again, or prevents the start.
#[tokio::test]
async fn a_server_that_starts_after_the_program_is_used() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    let runs = Runs::default();
    let call = || cache.get_or_set("late", 60, || async { runs.next() });
    assert_eq!((call().await, call().await), (1, 2));
    server.restart();
    let cached = async {
        until_well(&cache).await;
        let first = call().await;
        assert_eq!(call().await, first);
    };
    soon(cached).await;
}

// A name that can't be resolved blocks a thread for as long as the resolver takes.
#[tokio::test]
async fn a_host_that_cannot_be_resolved_costs_one_timeout() {
    let cache = Cache::builder()
        .redis("redis://no-such-host.invalid:6379")
        .build()
        .unwrap();
    let begun = std::time::Instant::now();
    for n in 0..20 {
        assert_eq!(cache.get_or_set("unresolved", 60, || async { n }).await, n);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(cache.health_check().await.is_err());
}

// The protocol version in the URL changes replies into a form that the client doesn't expect.
#[tokio::test]
async fn urls_may_request_either_protocol_version() {
    let server = RedisServer::start();
    for protocol in ["resp2", "resp3"] {
        for near in [0, 1 << 20] {
            let url = format!("{}/0?protocol={protocol}", server.url());
            let builder = Cache::builder()
                .prefix("reports")
                .redis(url)
                .near_cache(near);
            let cache = builder.response_timeout(PATIENCE).build().unwrap();
            let runs = Runs::default();
            for _ in 0..3 {
                let value = cache.get_or_set("a", 60, || async { runs.next() }).await;
                assert_eq!(value, 1, "{protocol}");
            }
            cache.set_many([("b", 1), ("c", 2)], 60).await.unwrap();
            let found = cache.get_many::<i32>(["b", "x", "c"]).await.unwrap();
            assert_eq!(found, [Some(1), None, Some(2)]);
            assert!(cache.ttl("b").await.unwrap().is_some());
            assert_eq!(cache.delete_pattern("[abc]").await.unwrap(), 3);
        }
    }
}

// A near cache smaller than its entries overflows, or is emptied at each read.
#[tokio::test]
async fn a_near_cache_of_one_byte_stores_nothing() {
    let server = RedisServer::start();
    let builder = Cache::builder()
        .prefix("reports")
        .redis(server.url())
        .near_cache(1);
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    let runs = Runs::default();
    for _ in 0..3 {
        let value = cache.get_or_set("a", 60, || async { runs.next() }).await;
        assert_eq!(value, 1);
    }
    assert!(cache.delete("a").await.unwrap());
    assert_eq!(cache.get_or_set("a", 60, || async { runs.next() }).await, 2);
}

// A full server evicts single keys, and the cache's bookkeeping with them.
#[tokio::test]
async fn calls_succeed_on_a_server_that_evicts() {
    let server =
        RedisServer::start_with(&["--maxmemory", "2mb", "--maxmemory-policy", "allkeys-lru"]);
    let cache = on_redis(&server);
    for n in 0..200 {
        let text = "x".repeat(20_000);
        let key = format!("evicted:{n}");
        assert_eq!(
            cache
                .get_or_set(&key, 60, || async { text.clone() })
                .await
                .len(),
            20_000
        );
    }
    cache.delete_pattern("evicted:*").await.unwrap();
    let keys = (0..200).map(|n| format!("evicted:{n}"));
    let found = cache.get_many::<String>(keys).await.unwrap();
    assert!(
        found.iter().all(Option::is_none),
        "nothing outlives its invalidation"
    );
}
