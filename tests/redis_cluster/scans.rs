//! Scans of all masters, while a slot moves from a master that isn't scanned yet to one that is.

use cache_runtime::{Cache, CacheError};
use redis::{Commands, Value};
use tests::RedisCluster;
use tokio::task::JoinHandle;

use crate::common::{cache_on, calls, settled, until};

const OTHERS: u64 = 60_000;

/// Store keys that make the scan of the first master long.
fn fill_first_master(cluster: &RedisCluster) {
    let tag = (0..).find(|tag| {
        let slot = cluster.slot(&format!("{{{tag}}}"));
        cluster.owner(slot) == 0
    });
    let tag = tag.unwrap();
    let mut fill = redis::pipe();
    for id in 0..OTHERS {
        fill.cmd("SET")
            .arg(format!("other:{{{tag}}}:{id}"))
            .arg(1)
            .ignore();
    }
    let mut first = cluster.masters()[0].connect();
    fill.query::<()>(&mut first).unwrap();
}

fn scans(cluster: &RedisCluster, number: usize) -> u64 {
    calls(&mut cluster.masters()[number].connect(), "scan")
}

/// A key that only a scan can find: it is not registered, and the index sets are deleted.
const KEY: &str = "app:posts:1";

fn store_unregistered(cluster: &RedisCluster, slot: u16) {
    if cluster.owner(slot) != 2 {
        cluster.move_slot(slot, 2);
    }
    let _: () = cluster.connect_for(KEY).set(KEY, "old").unwrap();
    for set in cluster.keys("app#index:*") {
        let _: () = cluster.connect_for(&set).del(&set).unwrap();
    }
}

/// Begin an invalidation, and stop the second master during the scan of the first.
async fn stopped_removal(
    cluster: &RedisCluster,
    cache: &Cache,
) -> JoinHandle<Result<u64, CacheError>> {
    let before = scans(cluster, 0);
    let cache = cache.clone();
    let removal = tokio::spawn(async move { cache.delete_pattern("posts:*").await });
    until("the scan begins", || async { scans(cluster, 0) > before }).await;
    cluster.masters()[1].signal("STOP");
    until("the first master is scanned", || async {
        scans(cluster, 0) >= before + OTHERS / 1_000 || removal.is_finished()
    })
    .await;
    removal
}

/// Move the key from the last master to the first.
fn move_key(cluster: &RedisCluster) {
    let _: Value = redis::cmd("MIGRATE")
        .arg("127.0.0.1")
        .arg(cluster.masters()[0].port())
        .arg(KEY)
        .arg(0)
        .arg(20_000)
        .query(&mut cluster.masters()[2].connect())
        .unwrap();
}

/// Assign the slot to the first master. The second one, which is stopped, learns it from the
/// others.
fn end_move(cluster: &RedisCluster, slot: u16) {
    let [mut first, mut last] = [0, 2].map(|number| cluster.masters()[number].connect());
    let id: String = redis::cmd("CLUSTER").arg("MYID").query(&mut first).unwrap();
    for redis in [&mut first, &mut last] {
        let mut end = redis::cmd("CLUSTER");
        end.arg("SETSLOT").arg(slot).arg("NODE").arg(&id);
        let _: Value = end.query(redis).unwrap();
    }
}

/// The scan goes from the first master to the last. The second one is stopped during the scan of
/// the first, so the scan can't continue, and the key moves from the last master to the first.
///
/// Only afterwards it is known whether the scan was stopped in time, so the test repeats this until
/// it was.
async fn no_key_is_missed(moves_before: bool) {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    fill_first_master(&cluster);
    let slot = cluster.slot(KEY);
    let mut in_time = 0;
    for _ in 0..30 {
        if in_time == 2 {
            return;
        }
        store_unregistered(&cluster, slot);
        if moves_before {
            cluster.begin_move(slot, 0);
        }
        let before = scans(&cluster, 2);
        let removal = stopped_removal(&cluster, &cache).await;
        if !moves_before {
            cluster.begin_move_between(slot, 2, 0);
        }
        move_key(&cluster);
        in_time += u32::from(scans(&cluster, 2) == before);
        if !moves_before {
            end_move(&cluster, slot);
        }
        cluster.masters()[1].signal("CONT");
        assert_eq!(removal.await.unwrap().unwrap(), 1);
        assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
        if moves_before {
            cluster.end_move(slot, 0);
        }
        cluster.agrees();
    }
    panic!("the scan was never stopped in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_starts_again_if_a_slot_moved_meanwhile() {
    no_key_is_missed(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_a_key_that_moves_to_a_scanned_master() {
    no_key_is_missed(true).await;
}
