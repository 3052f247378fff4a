//! Every route on memory, on Redis and on a cluster.

use cache_runtime::Cache;
use serde_json::json;
use tests::{PATIENCE, RedisCluster, on_both_stores};

use super::{Api, json};

async fn every_route_answers(cache: Cache) {
    let api = Api::of(&cache).await;
    let entries = (0..40).map(|id| (format!("posts:{id}"), id));
    cache.set_many(entries, 600).await.unwrap();
    cache.set("users:1", &1, 600).await.unwrap();
    cache.get::<u32>("users:1").await.unwrap();

    let stats = api.get("/stats").await;
    assert_eq!(stats["status"], "success", "{stats}");
    assert_eq!(api.get("/health").await["status"], "healthy");
    assert_eq!(api.get("/hit-rate").await["status"], "success");
    assert!(api.get("/topology").await.is_object());
    let metrics = api.ask("GET", "/metrics", super::READ, "").await;
    assert!(
        metrics.body.contains("cache_build_info"),
        "{}",
        metrics.body
    );

    let keys = api.get("/keys?pattern=posts:*&limit=100").await;
    let found = keys["entries"].as_array().map(Vec::len);
    assert_eq!(found, Some(40), "{keys}");
    let key = api.get("/key?key=users:1").await;
    assert_eq!(key["kind"], "value", "{key}");

    let top = api.get("/keys?level=").await;
    let branches = top["branches"].as_array().map(Vec::len);
    assert_eq!(branches, Some(2), "{top}");
    let posts = api.get("/keys?level=posts:&limit=30").await;
    let found = posts["entries"].as_array().map(Vec::len);
    assert_eq!((found, &posts["more"]), (Some(30), &json!(true)), "{posts}");
    let fleet = api.get("/fleet").await;
    assert_eq!(fleet["status"], "success", "{fleet}");
    assert!(fleet["processes"].is_array() && fleet["functions"].is_array());
    assert!(api.get("/sizes").await["functions"].is_array());
    assert!(api.get("/doctor").await["findings"].is_array());
    assert_eq!(api.get("/warmers").await["warmers"], json!([]));
    let events = api.ask("HEAD", "/events", super::READ, "").await;
    assert_eq!(events.status, 200);
    assert_eq!(api.ask("GET", "/table", super::READ, "").await.status, 200);

    let cleared = api.post("/clear", r#"{"pattern": "posts:*"}"#).await;
    assert_eq!(json(&cleared)["entries"], json!(40), "{}", cleared.body);
    assert!(!cache.exists("posts:7").await.unwrap());
    assert!(cache.exists("users:1").await.unwrap());
    assert_eq!(api.post("/reset-stats", "{}").await.status, 200);
    assert_eq!(cache.stats().hits, 0);
}

#[tokio::test]
async fn every_route_answers_on_one_store() {
    on_both_stores(every_route_answers).await;
}

#[tokio::test]
async fn every_route_answers_on_a_cluster() {
    let cluster = RedisCluster::start();
    let builder = Cache::builder()
        .prefix("quickpost")
        .response_timeout(PATIENCE);
    let cache = builder.redis_cluster(cluster.urls()).build().unwrap();
    every_route_answers(cache).await;
}
