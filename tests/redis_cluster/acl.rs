//! A user with the least rights, as `docs/operations/cluster.md` lists them.

use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{PATIENCE, RedisCluster, documented_users, refused_to, run_words};

use crate::common::{TTL, settled, until};

const REDIS_PAGE: &str = include_str!("../../docs/operations/redis.md");
const CLUSTER_PAGE: &str = include_str!("../../docs/operations/cluster.md");

#[cacheable(key = "{t}:rows:<<id>>", skip(version))]
async fn read(version: &AtomicU32, id: u32) -> u32 {
    let _ = id;
    version.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["{t}:rows:<<id>>"])]
async fn write(version: &AtomicU32, id: u32) -> u32 {
    let _ = id;
    version.fetch_add(1, Ordering::SeqCst) + 1
}

/// Create the documented user on every node, under another name, and a cache that logs in as it.
fn cache_of(user: &str, cluster: &RedisCluster) -> Cache {
    for node in cluster.nodes() {
        let mut admin = node.connect();
        run_words(&documented_users(REDIS_PAGE, user)[0], &mut admin);
        run_words(&documented_users(CLUSTER_PAGE, user)[0], &mut admin);
    }
    let login = format!("redis://{user}:secret@");
    let urls = cluster.urls().into_iter();
    Cache::builder()
        .prefix(user)
        .redis_cluster(urls.map(|url| url.replace("redis://", &login)))
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
        .build()
        .unwrap()
}

/// Begin to move the slot of `{t}`, half of whose ten keys are on the other node already.
fn half_moved(user: &str, cluster: &RedisCluster) {
    let slot = cluster.slot(&format!("{user}:{{t}}:rows:0"));
    let to = (cluster.owner(slot) + 1) % 3;
    cluster.begin_move(slot, to);
    let half: Vec<String> = (0..5).map(|id| format!("{user}:{{t}}:rows:{id}")).collect();
    cluster.move_these(slot, to, &half);
}

fn refused(user: &str, cluster: &RedisCluster) -> Vec<String> {
    let nodes = cluster.nodes();
    nodes.flat_map(|node| refused_to(user, node)).collect()
}

#[tokio::test]
async fn the_documented_rights_are_enough_while_a_slot_moves() {
    let cluster = RedisCluster::start();
    let cache = cache_of("modest", &cluster);
    let version = AtomicU32::new(0);
    settled(&cache).await;
    for id in 0..10 {
        assert_eq!(cache.scope(read(&version, id)).await, 0);
    }
    half_moved("modest", &cluster);
    let hits = cache.stats().hits;
    // Entries on both nodes, and one that is filled on the new node.
    for id in 0..11 {
        assert_eq!(cache.scope(read(&version, id)).await, 0);
    }
    assert_eq!(cache.stats().hits, hits + 10);
    for (id, newest) in [(2, 1), (7, 2)] {
        assert_eq!(cache.scope(write(&version, id)).await, newest);
        assert_eq!(cache.scope(read(&version, id)).await, newest);
    }
    cache.set("{t}:rows:20", &0_u32, TTL).await.unwrap();
    assert_eq!(cache.delete_pattern("{t}:rows:*").await.unwrap(), 12);
    assert_eq!(cache.stats().errors, 0);
    assert_eq!(refused("modest", &cluster), [""; 0]);
}

#[tokio::test]
async fn without_the_right_to_asking_a_moving_slot_is_an_outage() {
    let cluster = RedisCluster::start();
    let cache = cache_of("lesser", &cluster);
    let version = AtomicU32::new(0);
    settled(&cache).await;
    for id in 0..10 {
        assert_eq!(cache.scope(read(&version, id)).await, 0);
    }
    for node in cluster.nodes() {
        let lessen = ["ACL", "SETUSER", "lesser", "-asking"].map(str::to_owned);
        run_words(&lessen, &mut node.connect());
    }
    assert_eq!(cache.stats().errors, 0);
    half_moved("lesser", &cluster);
    until("ASKING is refused", || async {
        assert_eq!(cache.scope(read(&version, 1)).await, 0);
        refused("lesser", &cluster).contains(&"asking".to_owned())
    })
    .await;
    assert!(cache.stats().errors > 0);
}
