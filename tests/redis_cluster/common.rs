//! Caches on a cluster, and queries of its nodes.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder};
use redis::Connection;
pub(crate) use tests::until;
use tests::{PATIENCE, RedisCluster};

pub(crate) const TTL: Duration = Duration::from_secs(600);

/// Build a cache with the prefix `app`, and with timeouts for a busy machine.
pub(crate) fn cache_on(cluster: &RedisCluster) -> Cache {
    patient(cluster).build().unwrap()
}

pub(crate) fn patient(cluster: &RedisCluster) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis_cluster(cluster.urls())
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
}

/// Return the members of all sets, without marks.
pub(crate) fn members(cluster: &RedisCluster) -> Vec<Vec<u8>> {
    let all = all_members(cluster).into_iter();
    all.filter(|member| member.first() != Some(&0)).collect()
}

/// Return the members of all sets, with marks.
pub(crate) fn all_members(cluster: &RedisCluster) -> Vec<Vec<u8>> {
    let members = |set: &String| -> Vec<Vec<u8>> {
        redis::cmd("ZRANGE")
            .arg(set)
            .arg(0)
            .arg(-1)
            .query(&mut cluster.connect_for(set))
            .unwrap()
    };
    let sets = cluster.keys("app#index:*");
    sets.iter().flat_map(members).collect()
}

/// Wait until the first scan of the prefix has ended, so that a later scan is a new one.
pub(crate) async fn settled(cache: &Cache) {
    cache.set("settle:1", &1, TTL).await.unwrap();
    cache.delete_pattern("settle:*").await.unwrap();
}

/// Return the number of times that a node was sent a command.
pub(crate) fn calls(redis: &mut Connection, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next()?.parse().ok());
    count.unwrap_or(0)
}

pub(crate) fn is_master(redis: &mut Connection) -> bool {
    let info: String = redis::cmd("INFO").arg("replication").query(redis).unwrap();
    info.contains("role:master")
}
