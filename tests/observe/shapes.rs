//! Shapes of stored types, which tools show beside values without names.

use std::time::{Duration, SystemTime};

use cache_runtime::{Cache, Codec};
use redis::{Commands, Connection};
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer, until};

#[derive(Serialize, Deserialize)]
struct Harbor {
    name: String,
    berths: Option<u16>,
}

const HARBOR: &str = "Harbor { name: string, berths: Option<u16> }";

fn harbor() -> Harbor {
    Harbor {
        name: "North".to_owned(),
        berths: None,
    }
}

fn cache(server: &RedisServer) -> Cache {
    let builder = Cache::builder().prefix("app").redis(server.url());
    builder.response_timeout(PATIENCE).build().unwrap()
}

/// Return the published shapes, each with its day.
fn published(redis: &mut Connection) -> Vec<(String, u64)> {
    redis.zrange_withscores("app#shapes", 0, -1).unwrap()
}

async fn until_published(redis: &mut Connection) -> (String, u64) {
    let mut found = None;
    until("the shape is published", || {
        let mut shapes = published(redis).into_iter();
        found = shapes.find(|(shape, _)| shape.ends_with(HARBOR));
        let there = found.is_some();
        async move { there }
    })
    .await;
    found.unwrap()
}

#[tokio::test]
async fn a_process_publishes_the_shapes_of_its_types_once_each() {
    let server = RedisServer::start();
    let caches = [cache(&server), cache(&server)];
    for cache in &caches {
        cache.set("harbors:1", &harbor(), 60).await.unwrap();
    }
    let mut redis = server.connect();
    let (shape, day) = until_published(&mut redis).await;
    let (fingerprint, _) = shape.split_once(' ').unwrap();
    assert_eq!(fingerprint.len(), 16);
    assert!(
        u64::from_str_radix(fingerprint, 16).is_ok(),
        "{fingerprint}"
    );
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    assert!(now.unwrap().as_secs() / 86_400 - day <= 1, "{day}");
    let left: i64 = redis.pttl("app#shapes").unwrap();
    assert!(Duration::from_millis(left as u64) > Duration::from_secs(34 * 86_400));
    let alike = published(&mut redis);
    let alike = alike.iter().filter(|(shape, _)| shape.ends_with(HARBOR));
    assert_eq!(alike.count(), 1);
}

#[tokio::test]
async fn shapes_that_no_process_publishes_any_more_are_dropped() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let _: () = redis.zadd("app#shapes", "00 Old { gone: u8 }", 7).unwrap();
    let cache = cache(&server);
    cache.set("harbors:1", &harbor(), 60).await.unwrap();
    until("the old shape is dropped", || {
        let shapes = published(&mut redis);
        let old = shapes.iter().any(|(shape, _)| shape.contains("Old"));
        async move { !old }
    })
    .await;
    until_published(&mut redis).await;
}

#[tokio::test]
async fn inspect_returns_the_shape_of_values_without_names() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.set("harbors:1", &harbor(), 60).await.unwrap();
    let seen = cache.inspect("harbors:1").await.unwrap().unwrap();
    assert_eq!(seen.shape.as_deref(), Some(HARBOR));
    let named = Cache::builder().prefix("named").redis(server.url());
    let named = named.codec(Codec::MessagePack).response_timeout(PATIENCE);
    let named = named.build().unwrap();
    named.set("harbors:1", &harbor(), 60).await.unwrap();
    let seen = named.inspect("harbors:1").await.unwrap().unwrap();
    assert_eq!(seen.shape, None);
}
