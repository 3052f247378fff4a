//! Readers and writers on fifty rows, which count stale reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tests::{Database, patient_connection};

use crate::Orders;

const READERS: u32 = 6;
const ROWS: u32 = 50;
const PAGES: u32 = 3;
const TIME: Duration = Duration::from_secs(20);

#[cacheable(key = "rows:<<row>>:page:<<page>>", skip(database))]
async fn read(database: &Database, row: u32, page: u32) -> u64 {
    let version = database.version(row).await;
    think(row, page).await;
    version
}

#[invalidate(patterns = ["rows:<<row>>:*"])]
async fn write(database: &Database, row: u32) -> u64 {
    database.update(row).await
}

/// Pause between the query and the fill in some reads, so that writes come between.
async fn think(row: u32, page: u32) {
    for _ in 0..(row * 7 + page * 13) % 40 {
        tokio::task::yield_now().await;
    }
}

/// The read as it is written by hand: GET, query, SET. It has the race that leases close.
async fn read_by_hand(
    cache: &mut MultiplexedConnection,
    database: &Database,
    row: u32,
    page: u32,
) -> u64 {
    let key = format!("app:rows:{row}:page:{page}");
    if let Ok(Some(version)) = cache.get::<_, Option<u64>>(&key).await {
        return version;
    }
    let version = database.version(row).await;
    think(row, page).await;
    let _: Result<(), _> = cache.set_ex(&key, version, 60).await;
    version
}

async fn write_by_hand(cache: &mut MultiplexedConnection, database: &Database, row: u32) -> u64 {
    let version = database.update(row).await;
    let keys: Vec<String> = (0..PAGES)
        .map(|page| format!("app:rows:{row}:page:{page}"))
        .collect();
    let _: () = cache.del(keys).await.unwrap();
    version
}

pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let by_hand = orders.role == "stress-by-hand";
    let near = orders.role == "stress-near";
    let cache = Arc::new(
        Cache::builder()
            .prefix("app")
            .redis(orders.cache_url.as_str())
            .near_cache(if near { 1 << 20 } else { 0 })
            .build()
            .unwrap(),
    );
    // The versions that this process invalidated. With a near cache, it may lag behind the other
    // processes by one push.
    let own_floors: Arc<[AtomicU64; ROWS as usize]> =
        Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
    let time = if by_hand { TIME / 4 } else { TIME };
    let started = Instant::now();
    let mut tasks = Vec::new();
    for task in 0..READERS {
        let (cache, database) = (Arc::clone(&cache), database.clone());
        let own_floors = Arc::clone(&own_floors);
        let mut plain = patient_connection(&orders.cache_url).await;
        tasks.push(tokio::spawn(async move {
            let (mut state, mut reads, mut stale) = (task + std::process::id(), 0, 0);
            while started.elapsed() < time {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (row, page) = ((state >> 8) % ROWS, (state >> 20) % PAGES);
                if (state >> 24).is_multiple_of(40) {
                    let version = if by_hand {
                        write_by_hand(&mut plain, &database, row).await
                    } else {
                        cache.scope(write(&database, row)).await
                    };
                    own_floors[row as usize].fetch_max(version, Ordering::SeqCst);
                    database.raise_floor(row, version).await;
                    continue;
                }
                let floor = if near {
                    tokio::task::yield_now().await;
                    own_floors[row as usize].load(Ordering::SeqCst)
                } else {
                    database.floor(row).await
                };
                let version = if by_hand {
                    read_by_hand(&mut plain, &database, row, page).await
                } else {
                    cache.scope(read(&database, row, page)).await
                };
                reads += 1;
                stale += u64::from(version < floor);
            }
            database.count("reads", reads).await;
            database.count("stale", stale).await;
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stats = cache.stats();
    database.count("hits", stats.hits).await;
    database.count("errors", stats.errors).await;
    database.count("finished", 1).await;
}
