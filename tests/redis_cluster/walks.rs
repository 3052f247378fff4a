//! A walk over the keys of all masters, while a slot moves from one that isn't scanned yet to one that is.

use redis::{Commands, Value};
use tests::RedisCluster;

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

/// The walk goes from the first master to the last. The second is stopped while the first is scanned, so the walk can't
/// go on, and a slot moves from the last to the first.
///
/// Whether the walk was stopped in time is seen afterwards; so it is tried until it was.
async fn nothing_is_missed(moves_before: bool) {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    fill_first_master(&cluster);
    let key = "app:posts:1";
    let slot = cluster.slot(key);
    let mut in_time = 0;
    for _ in 0..30 {
        if in_time == 2 {
            return;
        }
        if cluster.owner(slot) != 2 {
            cluster.move_slot(slot, 2);
        }
        // Nobody registered it, and the sets are gone: a walk alone can find it.
        let _: () = cluster.connect_for(key).set(key, "old").unwrap();
        for set in cluster.keys("app#index:*") {
            let _: () = cluster.connect_for(&set).del(&set).unwrap();
        }
        if moves_before {
            cluster.begin_move(slot, 0);
        }
        let before = [scans(&cluster, 0), scans(&cluster, 2)];
        let removal = tokio::spawn({
            let cache = cache.clone();
            async move { cache.delete_pattern("posts:*").await }
        });
        until("the walk begins", || async {
            scans(&cluster, 0) > before[0]
        })
        .await;
        cluster.masters()[1].signal("STOP");
        until("the first is scanned", || async {
            scans(&cluster, 0) >= before[0] + OTHERS / 1_000 || removal.is_finished()
        })
        .await;
        let mut last = cluster.masters()[2].connect();
        if !moves_before {
            cluster.begin_move_between(slot, 2, 0);
        }
        let _: Value = redis::cmd("MIGRATE")
            .arg("127.0.0.1")
            .arg(cluster.masters()[0].port())
            .arg(key)
            .arg(0)
            .arg(20_000)
            .query(&mut last)
            .unwrap();
        if calls(&mut last, "scan") == before[1] {
            in_time += 1;
        }
        if !moves_before {
            // The second, which is stopped, hears of it from the others.
            let id: String = redis::cmd("CLUSTER")
                .arg("MYID")
                .query(&mut cluster.masters()[0].connect())
                .unwrap();
            for number in [0, 2] {
                let _: Value = redis::cmd("CLUSTER")
                    .arg("SETSLOT")
                    .arg(slot)
                    .arg("NODE")
                    .arg(&id)
                    .query(&mut cluster.masters()[number].connect())
                    .unwrap();
            }
        }
        cluster.masters()[1].signal("CONT");
        assert_eq!(removal.await.unwrap().unwrap(), 1);
        assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
        if moves_before {
            cluster.end_move(slot, 0);
        }
    }
    panic!("the walk was never stopped in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_during_which_a_slot_moved_begins_anew() {
    nothing_is_missed(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_hops_while_its_slot_moves_is_found() {
    nothing_is_missed(true).await;
}
