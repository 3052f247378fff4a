//! A walk over the keys of all masters, while a slot moves from one that isn't scanned yet to one that is.

use cache_runtime::{Cache, CacheError};
use redis::{Commands, Value};
use tests::RedisCluster;
use tokio::task::JoinHandle;

use crate::common::{cache_on, calls, settled, until};

const OTHERS: u64 = 60_000;

/// Keys that make the walk's way over the first master long.
fn fill_first_master(cluster: &RedisCluster) {
    let tag = (0..).find(|tag| {
        let slot = cluster.slot(&format!("{{{tag}}}"));
        cluster.owner(slot) == 0
    });
    let tag = tag.unwrap();
    let mut fill = redis::pipe();
    for id in 0..OTHERS {
        fill.cmd("SET")
            .arg(format!("neighbour:{{{tag}}}:{id}"))
            .arg(1)
            .ignore();
    }
    let mut first = cluster.masters()[0].connect();
    fill.query::<()>(&mut first).unwrap();
}

fn scans(cluster: &RedisCluster, number: usize) -> u64 {
    calls(&mut cluster.masters()[number].connect(), "scan")
}

/// The key that a walk alone can find: nobody registered it, and the sets are gone.
const KEY: &str = "app:posts:1";

fn only_a_walk_finds_it(cluster: &RedisCluster, slot: u16) {
    if cluster.owner(slot) != 2 {
        cluster.move_slot(slot, 2);
    }
    let _: () = cluster.connect_for(KEY).set(KEY, "old").unwrap();
    for set in cluster.keys("app#index:*") {
        let _: () = cluster.connect_for(&set).del(&set).unwrap();
    }
}

/// Begins a removal, and stops the second master while its walk scans the first.
async fn stopped_removal(
    cluster: &RedisCluster,
    cache: &Cache,
) -> JoinHandle<Result<u64, CacheError>> {
    let before = scans(cluster, 0);
    let cache = cache.clone();
    let removal = tokio::spawn(async move { cache.delete_pattern("posts:*").await });
    until("the walk begins", || async { scans(cluster, 0) > before }).await;
    cluster.masters()[1].signal("STOP");
    until("the first is scanned", || async {
        scans(cluster, 0) >= before + OTHERS / 1_000 || removal.is_finished()
    })
    .await;
    removal
}

/// Carries the key from the last master to the first.
fn hop(cluster: &RedisCluster) {
    let _: Value = redis::cmd("MIGRATE")
        .arg("127.0.0.1")
        .arg(cluster.masters()[0].port())
        .arg(KEY)
        .arg(0)
        .arg(20_000)
        .query(&mut cluster.masters()[2].connect())
        .unwrap();
}

/// Gives the slot to the first master. The second, which is stopped, hears of it from the others.
fn end_move(cluster: &RedisCluster, slot: u16) {
    let [mut first, mut last] = [0, 2].map(|number| cluster.masters()[number].connect());
    let id: String = redis::cmd("CLUSTER").arg("MYID").query(&mut first).unwrap();
    for redis in [&mut first, &mut last] {
        let mut end = redis::cmd("CLUSTER");
        end.arg("SETSLOT").arg(slot).arg("NODE").arg(&id);
        let _: Value = end.query(redis).unwrap();
    }
}

/// The walk goes from the first master to the last. The second is stopped while the first is scanned, so the walk can't
/// go on, and the key hops from the last to the first.
///
/// Whether the walk was stopped in time is seen afterwards; so it is tried until it was.
async fn nothing_is_missed(moves_before: bool) {
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
        only_a_walk_finds_it(&cluster, slot);
        if moves_before {
            cluster.begin_move(slot, 0);
        }
        let before = scans(&cluster, 2);
        let removal = stopped_removal(&cluster, &cache).await;
        if !moves_before {
            cluster.begin_move_between(slot, 2, 0);
        }
        hop(&cluster);
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
    panic!("the walk was never stopped in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_during_which_a_slot_moved_starts_again() {
    nothing_is_missed(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_hops_while_its_slot_moves_is_found() {
    nothing_is_missed(true).await;
}
