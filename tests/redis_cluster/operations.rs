//! Explicit operations on keys of several nodes.

use std::collections::HashSet;
use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::{PATIENCE, RedisCluster, RedisServer};

use crate::common::{TTL, cache_on, members};

#[tokio::test]
async fn operations_and_patterns_reach_the_keys_of_all_nodes() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let entries: Vec<(String, u32)> = (0..300)
        .map(|id| (format!("posts:{}:{id}", id % 3), id))
        .collect();
    cache.set_many(&entries, TTL).await.unwrap();
    let owners: HashSet<usize> = entries
        .iter()
        .map(|(key, _)| cluster.owner(cluster.slot(&format!("app:{key}"))))
        .take(20)
        .collect();
    assert_eq!(owners.len(), 3, "the keys are on all nodes");
    let keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
    let found = cache.get_many::<u32>(&keys).await.unwrap();
    assert!(found.iter().zip(0..).all(|(found, id)| *found == Some(id)));
    let ttl = cache.ttl("posts:0:0").await.unwrap().unwrap();
    assert!(ttl > Duration::from_secs(500) && ttl <= TTL);
    assert!(cache.exists("posts:1:1").await.unwrap());
    assert!(cache.delete("posts:1:1").await.unwrap());
    assert!(!cache.delete("posts:1:1").await.unwrap());
    assert_eq!(cache.get::<u32>("posts:1:1").await.unwrap(), None);
    assert_eq!(cache.delete_pattern("posts:1:*").await.unwrap(), 99);
    assert_eq!(cache.delete_pattern("posts:?:1?").await.unwrap(), 6);
    assert_eq!(cache.delete_pattern("*:2:*").await.unwrap(), 97);
    cache.clear().await.unwrap();
    assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
    assert_eq!(members(&cluster).len(), 0, "no expired member is left");
}

#[tokio::test]
async fn one_reachable_node_is_enough_to_find_the_cluster() {
    let cluster = RedisCluster::start();
    let mut dead = RedisServer::start();
    dead.kill();
    let cache = Cache::builder()
        .prefix("app")
        .redis_cluster([dead.url(), cluster.masters()[1].url()])
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    for id in 0..20 {
        cache.set(&format!("posts:{id}"), &id, TTL).await.unwrap();
    }
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 20);
}

#[test]
fn urls_that_cannot_name_a_cluster_are_refused_and_not_shown() {
    for (urls, reason) in [
        (vec![], "one or more nodes"),
        (
            vec!["redis://here:6379", "redis://:secret@here/2"],
            "no databases",
        ),
        (vec!["unix:///tmp/secret"], "host and port"),
        (vec!["http://secret"], "redis://"),
    ] {
        let error = Cache::builder().redis_cluster(urls).build().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(reason) && !text.contains("secret"), "{text}");
    }
}

#[cacheable(key = "answer")]
async fn answer() -> u32 {
    42
}

#[tokio::test]
async fn a_server_without_cluster_support_is_an_outage_that_names_the_cause() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis_cluster([server.url()])
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    assert_eq!(cache.scope(answer()).await, 42);
    let error = cache.health_check().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("cluster support disabled"), "{text}");
}
