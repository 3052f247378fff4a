//! Readers and writers of two processes while the slots of their keys and index move back and
//! forth. No read is older than an invalidation that had returned before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tests::{Chaos, RedisCluster};

use crate::common::{cache_on, settled};

const TIME: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_while_slots_move_back_and_forth() {
    let cluster = RedisCluster::start();
    let caches = [cache_on(&cluster), cache_on(&cluster)];
    settled(&caches[0]).await;
    let over = Arc::new(AtomicBool::new(false));
    let chaos = Chaos {
        time: TIME,
        write_every: 16,
        unsent_writes_count: false,
    };
    let tasks = chaos.start(&caches);
    let moves = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            let hot = cluster.slot("app:{hot}:rows:1");
            let mut moves = 0;
            while !over.load(Ordering::SeqCst) {
                let set = cluster.slot(&format!("app#index:{}", moves / 2 % 16));
                let slot = if moves % 2 == 0 { hot } else { set };
                cluster.move_slot(slot, (cluster.owner(slot) + 1) % 3);
                moves += 1;
            }
            (moves, cluster)
        }
    });
    let reads = tasks.reads().await;
    over.store(true, Ordering::SeqCst);
    let (moves, _cluster) = moves.join().unwrap();
    let stats = [caches[0].stats(), caches[1].stats()];
    let (hits, errors) = (
        stats[0].hits + stats[1].hits,
        stats[0].errors + stats[1].errors,
    );
    println!("{reads} reads, {hits} hits, {moves} moves, {errors} errors");
    assert!(hits > 100 && moves > 20, "{hits} hits, {moves} moves");
}
