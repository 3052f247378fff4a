//! Owners in a cluster: the owner is the hash tag of the key. A program of its own, since a program
//! that names owners needs more rights.
#![allow(missing_docs, clippy::unwrap_used)]

use cache_runtime::{Cache, CacheBuilder, cacheable};
use tests::{Gate, PATIENCE, RedisCluster, Runs};

const CAPACITY: usize = 12_000;

#[cacheable(key = "file:{<<user>>}:<<id>>", ttl = 600, owner = user, skip(runs, length))]
async fn file(user: u32, id: u32, length: usize, runs: &Runs) -> String {
    runs.next();
    "x".repeat(length)
}

#[cacheable(key = "thumbnail:{<<user>>}:<<id>>", ttl = 600, owner = user, skip(gate))]
async fn thumbnail(user: u32, id: u32, gate: &Gate) -> u32 {
    gate.pass().await
}

fn patient(cluster: &RedisCluster) -> CacheBuilder {
    let builder = Cache::builder().prefix("app").redis_cluster(cluster.urls());
    builder
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
}

fn cache_on(cluster: &RedisCluster) -> Cache {
    patient(cluster).build().unwrap()
}

async fn fill(cache: &Cache, user: u32, ids: std::ops::Range<u32>) {
    let runs = Runs::default();
    let calls = async {
        for id in ids {
            file(user, id, 1_000, &runs).await;
        }
    };
    cache.scope(calls).await;
}

#[tokio::test]
async fn calls_and_entries_are_counted_and_removed_for_each_owner() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    for user in 0..8 {
        fill(&cache, user, 0..5).await;
    }
    fill(&cache, 3, 0..5).await;
    let stats = cache.owner_stats(3).await.unwrap();
    assert_eq!((stats.hits, stats.misses, stats.entries), (5, 5, 5));
    cache.delete_pattern("file:{3}:1").await.unwrap();
    assert_eq!(cache.owner_stats(3).await.unwrap().entries, 4);
    assert_eq!(cache.invalidate_owner(3).await.unwrap(), 4);
    for user in 0..8 {
        let entries = cache.owner_stats(user).await.unwrap().entries;
        assert_eq!(entries, if user == 3 { 0 } else { 5 }, "{user}");
    }
    // A lost account isn't noticed, but the keys name the owner.
    let parts = ["sizes", "ages", "expiries"].map(|part| format!("app#owner:{{4}}:{part}"));
    redis::cmd("DEL")
        .arg(&parts)
        .exec(&mut cluster.connect_for("{4}"))
        .unwrap();
    assert_eq!(cache.invalidate_owner(4).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_computed_before_is_not_served_afterwards() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let gate = Gate::new();
    let (caller, its_gate) = (cache.clone(), gate.clone());
    let old = tokio::spawn(async move { caller.scope(thumbnail(4, 1, &its_gate)).await });
    gate.reached_by(1).await;
    cache.invalidate_owner(4).await.unwrap();
    gate.open();
    assert_eq!(old.await.unwrap(), 1);
    assert_eq!(cache.scope(thumbnail(4, 1, &gate)).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_capacity_holds_with_many_writers() {
    let cluster = RedisCluster::start();
    let cache = patient(&cluster).owner_capacity(CAPACITY).build().unwrap();
    let mut writers = Vec::new();
    for writer in 0..8_u32 {
        let cache = cache.clone();
        writers.push(tokio::spawn(async move {
            let runs = Runs::default();
            for round in 0..40_u32 {
                let length = 300 + (writer as usize * 331 + round as usize * 977) % 3_000;
                let call = file_refresh(1, (writer * 7 + round) % 16, length, &runs);
                cache.scope(call).await;
                let bytes = cache.owner_stats(1).await.unwrap().bytes;
                assert!(bytes <= CAPACITY as u64, "{bytes}");
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let sum: usize = cluster
        .keys("app:file:*")
        .iter()
        .map(|key| {
            let length: usize = redis::cmd("STRLEN")
                .arg(key)
                .query(&mut cluster.connect_for(key))
                .unwrap();
            length + key.len()
        })
        .sum();
    assert_eq!(cache.owner_stats(1).await.unwrap().bytes, sum as u64);
    assert_eq!(cache.stats().errors, 0);
}
