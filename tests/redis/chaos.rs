//! Readers and writers of one process while the connection does what it wants: whatever is queued, replayed, late or
//! cut, no read is older than an invalidation that had returned before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Fault, Proxy, RedisServer};

const ROWS: u32 = 6;
const TIME: Duration = Duration::from_secs(6);

#[derive(Clone, Default)]
struct Table(Arc<[(AtomicU32, AtomicU32); ROWS as usize]>);

#[cacheable(key = "rows:<<row>>:page:<<page>>", skip(table))]
async fn read(table: &Table, row: u32, page: u32) -> u32 {
    let version = table.0[row as usize].0.load(Ordering::SeqCst);
    // Between the query and the fill, now and then, others write.
    for _ in 0..(row * 7 + page * 13) % 30 {
        tokio::task::yield_now().await;
    }
    version
}

#[invalidate(patterns = ["rows:<<row>>:*"])]
async fn write(table: &Table, row: u32) -> u32 {
    table.0[row as usize].0.fetch_add(1, Ordering::SeqCst) + 1
}

async fn read_and_write(cache: Cache, table: Table, task: u32, began: Instant) -> u32 {
    let (mut state, mut reads) = (task * 7_919 + 1, 0);
    while began.elapsed() < TIME {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (row, page) = ((state >> 8) % ROWS, (state >> 20) % 3);
        let floor = &table.0[row as usize].1;
        if (state >> 24).is_multiple_of(32) {
            let version = cache.scope(write(&table, row)).await;
            floor.fetch_max(version, Ordering::SeqCst);
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
async fn no_read_is_stale_whatever_the_connection_does() {
    no_read_is_stale(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_with_a_near_store() {
    no_read_is_stale(1 << 20).await;
}

async fn no_read_is_stale(near: usize) {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .near_cache(near)
        .response_timeout(Duration::from_millis(60))
        .invalidation_timeout(Duration::from_millis(200))
        .lease_ttl(Duration::from_millis(500))
        .build()
        .unwrap();
    let (table, began) = (Table::default(), Instant::now());
    let tasks: Vec<_> = (0..8)
        .map(|task| tokio::spawn(read_and_write(cache.clone(), table.clone(), task, began)))
        .collect();
    let faults = [
        Fault::Refuse,
        Fault::Silent,
        Fault::Cut,
        Fault::Delay(Duration::from_millis(15)),
        Fault::Corrupt,
        Fault::Silent,
    ];
    for (step, fault) in (0..).zip(faults.into_iter().cycle()) {
        if began.elapsed() > TIME {
            break;
        }
        // Not a wait for something: how long each fault lasts is what is varied.
        proxy.set(fault);
        tokio::time::sleep(Duration::from_millis(20 + step * 37 % 150)).await;
        proxy.set(Fault::None);
        tokio::time::sleep(Duration::from_millis(50 + step * 53 % 200)).await;
    }
    let mut reads = 0;
    for task in tasks {
        reads += task.await.unwrap();
    }
    let stats = cache.stats();
    println!(
        "{reads} reads, {} hits, {} errors",
        stats.hits, stats.errors
    );
    assert!(stats.hits > 100 && stats.errors > 100, "both were seen");
}
