//! Members of the index: unusual keys, marks, and few that have expired.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::Cache;
use redis::{Commands, Connection};
use tests::{PATIENCE, RedisServer};

const TTL: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(20);
const FILLS: u32 = 50_000;

fn cache_on(server: &RedisServer) -> Cache {
    Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap()
}

fn members(redis: &mut Connection) -> Vec<Vec<u8>> {
    let sets: Vec<String> = redis::cmd("KEYS").arg("app#index:*").query(redis).unwrap();
    sets.iter()
        .flat_map(|set| redis.zrange::<_, Vec<Vec<u8>>>(set, 0, -1).unwrap())
        .collect()
}

/// Assert that there are at most twice as many members as live keys, and some more in each set.
fn assert_few_expired_members(redis: &mut Connection) {
    let members = members(redis).len();
    let live: Vec<String> = redis::cmd("KEYS").arg("app:*").query(redis).unwrap();
    assert!(
        members <= 2 * live.len() + 16 * 64,
        "{members} members, {} live",
        live.len()
    );
}

#[tokio::test]
async fn batches_of_short_lived_entries_leave_few_expired_members() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    for part in 0..FILLS / 1_000 {
        let entries: Vec<(String, u32)> = (0..1_000)
            .map(|id| (format!("short:{part}:{id}"), id))
            .collect();
        cache.set_many(&entries, SHORT).await.unwrap();
    }
    assert_few_expired_members(&mut server.connect());
}

#[tokio::test]
async fn short_lived_misses_leave_few_expired_members() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let cache = cache.clone();
            tokio::spawn(async move {
                for id in 0..FILLS / 50 {
                    let key = format!("short:{task}:{id}");
                    cache.get_or_set(&key, SHORT, || async { id }).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_few_expired_members(&mut server.connect());
}

#[tokio::test]
async fn patterns_delete_the_same_unusual_keys_on_both_stores() {
    let server = RedisServer::start();
    let (on_redis, on_memory) = (cache_on(&server), Cache::builder().build().unwrap());
    let keys = [
        "",
        ":",
        ":x",
        "#",
        "#v",
        "a",
        "a#",
        "a#v",
        "a:",
        "a::",
        "é:1",
        "\u{ff}",
        "\0",
        "\0whole",
        "\0\0",
        "\0building:1",
        "\u{10ffff}:z",
        "*",
        "[",
        "\\",
    ];
    for pattern in [
        "",
        "*",
        ":*",
        ":?",
        "?*",
        "a:*",
        "a*",
        "\0*",
        "\0whole",
        "\0w*",
        "\0\0",
        "é:*",
        "[^a]*",
        "\u{ff}*",
        "\\*",
        "\u{10ffff}:*",
    ] {
        for cache in [&on_redis, &on_memory] {
            cache.set_many(keys.map(|key| (key, 1)), TTL).await.unwrap();
        }
        assert_eq!(
            on_redis.delete_pattern(pattern).await.unwrap(),
            on_memory.delete_pattern(pattern).await.unwrap(),
            "pattern {pattern:?}"
        );
        for key in keys {
            assert_eq!(
                on_redis.exists(key).await.unwrap(),
                on_memory.exists(key).await.unwrap(),
                "key {key:?} after {pattern:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_that_looks_like_the_mark_of_a_complete_index_is_not_taken_for_it() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    // Some of these segments share a set with the key that looks like the mark.
    for id in 0..64 {
        let prefix = format!("app{id}");
        let _: () = redis
            .set(format!("{prefix}:posts{id}:1"), "an older release's")
            .unwrap();
        let cache = Cache::builder()
            .prefix(prefix)
            .redis(server.url())
            .response_timeout(PATIENCE)
            .build()
            .unwrap();
        // As another program or an older release may have stored it.
        let _: () = redis.set(format!("app{id}:\0whole"), "theirs").unwrap();
        assert!(cache.delete("\0whole").await.unwrap());
        cache.set("\0whole", &1, TTL).await.unwrap();
        let removed = cache.delete_pattern(&format!("posts{id}:*")).await.unwrap();
        assert_eq!(removed, 1, "posts{id}");
    }
}

#[tokio::test]
async fn marks_of_scans_that_ended_early_are_removed() {
    let server = RedisServer::start();
    let (cache, mut redis) = (cache_on(&server), server.connect());
    cache.set("posts:1", &1, TTL).await.unwrap();
    cache.delete_pattern("posts:*").await.unwrap();
    for scan in 0..5 {
        for set in 0..16 {
            let _: () = redis
                .zadd(format!("app#index:{set}"), format!("\0building:{scan}"), 0)
                .unwrap();
            let _: () = redis.zrem(format!("app#index:{set}"), "\0whole").unwrap();
        }
        cache.delete_pattern("posts:*").await.unwrap();
    }
    assert_eq!(members(&mut redis).len(), 16, "one mark in each set");
}

/// Index sets are deleted or become strings between any two scripts of two processes.
#[tokio::test(flavor = "multi_thread")]
async fn patterns_delete_all_matches_while_the_index_is_lost_repeatedly() {
    let server = RedisServer::start();
    let caches = [cache_on(&server), cache_on(&server)];
    let over = Arc::new(AtomicBool::new(false));
    let chaos = std::thread::spawn({
        let (over, mut redis) = (Arc::clone(&over), server.connect());
        move || {
            for step in 0.. {
                if over.load(Ordering::SeqCst) {
                    return step;
                }
                let set = format!("app#index:{}", step * 7 % 16);
                match step % 5 {
                    0 => redis.del::<_, ()>(set).unwrap(),
                    1 => redis.set::<_, _, ()>(set, "theirs").unwrap(),
                    _ => redis
                        .get::<_, Option<String>>("app:none")
                        .map(drop)
                        .unwrap(),
                }
            }
            0
        }
    });
    let tasks: Vec<_> = (0..6)
        .map(|task| {
            let (writer, deleter) = (caches[task % 2].clone(), caches[task / 2 % 2].clone());
            let mut redis = server.connect();
            tokio::spawn(async move {
                for id in 0..150 {
                    let key = format!("posts-{task}:{id}:x");
                    writer.get_or_set(&key, TTL, || async { 1 }).await;
                    let pattern = match id % 3 {
                        0 => format!("posts-{task}:{id}:*"),
                        1 => format!("posts-{task}*:{id}:?"),
                        _ => format!("*-{task}:{id}:*"),
                    };
                    deleter.delete_pattern(&pattern).await.unwrap();
                    let full = format!("app:{key}");
                    assert!(!redis.exists::<_, bool>(full).unwrap(), "{pattern}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    assert!(chaos.join().unwrap() > 1_000);
}

#[tokio::test]
async fn set_many_with_a_repeated_key_stores_the_last_value() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    cache
        .set_many([("a", 1_u32), ("b", 2), ("a", 3)], TTL)
        .await
        .unwrap();
    assert_eq!(
        cache.get_many::<u32>(["a", "b"]).await.unwrap(),
        [Some(3), Some(2)]
    );
}
