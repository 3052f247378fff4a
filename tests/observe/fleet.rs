//! The counters of all processes on one Redis.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use cache_runtime::observe::Snapshot;
use cache_runtime::{Cache, CacheBuilder, cacheable};
use redis::{Commands, Connection};
use tests::{
    Fault, PATIENCE, Proxy, RedisCluster, RedisServer, documented_users, refused_to, run_words,
    until,
};

const DOCS: &str = include_str!("../../docs/operations/redis.md");

#[cacheable(key = "fleet:<<id>>", ttl = 600)]
async fn row(id: u32) -> u32 {
    id
}

fn builder(prefix: &str, url: &str) -> CacheBuilder {
    let builder = Cache::builder().prefix(prefix).redis(url);
    builder.response_timeout(PATIENCE)
}

async fn calls(cache: &Cache, count: u32) {
    cache
        .scope(async {
            for id in 0..count {
                row(id).await;
            }
        })
        .await;
}

/// Wait until this cache sees snapshots with this number of calls in all.
async fn until_calls(cache: &Cache, expected: u64) -> Vec<Snapshot> {
    let fleet = RefCell::new(Vec::new());
    until("all calls are in the fleet's sums", || {
        let fleet = &fleet;
        async move {
            let seen = cache.fleet().await.unwrap();
            let calls: u64 = seen.iter().map(|one| one.total().calls()).sum();
            fleet.replace(seen);
            calls == expected
        }
    })
    .await;
    fleet.into_inner()
}

fn command_calls(redis: &mut Connection) -> BTreeMap<String, u64> {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let call = |line: &str| {
        let (name, stats) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), stats.split(',').next()?.parse().ok()?))
    };
    stats.lines().filter_map(call).collect()
}

/// Return a cache whose two calls are in the fleet's sums, and another one that only looks.
async fn published(server: &RedisServer) -> (Cache, Cache) {
    let cache = builder("app", &server.url()).build().unwrap();
    let tool = builder("app", &server.url()).publish_stats(false);
    let tool = tool.build().unwrap();
    calls(&cache, 2).await;
    until_calls(&tool, 2).await;
    (cache, tool)
}

#[tokio::test]
async fn the_sums_are_the_calls_that_were_made() {
    let server = RedisServer::start();
    let caches: Vec<Cache> = (0..3)
        .map(|_| builder("app", &server.url()).build().unwrap())
        .collect();
    for (cache, count) in caches.iter().zip([3, 5, 7]) {
        calls(cache, count).await;
    }
    for cache in &caches {
        let fleet = until_calls(cache, 15).await;
        assert_eq!(fleet.len(), 3);
        let sums = Snapshot::sums(&fleet);
        let of_row = sums
            .iter()
            .find(|sum| sum.function == "observe::fleet::row");
        let of_row = of_row.unwrap();
        assert_eq!((of_row.calls(), of_row.misses, of_row.hits), (15, 7, 8));
        assert_eq!(of_row.compute.count(), 7);
        let mut instances: Vec<&str> = fleet.iter().map(|one| &*one.instance).collect();
        instances.sort_unstable();
        instances.dedup();
        assert_eq!(instances.len(), 3);
        for one in &fleet {
            assert_eq!(one.pid, std::process::id());
            assert_eq!(one.store, "redis");
            assert!(one.started <= one.taken && one.started > 0);
        }
    }
    let stranger = builder("app-2", &server.url()).publish_stats(false);
    let stranger = stranger.build().unwrap();
    assert_eq!(stranger.fleet().await.unwrap(), []);
}

#[tokio::test]
async fn snapshots_expire_and_are_found_without_a_walk() {
    let server = RedisServer::start();
    let (cache, tool) = published(&server).await;
    let mut redis = server.connect();
    let instance = cache.snapshot().instance;
    let left: i64 = redis.pttl(format!("app#app:{instance}")).unwrap();
    assert!((1..=15_000).contains(&left), "{left}");
    let names: Vec<String> = redis.zrange("app#apps", 0, -1).unwrap();
    assert_eq!(names, [instance.as_str()], "the tool isn't there");
    let left: i64 = redis.pttl("app#apps").unwrap();
    assert!((1..=3_600_000).contains(&left), "{left}");
    let before = command_calls(&mut redis);
    for _ in 0..10 {
        assert_eq!(tool.fleet().await.unwrap().len(), 1);
    }
    let after = command_calls(&mut redis);
    for walk in ["scan", "keys"] {
        assert_eq!(before.get(walk), after.get(walk), "{walk}");
    }
    assert!(!after.contains_key("keys"));
}

#[tokio::test]
async fn an_idle_process_sends_one_set_every_five_seconds() {
    let server = RedisServer::start();
    let cache = builder("app", &server.url()).build().unwrap();
    calls(&cache, 1).await;
    let mut redis = server.connect();
    let key = format!("app#app:{}", cache.snapshot().instance);
    // The commands of the call itself, and of the registration.
    until("the first snapshot is there", || {
        let there: bool = redis.exists(&key).unwrap();
        async move { there }
    })
    .await;
    let begun = std::time::Instant::now();
    let sets = |calls: &BTreeMap<String, u64>| calls.get("set").copied().unwrap_or(0);
    let written = |redis: &mut Connection| sets(&command_calls(redis));
    let first = written(&mut redis);
    until("the second snapshot is there", || {
        let now = written(&mut redis);
        async move { now > first }
    })
    .await;
    let before = command_calls(&mut redis);
    until("the third snapshot is there", || {
        let now = written(&mut redis);
        async move { now > first + 1 }
    })
    .await;
    assert!(begun.elapsed() > Duration::from_secs(8));
    let after = command_calls(&mut redis);
    // This test asks, and the sweeper of the index checks its sets once in a while.
    let background = [
        "info",
        "evalsha",
        "zscore",
        "zrandmember",
        "exists",
        "zremrangebylex",
        // Shapes of types that other tests of this process store.
        "zadd",
        "pexpire",
    ];
    for (name, calls) in &after {
        let grown = calls - before.get(name).unwrap_or(&0);
        match name.as_str() {
            "set" => assert_eq!(grown, 1),
            name if background.contains(&name) => {}
            name => assert_eq!(grown, 0, "{name}"),
        }
    }
}

#[tokio::test]
async fn a_process_is_in_the_fleet_again_after_its_snapshot_was_lost() {
    let server = RedisServer::start();
    let (_cache, tool) = published(&server).await;
    let _: () = redis::cmd("FLUSHALL").query(&mut server.connect()).unwrap();
    assert_eq!(tool.fleet().await.unwrap(), []);
    until_calls(&tool, 2).await;
}

#[tokio::test]
async fn names_of_dead_processes_are_dropped_by_readers_and_by_publishers() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let dead = [(0, "dead-1"), (0, "dead-2")];
    let names =
        |redis: &mut Connection| -> Vec<String> { redis.zrange("app#apps", 0, -1).unwrap() };
    redis
        .zadd_multiple::<_, _, _, ()>("app#apps", &dead)
        .unwrap();
    let tool = builder("app", &server.url()).publish_stats(false);
    let tool = tool.build().unwrap();
    assert_eq!(tool.fleet().await.unwrap(), []);
    assert_eq!(names(&mut redis), [""; 0]);
    redis
        .zadd_multiple::<_, _, _, ()>("app#apps", &dead)
        .unwrap();
    let cache = builder("app", &server.url()).build().unwrap();
    calls(&cache, 1).await;
    let own = cache.snapshot().instance;
    until("only the living one is named", || {
        let names = names(&mut redis);
        let own = own.clone();
        async move { names == [own] }
    })
    .await;
}

#[tokio::test]
async fn publishing_ends_with_the_cache() {
    let server = RedisServer::start();
    let (cache, tool) = published(&server).await;
    drop(cache);
    until_calls(&tool, 0).await;
}

#[tokio::test]
async fn publishing_opens_no_breaker_and_goes_on_after_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder("app", &proxy.url()).build().unwrap();
    let tool = builder("app", &server.url()).publish_stats(false);
    let tool = tool.build().unwrap();
    // Reads that store nothing, so that no sweeper of the index asks the server.
    for _ in 0..2 {
        assert_eq!(cache.get::<u32>("absent").await.unwrap(), None);
    }
    until_calls(&tool, 2).await;
    proxy.set(Fault::Refuse);
    // Its snapshot expires: at least two more couldn't be sent.
    until_calls(&tool, 0).await;
    assert!(cache.is_available(), "no call was made");
    assert_eq!(cache.snapshot().total().store_errors, 0);
    proxy.set(Fault::None);
    until_calls(&tool, 2).await;
}

#[tokio::test]
async fn the_documented_rights_are_enough() {
    let server = RedisServer::start();
    let user = documented_users(DOCS, "modest").swap_remove(0);
    run_words(&user, &mut server.connect());
    let url = format!("redis://modest:secret@127.0.0.1:{}", server.port());
    let caches = [&url, &url].map(|url| builder("modest", url).build().unwrap());
    for cache in &caches {
        calls(cache, 2).await;
    }
    for cache in &caches {
        until_calls(cache, 4).await;
    }
    until("the shapes are published", || {
        let there: bool = server.connect().exists("modest#shapes").unwrap();
        async move { there }
    })
    .await;
    assert_eq!(refused_to("modest", &server), [""; 0]);
}

#[tokio::test]
async fn processes_on_a_cluster_see_each_other() {
    let cluster = RedisCluster::start();
    let caches: Vec<Cache> = (0..4)
        .map(|_| {
            let builder = Cache::builder().prefix("app").redis_cluster(cluster.urls());
            builder.response_timeout(PATIENCE).build().unwrap()
        })
        .collect();
    for cache in &caches {
        calls(cache, 3).await;
    }
    for cache in &caches {
        assert_eq!(until_calls(cache, 12).await.len(), 4);
    }
}
