//! Readers and writers of two processes while the slots of their keys and of their index move back and forth: no read
//! is older than an invalidation that had returned before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use tests::RedisCluster;

use crate::common::{cache_on, settled};

const ROWS: u32 = 6;
const TIME: Duration = Duration::from_secs(8);

#[derive(Clone, Default)]
struct Table(Arc<[(AtomicU32, AtomicU32); ROWS as usize]>);

#[cacheable(key = "{hot}:rows:<<row>>:page:<<page>>", skip(table))]
async fn read(table: &Table, row: u32, page: u32) -> u32 {
    let version = table.0[row as usize].0.load(Ordering::SeqCst);
    // Between the query and the fill, now and then, others write.
    for _ in 0..(row * 7 + page * 13) % 30 {
        tokio::task::yield_now().await;
    }
    version
}

#[invalidate(patterns = ["{hot}:rows:<<row>>:*"])]
async fn write(table: &Table, row: u32) -> u32 {
    table.0[row as usize].0.fetch_add(1, Ordering::SeqCst) + 1
}

async fn read_and_write(cache: Cache, table: Table, task: u32, began: Instant) -> u32 {
    let (mut state, mut reads) = (task * 7_919 + 1, 0);
    while began.elapsed() < TIME {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (row, page) = ((state >> 8) % ROWS, (state >> 20) % 3);
        let floor = &table.0[row as usize].1;
        if (state >> 24).is_multiple_of(16) {
            let failed = cache.stats().errors;
            let version = cache.scope(write(&table, row)).await;
            // One that could not be sent binds this process alone, as another one can't know of it.
            if cache.stats().errors == failed {
                floor.fetch_max(version, Ordering::SeqCst);
            }
        } else {
            let floor = floor.load(Ordering::SeqCst);
            let version = cache.scope(read(&table, row, page)).await;
            assert!(version >= floor, "row {row}: {version} after {floor}");
            reads += 1;
        }
        tokio::task::yield_now().await;
    }
    reads
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_while_slots_move_back_and_forth() {
    let cluster = RedisCluster::start();
    let caches = [cache_on(&cluster), cache_on(&cluster)];
    settled(&caches[0]).await;
    let (table, began) = (Table::default(), Instant::now());
    let over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let cache = caches[task as usize % 2].clone();
            tokio::spawn(read_and_write(cache, table.clone(), task, began))
        })
        .collect();
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
    let mut reads = 0;
    for task in tasks {
        reads += task.await.unwrap();
    }
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
