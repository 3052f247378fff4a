//! A server shared with other programs.

use std::time::Duration;

use cache_runtime::Cache;
use redis::Commands;
use tests::{PATIENCE, RedisServer};

const TTL: Duration = Duration::from_secs(60);

#[tokio::test]
async fn keys_of_other_programs_survive_a_pattern_and_do_not_stop_it() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let foreign: [&[u8]; 4] = [b"app:\xff\xfe", b"app2:posts:1", b"ap:posts:1", b"posts:1"];
    for key in foreign {
        let _: () = redis.set(key, "theirs").unwrap();
    }
    let _: () = redis
        .rpush("app:posts:list", "a list where an entry could be")
        .unwrap();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    cache.set("posts:1", &1, TTL).await.unwrap();
    cache.set("posts:2", &2, TTL).await.unwrap();

    assert_eq!(
        cache.delete_pattern("posts:*").await.unwrap(),
        3,
        "two entries, and the list at an entry's key"
    );
    for key in foreign {
        assert!(redis.exists::<_, bool>(key).unwrap(), "{key:?}");
    }
    assert_eq!(
        cache.clear().await.unwrap(),
        1,
        "the key that is not UTF-8 matches `*`"
    );
    for key in &foreign[1..] {
        assert!(redis.exists::<_, bool>(key).unwrap(), "{key:?}");
    }
}

#[tokio::test]
async fn a_dot_in_the_prefix_is_literal_and_the_keys_command_is_not_used() {
    let server = RedisServer::start_with(&["--rename-command", "KEYS", ""]);
    let mut redis = server.connect();
    let _: () = redis.set("aXb:posts:1", "theirs").unwrap();
    let cache = Cache::builder()
        .prefix("a.b")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    cache.set("posts:1", &1, TTL).await.unwrap();
    assert_eq!(cache.delete_pattern("*").await.unwrap(), 1);
    assert!(redis.exists::<_, bool>("aXb:posts:1").unwrap());
}

#[tokio::test]
async fn a_pattern_deletes_all_matches_among_many_keys() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .redis(server.url())
        .response_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let keys: Vec<(String, u32)> = (0..20_000)
        .map(|at| {
            (
                format!("{}:{at}", if at % 4 == 0 { "posts" } else { "users" }),
                at,
            )
        })
        .collect();
    cache.set_many(&keys, TTL).await.unwrap();
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 5_000);
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 0);
    let left: Vec<String> = redis::cmd("KEYS")
        .arg("cache:*")
        .query(&mut server.connect())
        .unwrap();
    assert_eq!(left.len(), 15_000);
}

#[tokio::test]
async fn an_entry_has_its_ttl_in_redis() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    cache
        .set("a", &1, Duration::from_millis(1_500))
        .await
        .unwrap();
    let left: i64 = server.connect().pttl("app:a").unwrap();
    assert!((1..=1_500).contains(&left), "{left}");
    let ttl = cache.ttl("a").await.unwrap().unwrap();
    assert!(ttl <= Duration::from_millis(1_500));
    assert_eq!(cache.ttl("b").await.unwrap(), None);
}
