//! A master dies, and its replica takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate, write_through};
use redis::Commands;
use tests::{RedisCluster, until_well};

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

#[write_through(key = "rows:<<id>>")]
async fn write_through_row(row: &Row, id: u32) -> u32 {
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

/// Return a row whose entry is on this master.
fn row_on(cluster: &RedisCluster, master: usize) -> u32 {
    (0..)
        .find(|id| cluster.owner(cluster.slot(&format!("app:rows:{id}"))) == master)
        .unwrap()
}

/// Return a key in the row's slot. It is deleted while the replica is cut off, and shows that the
/// replica missed the deletes.
fn witness_of(id: u32) -> String {
    format!("witness:{{app:rows:{id}}}")
}

/// Read until the row is cached again. No read returns an old row, and no call takes ten seconds.
async fn only_the_new_row_returns(cache: &Cache, row: &Row, id: u32) {
    let version = row.version();
    until("the row is cached again", || async {
        let begun = Instant::now();
        assert_eq!(cache.scope(read(row, id)).await, version);
        assert!(begun.elapsed() < Duration::from_secs(10));
        matches!(cache.get::<u32>(&format!("rows:{id}")).await, Ok(Some(found)) if found == version)
    })
    .await;
}

/// The replica missed the delete, so its promotion brings the old value back. The process that sent
/// the delete sends it again before it reads.
#[tokio::test]
async fn invalidations_that_a_promoted_replica_missed_are_replayed() {
    let mut cluster = RedisCluster::start_with_replicas();
    let cache = cache_on(&cluster);
    let row = Row::default();
    settled(&cache).await;
    let id = row_on(&cluster, 0);
    assert_eq!(cache.scope(read(&row, id)).await, 0);
    let witness = witness_of(id);
    let mut master = cluster.masters()[0].connect();
    let _: () = master.set(&witness, 1).unwrap();
    cluster.cut_off_replica(0);
    let _: () = master.del(&witness).unwrap();
    let invalidated = cache.stats().invalidated;
    assert_eq!(cache.scope(write(&row, id)).await, 1);
    assert_eq!(
        cache.stats().invalidated,
        invalidated + 1,
        "the master acknowledged the delete"
    );
    cluster.master_mut(0).kill();
    cluster.replica(0).signal("CONT");
    only_the_new_row_returns(&cache, &row, id).await;
    let mut replica = cluster.replica(0).connect();
    assert!(is_master(&mut replica));
    assert!(
        replica.exists::<_, bool>(&witness).unwrap(),
        "the replica missed the deletes"
    );
    // New entries are in the index, as before the failover.
    for id in 0..30 {
        cache.scope(read(&row, id)).await;
    }
    assert_eq!(cache.delete_pattern("rows:*").await.unwrap(), 30);
}

/// The replica missed the fill of a write-through, so its promotion brings the old value back. The
/// process invalidates the key before it reads.
#[tokio::test]
async fn a_write_through_that_a_promoted_replica_missed_is_an_invalidation() {
    let mut cluster = RedisCluster::start_with_replicas();
    let cache = cache_on(&cluster);
    let row = Row::default();
    settled(&cache).await;
    let id = row_on(&cluster, 0);
    assert_eq!(cache.scope(read(&row, id)).await, 0);
    let witness = witness_of(id);
    let mut master = cluster.masters()[0].connect();
    let _: () = master.set(&witness, 1).unwrap();
    cluster.cut_off_replica(0);
    let _: () = master.del(&witness).unwrap();
    assert_eq!(cache.scope(write_through_row(&row, id)).await, 1);
    let filled = cache.get::<u32>(&format!("rows:{id}")).await.unwrap();
    assert_eq!(filled, Some(1), "the master acknowledged the fill");
    cluster.master_mut(0).kill();
    cluster.replica(0).signal("CONT");
    only_the_new_row_returns(&cache, &row, id).await;
    let mut replica = cluster.replica(0).connect();
    assert!(
        replica.exists::<_, bool>(&witness).unwrap(),
        "it missed both"
    );
}

/// The index sets of the dead master lack the members that the replica missed. They are rebuilt,
/// because the marks of complete sets name the earlier masters.
#[tokio::test]
async fn an_index_that_lost_members_in_a_failover_is_rebuilt() {
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
    until_well(&cache).await;
    assert_eq!(cache.delete_pattern("user-*").await.unwrap(), survive);
    for node in &cluster.masters()[1..] {
        let left: Vec<String> = node.connect().keys("app:user-*").unwrap();
        assert_eq!(left, Vec::<String>::new());
    }
}

/// The monitor alone notices the failover: the process sends no command to any master.
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
    until("the replica is master", || {
        let took_over = is_master(&mut replica);
        async move { took_over }
    })
    .await;
    until("the old value is deleted", || {
        let [key, witness] = [&key, &witness].map(|key| replica.exists::<_, bool>(key).unwrap());
        assert!(witness, "the replica missed the deletes");
        async move { !key }
    })
    .await;
}
