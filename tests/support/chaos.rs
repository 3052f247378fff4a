//! Random reads and writes during faults, and the check that no stale value was served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use tokio::task::JoinHandle;

const TASKS: u32 = 8;
const ROWS: u32 = 6;

/// The newest version of each row, and the newest whose invalidation has returned.
#[derive(Clone, Default)]
struct Table(Arc<[(AtomicU32, AtomicU32); ROWS as usize]>);

#[cacheable(key = "{hot}:rows:<<row>>:page:<<page>>", skip(table))]
async fn read(table: &Table, row: u32, page: u32) -> u32 {
    let version = table.0[row as usize].0.load(Ordering::SeqCst);
    // Some reads pause between the query and the fill, so that writes come between.
    for _ in 0..(row * 7 + page * 13) % 30 {
        tokio::task::yield_now().await;
    }
    version
}

#[invalidate(patterns = ["{hot}:rows:<<row>>:*"])]
async fn write(table: &Table, row: u32) -> u32 {
    table.0[row as usize].0.fetch_add(1, Ordering::SeqCst) + 1
}

/// Readers and writers that assert that no read is older than an invalidation that had returned
/// before the read began. The test adds the faults.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// The time after which the tasks end.
    pub time: Duration,
    /// One call in this number is a write.
    pub write_every: u32,
    /// Whether a write counts although it couldn't be sent. It must if all tasks share a process;
    /// another process can't know of it.
    pub unsent_writes_count: bool,
}

impl Chaos {
    /// Start eight tasks, spread over the caches.
    pub fn start(self, caches: &[Cache]) -> ChaosTasks {
        let (table, began) = (Table::default(), Instant::now());
        let tasks = (0..TASKS).zip(caches.iter().cycle());
        let tasks = tasks.map(|(task, cache)| {
            tokio::spawn(self.read_and_write(cache.clone(), table.clone(), task, began))
        });
        ChaosTasks(tasks.collect())
    }

    async fn read_and_write(self, cache: Cache, table: Table, task: u32, began: Instant) -> u32 {
        let (mut state, mut reads) = (task * 7_919 + 1, 0);
        while began.elapsed() < self.time {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (row, page) = ((state >> 8) % ROWS, (state >> 20) % 3);
            let floor = &table.0[row as usize].1;
            if (state >> 24).is_multiple_of(self.write_every) {
                let errors = cache.stats().errors;
                let version = cache.scope(write(&table, row)).await;
                if self.unsent_writes_count || cache.stats().errors == errors {
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
}

/// The running tasks of [`Chaos`].
#[derive(Debug)]
pub struct ChaosTasks(Vec<JoinHandle<u32>>);

impl ChaosTasks {
    /// Wait until all tasks have ended. Return the number of reads.
    pub async fn reads(self) -> u32 {
        let mut reads = 0;
        for task in self.0 {
            reads += task.await.expect("no read is stale");
        }
        reads
    }
}
