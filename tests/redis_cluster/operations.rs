//! Explicit operations on keys of several nodes.

use std::collections::HashSet;
use std::time::Duration;

use tests::RedisCluster;

use crate::common::{TTL, cache_on, members};

#[tokio::test]
async fn keys_of_all_nodes_are_set_got_counted_and_deleted() {
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
    assert_eq!(owners.len(), 3, "on all nodes");
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
    assert_eq!(members(&cluster).len(), 0, "nothing dead is left");
}
