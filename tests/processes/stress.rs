//! Readers and writers in four processes, on fifty rows: no read is older than what was invalidated before it began.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tests::RedisServer;

use crate::database::{Database, patient_connection};
use crate::worker::{self, Orders};

const PROCESSES: usize = 4;
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

/// A pause between the query and the fill, now and then, for writes to come between.
async fn think(row: u32, page: u32) {
    for _ in 0..(row * 7 + page * 13) % 40 {
        tokio::task::yield_now().await;
    }
}

/// The same read as people write it by hand: GET, query, SET. It has the race that leases close.
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
    // What this process has invalidated itself: with a near cache, it may be behind the others by a push.
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

struct Outcome {
    reads: u64,
    stale: u64,
    hits: u64,
    errors: u64,
}

fn run(role: &str) -> Outcome {
    // One after the other: each takes the whole machine.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| worker::start(role, &cache, &database))
        .collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = Database::open(&database.url()).await;
        assert_eq!(database.counted("finished").await, PROCESSES as u64);
        let (reads, stale) = (
            database.counted("reads").await,
            database.counted("stale").await,
        );
        let (hits, errors) = (
            database.counted("hits").await,
            database.counted("errors").await,
        );
        println!("{role}: {reads} reads, {hits} hits, {stale} stale, {errors} errors");
        Outcome {
            reads,
            stale,
            hits,
            errors,
        }
    })
}

#[test]
fn no_read_is_stale_and_most_are_hits() {
    let Outcome {
        reads,
        stale,
        hits,
        errors,
    } = run("stress");
    assert_eq!(stale, 0);
    assert!(reads > 1_000 && hits * 2 > reads, "{hits} of {reads}");
    assert!(
        errors * 100 < reads,
        "{errors} of {reads} went without the cache"
    );
}

#[test]
fn with_near_stores_no_read_is_older_than_what_its_process_invalidated() {
    let Outcome {
        reads, stale, hits, ..
    } = run("stress-near");
    assert_eq!(stale, 0);
    assert!(reads > 1_000 && hits * 2 > reads, "{hits} of {reads}");
}

#[test]
fn without_leases_the_same_test_finds_stale_reads() {
    let Outcome { stale, .. } = run("stress-by-hand");
    assert!(stale > 0, "a test that can't fail shows nothing");
}
