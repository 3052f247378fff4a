//! Redis is gone, or says nothing.

use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tests::RedisServer;

use super::{ADMIN, Api, READ, error, json};

/// Far more than the timeouts of the cache below, for a busy machine; far less than a hang.
const BOUND: Duration = Duration::from_secs(10);

async fn check(api: &Api, cache: &Cache) {
    let started = Instant::now();
    let health = api.ask("GET", "/health", READ, "").await;
    assert_eq!(health.status, 503, "{}", health.body);
    let health = json(&health);
    assert_eq!(
        (&health["status"], &health["backend"]),
        (&"unhealthy".into(), &"redis".into())
    );
    assert_eq!(health["tests"]["set"], "failed");
    assert!(!health["cause"].as_str().unwrap().is_empty());

    let stats = api.get("/stats").await;
    assert_eq!(stats["status"], "degraded");
    assert!(!stats["cause"].as_str().unwrap().is_empty());
    let stats = &stats["cache_stats"];
    assert_eq!(stats["backend"], "redis");
    assert!(stats["keys_count"].is_null() && stats["memory_usage"].is_null());
    assert!(stats["functions"].is_array() && stats["hit_rate"].is_f64());

    api.get("/hit-rate").await;
    api.get("/topology").await;
    let metrics = api.ask("GET", "/metrics", READ, "").await;
    let line = format!("cache_breaker_open{{cache=\"{}\"}} 1\n", cache.prefix());
    assert!(metrics.body.contains(&line), "{}", metrics.body);

    let refused = api.ask("POST", "/clear", ADMIN, "{}").await;
    assert_eq!(refused.status, 503);
    assert!(error(&refused).contains("the invalidation is queued"));
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
}

#[tokio::test]
async fn without_redis_the_health_says_why_and_the_counters_are_shown() {
    let mut server = RedisServer::start();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    let api = Api::of(&cache).await;
    assert_eq!(api.get("/health").await["status"], "healthy");
    server.kill();
    check(&api, &cache).await;
}

#[tokio::test]
async fn a_silent_redis_delays_nothing_for_long() {
    let server = RedisServer::start();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    let api = Api::of(&cache).await;
    assert_eq!(api.get("/health").await["status"], "healthy");
    server.signal("STOP");
    check(&api, &cache).await;
    server.signal("CONT");
}
