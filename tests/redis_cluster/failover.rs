//! A master dies, and its replica takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::RedisCluster;

use crate::common::{TTL, is_master, patient, settled, until};

#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

impl Row {
    fn version(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", skip(row))]
async fn read(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.version()
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn write(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.fetch_add(1, Ordering::SeqCst) + 1
}

fn cache_on(cluster: &RedisCluster) -> Cache {
    patient(cluster)
        .response_timeout(Duration::from_secs(1))
        .invalidation_timeout(Duration::from_secs(2))
        .replay_window(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// A row whose entry is on this master.
fn row_on(cluster: &RedisCluster, master: usize) -> u32 {
    (0..)
        .find(|id| cluster.owner(cluster.slot(&format!("app:rows:{id}"))) == master)
        .unwrap()
}

/// A key beside the row's, which is deleted when its replica doesn't listen.
fn witness_of(id: u32) -> String {
    format!("witness:{{app:rows:{id}}}")
}

/// Reads until the row is cached again; it is never the old one, and no call takes long.
async fn only_the_new_row_returns(cache: &Cache, row: &Row, id: u32) {
    let version = row.version();
    until("cached again", || async {
        let begun = Instant::now();
        assert_eq!(cache.scope(read(row, id)).await, version);
        assert!(begun.elapsed() < Duration::from_secs(10));
        matches!(cache.get::<u32>(&format!("rows:{id}")).await, Ok(Some(found)) if found == version)
    })
    .await;
}

/// The replica never heard of the delete, so it brings the old value back; and whoever sent the delete sends it again
/// before he reads.
#[tokio::test]
async fn invalidations_that_a_promoted_replica_missed_are_sent_again() {
    let mut cluster = RedisCluster::start_with_replicas();
    let cache = cache_on(&cluster);
    let row = Row::default();
    settled(&cache).await;
    let id = row_on(&cluster, 0);
    assert_eq!(cache.scope(read(&row, id)).await, 0);
    // This one shows that the replica lacks what was deleted.
    let witness = witness_of(id);
    let mut master = cluster.masters()[0].connect();
    let _: () = master.set(&witness, 1).unwrap();
    cluster.cut_off_replica(0);
    let _: () = master.del(&witness).unwrap();
    let invalidated = cache.stats().invalidated;
    assert_eq!(cache.scope(write(&row, id)).await, 1);
    assert_eq!(cache.stats().invalidated, invalidated + 1, "acknowledged");
    cluster.master_mut(0).kill();
    cluster.replica(0).signal("CONT");
    only_the_new_row_returns(&cache, &row, id).await;
    let mut replica = cluster.replica(0).connect();
    assert!(is_master(&mut replica));
    assert!(
        replica.exists::<_, bool>(&witness).unwrap(),
        "it lacked the deletes"
    );
    // As before the failover, all of it is in the index.
    for id in 0..30 {
        cache.scope(read(&row, id)).await;
    }
    assert_eq!(cache.delete_pattern("rows:*").await.unwrap(), 30);
}

/// The sets that were on the dead master lack what the replica had not heard: they are rebuilt, since to the new
/// masters nothing is whole.
#[tokio::test]
async fn an_index_that_lost_members_is_rebuilt() {
    let mut cluster = RedisCluster::start_with_replicas();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    cluster.cut_off_replica(0);
    let entries: Vec<(String, u32)> = (0..200).map(|id| (format!("user-{id}:cart"), id)).collect();
    cache.set_many(&entries, TTL).await.unwrap();
    let survive = entries
        .iter()
        .filter(|(key, _)| cluster.owner(cluster.slot(&format!("app:{key}"))) != 0);
    let survive = survive.count() as u64;
    assert!(survive < 200);
    cluster.master_mut(0).kill();
    cluster.replica(0).signal("CONT");
    until("the cache is well again", || async {
        cache.health_check().await.is_ok()
    })
    .await;
    assert_eq!(cache.delete_pattern("user-*").await.unwrap(), survive);
    for node in &cluster.masters()[1..] {
        let left: Vec<String> = node.connect().keys("app:user-*").unwrap();
        assert_eq!(left, Vec::<String>::new());
    }
}

/// The watch: no command goes to the master that dies, nor to any other.
#[tokio::test]
async fn an_idle_process_replays_its_invalidations_after_a_failover() {
    let mut cluster = RedisCluster::start_with_replicas();
    let cache = cache_on(&cluster);
    let row = Row::default();
    settled(&cache).await;
    let id = row_on(&cluster, 0);
    cache.scope(read(&row, id)).await;
    let (key, witness) = (format!("app:rows:{id}"), witness_of(id));
    let mut master = cluster.masters()[0].connect();
    let _: () = master.set(&witness, 1).unwrap();
    cluster.cut_off_replica(0);
    let _: () = master.del(&witness).unwrap();
    cache.scope(write(&row, id)).await;
    cluster.master_mut(0).kill();
    cluster.replica(0).signal("CONT");
    let mut replica = cluster.replica(0).connect();
    until("it took over", || {
        let took_over = is_master(&mut replica);
        async move { took_over }
    })
    .await;
    until("the old value is gone", || {
        let [key, witness] = [&key, &witness].map(|key| replica.exists::<_, bool>(key).unwrap());
        assert!(witness, "it lacked the deletes");
        async move { !key }
    })
    .await;
}
