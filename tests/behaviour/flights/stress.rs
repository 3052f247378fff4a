//! Random readers and writers: no read is older than an invalidation that returned before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{RedisServer, soon};

const ROWS: u32 = 8;

/// The table behind the cache, and the newest version of each row whose invalidation has returned.
#[derive(Default)]
struct Table {
    versions: [AtomicU64; ROWS as usize],
    floors: [AtomicU64; ROWS as usize],
    runs: AtomicU64,
}

/// Marsaglia's xorshift generator, which makes the same choices in each run.
#[derive(Clone)]
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % limit
    }
}

/// Read the row, then pause: the stale fill that must not be stored.
#[cacheable(key = "rows:<<id>>:one", ttl = 60, skip(table, pauses))]
async fn row(table: &Table, id: u32, pauses: u64) -> Result<u64, ()> {
    table.runs.fetch_add(1, Ordering::Relaxed);
    let version = table.versions[id as usize].load(Ordering::SeqCst);
    for _ in 0..pauses {
        tokio::task::yield_now().await;
    }
    if pauses == 3 { Err(()) } else { Ok(version) }
}

#[cacheable(key = "rows:<<id>>:one", ttl = 60, skip(table))]
fn row_sync(table: &Table, id: u32) -> u64 {
    table.runs.fetch_add(1, Ordering::Relaxed);
    let version = table.versions[id as usize].load(Ordering::SeqCst);
    std::thread::yield_now();
    version
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn write(table: &Table, id: u32) -> u64 {
    table.versions[id as usize].fetch_add(1, Ordering::SeqCst) + 1
}

async fn write_somehow(cache: &Cache, table: &Table, id: u32, way: u64) {
    let version = if way == 0 {
        write(table, id).await
    } else {
        let version = table.versions[id as usize].fetch_add(1, Ordering::SeqCst) + 1;
        match way {
            1 => drop(cache.delete(&format!("rows:{id}:one")).await.unwrap()),
            2 => drop(row_invalidate(table, id, 0).await.unwrap()),
            3 => drop(cache.delete_pattern("*:one").await.unwrap()),
            _ => drop(cache.clear().await.unwrap()),
        }
        version
    };
    table.floors[id as usize].fetch_max(version, Ordering::SeqCst);
}

async fn act(cache: Cache, table: Arc<Table>, mut numbers: Numbers, steps: u32) {
    for _ in 0..steps {
        let id = numbers.below(u64::from(ROWS)) as u32;
        let floor = table.floors[id as usize].load(Ordering::SeqCst);
        let pauses = numbers.below(6);
        let seen = match numbers.below(24) {
            0 => {
                write_somehow(&cache, &table, id, numbers.below(5)).await;
                continue;
            }
            // A call that is dropped halfway, as when a client disconnects.
            1 | 2 => {
                let patience = Duration::from_micros(numbers.below(400));
                match tokio::time::timeout(patience, row(&table, id, pauses)).await {
                    Ok(Ok(seen)) => seen,
                    _ => continue,
                }
            }
            3 => match row_refresh(&table, id, pauses).await {
                Ok(seen) => seen,
                Err(()) => continue,
            },
            // On its own thread: the two caches stand for two processes, so the leader of one must
            // not need a thread that a caller of the other blocks.
            4 => {
                let (cache, table) = (cache.clone(), Arc::clone(&table));
                let read = move || cache.scope_sync(|| row_sync(&table, id));
                tokio::task::spawn_blocking(read).await.unwrap()
            }
            _ => match row(&table, id, pauses).await {
                Ok(seen) => seen,
                Err(()) => continue,
            },
        };
        assert!(seen >= floor, "row {id}: {seen} is older than {floor}");
    }
}

async fn stress(name: &str, caches: &[Cache], steps: u32) {
    let table = Arc::new(Table::default());
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let cache = caches[task % caches.len()].clone();
            let numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ (task as u64 + 1) << 20);
            let act = act(cache.clone(), Arc::clone(&table), numbers, steps);
            tokio::spawn(cache.scope(act))
        })
        .collect();
    for task in tasks {
        soon(task).await.unwrap();
    }
    let hits: u64 = caches.iter().map(|cache| cache.stats().hits).sum();
    let runs = table.runs.load(Ordering::Relaxed);
    println!("{name}: {hits} hits, {runs} runs");
    assert!(hits > runs, "{name}: most calls are hits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_is_older_than_an_invalidation_before_it() {
    let memory = Cache::builder().prefix("s").build().unwrap();
    stress("memory", &[memory], 4_000).await;
    let server = RedisServer::start();
    let redis = || {
        let builder = Cache::builder().prefix("s").redis(server.url());
        builder
            .response_timeout(Duration::from_secs(5))
            .build()
            .unwrap()
    };
    stress("two on one redis", &[redis(), redis()], 400).await;
}
