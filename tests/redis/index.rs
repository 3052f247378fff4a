//! The index: lost, partial or swept, and its cost.

use std::time::Duration;

use cache_runtime::Cache;
use redis::{Commands, Connection};
use tests::{RedisServer, until};

const TTL: Duration = Duration::from_secs(600);

fn cache_on(server: &RedisServer) -> Cache {
    Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

fn sets(redis: &mut Connection) -> Vec<String> {
    redis::cmd("KEYS").arg("app#index:*").query(redis).unwrap()
}

/// Return the number of members that are keys.
fn members(redis: &mut Connection) -> u64 {
    let sets = sets(redis);
    sets.iter()
        .map(|set| redis.zlexcount::<_, _, _, u64>(set, "[\u{1}", "+").unwrap())
        .sum()
}

fn calls(redis: &mut Connection, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next()?.parse().ok());
    count.unwrap_or(0)
}

/// Wait until the first scan of the prefix has ended, so that a later scan is a new one.
async fn settled(cache: &Cache) {
    cache.set("settle:1", &1, TTL).await.unwrap();
    cache.delete_pattern("settle:*").await.unwrap();
}

#[tokio::test]
async fn a_pattern_on_an_intact_index_scans_no_keys() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    settled(&cache).await;
    let entries: Vec<(String, u32)> = (0..5_000)
        .map(|id| (format!("posts:{}:{id}", id % 50), id))
        .collect();
    cache.set_many(&entries, TTL).await.unwrap();
    let scans = calls(&mut redis, "scan");
    assert_eq!(cache.delete_pattern("posts:7:*").await.unwrap(), 100);
    assert_eq!(cache.delete_pattern("posts:*:4?").await.unwrap(), 10);
    assert_eq!(cache.delete_pattern("*:8:*").await.unwrap(), 100);
    assert_eq!(cache.delete_pattern("posts:[3-4]:*").await.unwrap(), 200);
    assert_eq!(calls(&mut redis, "scan"), scans);
    assert_eq!(members(&mut redis), 4_590);
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_by_one_scan() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    settled(&cache).await;
    for lost in ["all", "one", "recreated"] {
        cache.set("posts:1", &1, TTL).await.unwrap();
        cache.set("users:1", &1, TTL).await.unwrap();
        let sets = sets(&mut redis);
        match lost {
            "one" => {
                let with_posts = sets.iter().find(|set| {
                    redis
                        .zscore::<_, _, Option<f64>>(*set, "posts:1")
                        .unwrap()
                        .is_some()
                });
                let _: () = redis.del(with_posts.unwrap()).unwrap();
            }
            _ => {
                let _: () = redis.del(&sets).unwrap();
            }
        }
        if lost == "recreated" {
            cache.set("posts:2", &1, TTL).await.unwrap();
        }
        assert!(
            cache.delete_pattern("posts:*").await.unwrap() >= 1,
            "{lost}"
        );
        assert!(!redis.exists::<_, bool>("app:posts:1").unwrap(), "{lost}");
        assert!(redis.exists::<_, bool>("app:users:1").unwrap(), "{lost}");
        let scans = calls(&mut redis, "scan");
        assert_eq!(cache.delete_pattern("users:*").await.unwrap(), 1, "{lost}");
        assert_eq!(
            calls(&mut redis, "scan"),
            scans,
            "{lost}: rebuilt by one scan"
        );
    }
}

#[tokio::test]
async fn keys_that_an_older_release_wrote_without_an_index_are_found() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    for id in 0..50 {
        let _: () = redis
            .set(format!("app:posts:{id}"), "an older release's bytes")
            .unwrap();
    }
    let cache = cache_on(&server);
    assert_eq!(cache.delete_pattern("posts:1*").await.unwrap(), 11);
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 39);
}

#[tokio::test]
async fn entries_written_after_a_flush_are_deleted_by_patterns() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    settled(&cache).await;
    cache.set("posts:1", &1, TTL).await.unwrap();
    let _: () = redis::cmd("FLUSHALL").query(&mut redis).unwrap();
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 0);
    cache.set("posts:2", &1, TTL).await.unwrap();
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 1);
}

#[tokio::test]
async fn patterns_delete_all_matches_though_the_server_evicts_the_index() {
    // By age, as in production; and at random, so that index sets are evicted for certain.
    for policy in ["allkeys-lru", "allkeys-random"] {
        an_evicting_server_loses_nothing(policy).await;
    }
}

async fn an_evicting_server_loses_nothing(policy: &str) {
    let server = RedisServer::start_with(&["--maxmemory", "6mb", "--maxmemory-policy", policy]);
    let (cache, mut redis) = (cache_on(&server), server.connect());
    let text = "x".repeat(4_000);
    for round in 0..12 {
        let entries: Vec<(String, &String)> = (0..300)
            .map(|id| (format!("posts:{round}:{id}"), &text))
            .collect();
        for (key, value) in &entries {
            cache.set(key, *value, TTL).await.unwrap();
        }
        cache
            .delete_pattern(&format!("posts:{round}:1*"))
            .await
            .unwrap();
        let left: Vec<String> = redis::cmd("KEYS")
            .arg(format!("app:posts:{round}:1*"))
            .query(&mut redis)
            .unwrap();
        assert_eq!(left, Vec::<String>::new());
    }
    let evicted: String = redis::cmd("INFO").arg("stats").query(&mut redis).unwrap();
    assert!(
        !evicted.contains("evicted_keys:0\r"),
        "the server did evict"
    );
}

#[tokio::test]
async fn many_first_segments_share_sixteen_index_sets() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    let entries: Vec<(String, u32)> = (0..2_000)
        .map(|id| (format!("user-{id}:cart"), id))
        .collect();
    cache.set_many(&entries, TTL).await.unwrap();
    assert!(sets(&mut redis).len() <= 16);
    assert_eq!(cache.delete_pattern("user-17:*").await.unwrap(), 1);
    assert_eq!(cache.delete_pattern("user-1?:*").await.unwrap(), 9);
}

#[tokio::test]
async fn the_first_use_of_a_prefix_scans_once_for_all_segments() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let mut fill = redis::pipe();
    for id in 0..20_000 {
        fill.cmd("SET").arg(format!("other:{id}")).arg(1).ignore();
    }
    fill.query::<()>(&mut redis).unwrap();
    let cache = cache_on(&server);
    for segment in ["posts", "users", "likes", "lists", "carts"] {
        cache.set(&format!("{segment}:1"), &1, TTL).await.unwrap();
        assert_eq!(
            cache.delete_pattern(&format!("{segment}:*")).await.unwrap(),
            1
        );
    }
    let steps = calls(&mut redis, "scan");
    assert!((20..=40).contains(&steps), "{steps} steps of 1,000 keys");
}

#[tokio::test]
async fn expired_entries_are_removed_from_the_index() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    settled(&cache).await;
    for round in 0..40 {
        let entries: Vec<(String, u32)> = (0..500)
            .map(|id| (format!("short:{round}:{id}"), id))
            .collect();
        cache
            .set_many(&entries, Duration::from_millis(20))
            .await
            .unwrap();
    }
    // The sweeper removes the rest. It runs again as long as it finds expired members.
    until("few members are left", || {
        let live: Vec<String> = redis::cmd("KEYS")
            .arg("app:short:*")
            .query(&mut redis)
            .unwrap();
        let few = members(&mut redis) <= 2 * live.len() as u64 + 16 * 30;
        async move { few }
    })
    .await;
}
