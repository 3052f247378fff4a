//! Servers that refuse every command, some commands, or one value.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheError, cacheable};
use redis::Commands;
use tests::{PATIENCE, RedisServer, sent_during};

#[cacheable(key = "doubled:<<id>>")]
async fn doubled(id: u32) -> u32 {
    id * 2
}

fn cache_at(url: String) -> Cache {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .response_timeout(PATIENCE)
        // Tests look at all commands.
        .publish_stats(false)
        .build()
        .unwrap()
}

fn admin(server: &RedisServer, command: &[&str]) {
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    request.query::<()>(&mut server.connect()).unwrap();
}

fn connections(server: &RedisServer) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("stats")
        .query(&mut server.connect())
        .unwrap();
    let count = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}

/// Call for a while. Return the number of connections that were made.
async fn connections_of_calls(server: &RedisServer, cache: &Cache) -> u64 {
    let before = connections(server);
    let started = Instant::now();
    let mut id = 0;
    while started.elapsed() < Duration::from_millis(1_500) {
        id += 1;
        assert_eq!(cache.scope(doubled(id)).await, id * 2);
        tokio::task::yield_now().await;
    }
    connections(server) - before
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_an_outage() {
    let server = RedisServer::start();
    let cache = cache_at(format!("{}/99", server.url()));
    let tried = connections_of_calls(&server, &cache).await;
    assert!(tried < 20, "{tried} connections");
    let error = cache.health_check().await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("index"), "{error}");
}

#[tokio::test]
async fn a_server_at_maxclients_is_an_outage() {
    let server = RedisServer::start();
    let mut existing = server.connect();
    let _: () = redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxclients")
        .arg(1)
        .query(&mut existing)
        .unwrap();
    let cache = cache_at(server.url());
    for id in 0..50 {
        assert_eq!(cache.scope(doubled(id)).await, id * 2);
    }
    let error = cache.health_check().await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_user_without_dangerous_commands_can_cache() {
    let server = RedisServer::start();
    admin(
        &server,
        &[
            "ACL",
            "SETUSER",
            "modest",
            "on",
            ">word",
            "~app*",
            "+@all",
            "-@dangerous",
        ],
    );
    let cache = cache_at(format!("redis://modest:word@127.0.0.1:{}", server.port()));
    assert_eq!(cache.scope(doubled(1)).await, 2);
    assert_eq!(cache.get::<u32>("doubled:1").await.unwrap(), Some(2));
    assert_eq!(cache.delete_pattern("doubled:*").await.unwrap(), 1);
}

/// The probe runs the same commands as calls, so the breaker doesn't close between calls that fail.
#[tokio::test]
async fn the_breaker_stays_open_for_a_user_who_may_not_run_scripts() {
    let server = RedisServer::start();
    admin(
        &server,
        &[
            "ACL",
            "SETUSER",
            "modest",
            "on",
            ">word",
            "~app*",
            "+@all",
            "-@scripting",
        ],
    );
    let cache = cache_at(format!("redis://modest:word@127.0.0.1:{}", server.port()));
    assert_eq!(cache.scope(doubled(1)).await, 2);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1_000) {
        assert!(cache.get::<u32>("doubled:1").await.is_err());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn strings_at_the_keys_of_index_sets_fail_no_operation() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let cache = cache_at(server.url());
    for round in 0..2 {
        for bucket in 0..16 {
            let _: () = redis.set(format!("app#index:{bucket}"), "theirs").unwrap();
        }
        if round == 1 {
            cache.set("doubled:1", &2, 60).await.unwrap();
        } else {
            assert_eq!(cache.scope(doubled(1)).await, 2);
            assert_eq!(cache.get::<u32>("doubled:1").await.unwrap(), Some(2));
        }
        for bucket in 0..16 {
            let _: () = redis.set(format!("app#index:{bucket}"), "theirs").unwrap();
        }
        assert!(cache.delete("doubled:1").await.unwrap());
        assert_eq!(cache.scope(doubled(1)).await, 2);
        for bucket in 0..16 {
            let _: () = redis.set(format!("app#index:{bucket}"), "theirs").unwrap();
        }
        assert_eq!(cache.delete_pattern("doubled:*").await.unwrap(), 1);
        assert!(cache.health_check().await.is_ok());
    }
    assert_eq!(cache.stats().errors, 0);
}

/// The invalidation may take two seconds, the read a quarter of a second. Both wait for one
/// connection.
#[tokio::test]
async fn a_read_concurrent_with_an_invalidation_waits_no_longer_than_alone() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let cache = Cache::builder()
        .redis(format!("redis://127.0.0.1:{port}"))
        .build()
        .unwrap();
    let started = Instant::now();
    let read = async {
        assert_eq!(cache.scope(doubled(1)).await, 2);
        started.elapsed()
    };
    let (_, took) = tokio::join!(cache.delete("doubled:1"), read);
    assert!(took < Duration::from_millis(1_200), "{took:?}");
}

#[tokio::test]
async fn a_redis_list_at_an_entrys_key_is_a_miss_and_not_an_outage() {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    let _: () = server.connect().rpush("app:doubled:1", "theirs").unwrap();
    assert!(!cache.exists("doubled:1").await.unwrap());
    assert_eq!(cache.ttl("doubled:1").await.unwrap(), None);
    assert_eq!(cache.get::<u32>("doubled:1").await.unwrap(), None);
    assert_eq!(cache.get_many::<u32>(["doubled:1"]).await.unwrap(), [None]);
    assert_eq!(cache.scope(doubled(1)).await, 2);
    assert_eq!(cache.get::<u32>("doubled:1").await.unwrap(), Some(2));
    assert_eq!(cache.stats().errors, 0);
}

const HUGE: usize = 20 << 20;

#[cacheable(key = "huge")]
async fn huge() -> String {
    "x".repeat(HUGE)
}

#[tokio::test]
async fn a_value_too_large_for_redis_is_not_an_outage() {
    let server = RedisServer::start_with(&["--proto-max-bulk-len", "18mb"]);
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(doubled(1)).await, 2);
    assert_eq!(cache.scope(huge()).await.len(), HUGE);
    assert_eq!((cache.stats().too_large, cache.stats().errors), (1, 0));
    cache.reset_stats();
    assert_eq!(cache.scope(doubled(1)).await, 2);
    assert_eq!(cache.stats().hits, 1, "other entries are still cached");
    let error = cache.set("huge", &"x".repeat(HUGE), 60).await.unwrap_err();
    assert!(error.to_string().contains("bytes"), "{error}");
    assert!(!server.connect().exists::<_, bool>("app:huge").unwrap());
    assert!(cache.health_check().await.is_ok());
}

#[tokio::test]
async fn a_hit_sends_one_get_and_a_miss_two_more_scripts() {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    // The first use of a prefix loads scripts and scans the keys.
    cache.scope(doubled(0)).await;
    cache.delete_pattern("doubled:*").await.unwrap();
    let miss = sent_during(&server, async {
        assert_eq!(cache.scope(doubled(1)).await, 2);
    });
    assert_eq!(miss.await, ["GET", "EVALSHA", "EVALSHA"]);
    let hit = sent_during(&server, async {
        assert_eq!(cache.scope(doubled(1)).await, 2);
    });
    assert_eq!(hit.await, ["GET"]);
}
