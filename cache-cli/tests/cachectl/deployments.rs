//! Redis Cluster and Redis Sentinel.

use cache_runtime::{Cache, CacheError};
use serde_json::json;
use tests::{PATIENCE, RedisCluster, RedisServer, Sentinels};

use crate::program::{PREFIX, bare};

/// Fill a cache, then list, read, check and clear it through the program.
async fn every_command_works(cache: &Cache, target: &[&str]) -> Result<(), CacheError> {
    let run = |args: &[&str]| {
        let target = [target, &["--prefix", PREFIX, "--timeout", "20"]].concat();
        bare(&[args, &target].concat())
    };
    let entries = (0..40).map(|id| (format!("posts:{id}"), id));
    cache.set_many(entries, 600).await?;
    cache.set("users:1", &1, 600).await?;
    // Overwritten entries leave a member of their earlier token in the index of a cluster.
    cache.set("posts:7", &8, 600).await?;
    let listed = run(&["ls", "posts:*", "--json"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let mut paths: Vec<String> = Vec::new();
    for entry in listed.json()["entries"].as_array().expect("a list") {
        paths.push(entry["path"].as_str().expect("a text").to_owned());
    }
    let mut expected: Vec<String> = (0..40).map(|id| format!("posts:{id}")).collect();
    expected.sort_unstable();
    assert_eq!(paths, expected);
    assert_eq!(run(&["get", "users:1", "--json"]).json()["kind"], "value");
    let checked = run(&["doctor", "--json"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    let stats = run(&["stats", "--json"]);
    assert_eq!(stats.code, 0, "{}", stats.err);
    let cleared = run(&["clear", "--pattern", "posts:*", "--yes", "--json"]).json();
    assert_eq!(cleared, json!({"pattern": "posts:*", "removed": 40}));
    assert!(cache.exists("users:1").await? && !cache.exists("posts:7").await?);
    Ok(())
}

#[tokio::test]
async fn every_command_works_on_a_cluster() -> Result<(), CacheError> {
    let cluster = RedisCluster::start();
    let urls = cluster.urls();
    let builder = Cache::builder().prefix(PREFIX).response_timeout(PATIENCE);
    let cache = builder.redis_cluster(&urls).build()?;
    every_command_works(&cache, &["--redis-cluster", &urls.join(",")]).await
}

#[tokio::test]
async fn every_command_works_through_a_sentinel() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let sentinels = Sentinels::one(server.port(), "");
    let urls = sentinels.urls();
    let builder = Cache::builder().prefix(PREFIX).response_timeout(PATIENCE);
    let cache = builder.redis_sentinel(&urls, Sentinels::MASTER).build()?;
    every_command_works(&cache, &["--redis-sentinel", &urls.join(",")]).await
}
