//! Write-through on real servers. Two caches on one server stand for two processes: only the server
//! connects them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, cacheable, write_through};
use redis::Commands;
use tests::{Gate, PATIENCE, RedisServer, Runs, begin, until, until_well};

/// A row of a database: its version.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

impl Row {
    fn version(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", ttl = 600, skip(row, runs))]
async fn read_row(row: &Row, runs: &Runs, id: u32) -> u32 {
    runs.next();
    row.version()
}

#[write_through(key = "rows:<<id>>", ttl = 600)]
async fn update_row(row: &Row, id: u32) -> Result<u32, String> {
    Ok(row.0.fetch_add(1, Ordering::SeqCst) + 1)
}

#[write_through(key = "rows:<<id>>", ttl = 600)]
async fn slow_update(row: Row, gate: Gate, id: u32) -> u32 {
    let version = row.0.fetch_add(1, Ordering::SeqCst) + 1;
    gate.pass().await;
    version
}

fn builder(server: &RedisServer) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(server.url())
        .response_timeout(PATIENCE)
}

fn two_processes(server: &RedisServer) -> (Cache, Cache) {
    let cache = || builder(server).build().unwrap();
    (cache(), cache())
}

#[tokio::test]
async fn a_reader_of_another_process_runs_uncached_during_the_write_and_hits_after_it() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let (row, gate, runs) = (Row::default(), Gate::new(), Runs::default());
    b.scope(read_row(&row, &runs, 1)).await;
    let writer = begin(&a, slow_update(row.clone(), gate.clone(), 1)).await;
    assert_eq!(b.scope(read_row(&row, &runs, 1)).await, 1);
    assert_eq!(b.scope(read_row(&row, &runs, 1)).await, 1);
    assert_eq!(runs.count(), 3);
    gate.open();
    assert_eq!(writer.await.unwrap(), 1);
    assert_eq!(b.scope(read_row(&row, &runs, 1)).await, 1);
    assert_eq!(runs.count(), 3);
}

#[tokio::test]
async fn writers_of_two_processes_leave_nothing_in_either_order() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    for a_ends_first in [true, false] {
        let (row, runs) = (Row::default(), Runs::default());
        let (of_a, of_b) = (Gate::new(), Gate::new());
        let in_a = begin(&a, slow_update(row.clone(), of_a.clone(), 1)).await;
        let in_b = begin(&b, slow_update(row.clone(), of_b.clone(), 1)).await;
        let in_order = match a_ends_first {
            true => [(of_a, in_a), (of_b, in_b)],
            false => [(of_b, in_b), (of_a, in_a)],
        };
        for (gate, writer) in in_order {
            gate.open();
            writer.await.unwrap();
            assert_eq!(a.get::<u32>("rows:1").await.unwrap(), None);
        }
        assert_eq!(b.scope(read_row(&row, &runs, 1)).await, 2);
        assert_eq!(a.scope(read_row(&row, &runs, 1)).await, 2);
        assert_eq!(runs.count(), 1, "cached again");
        a.delete("rows:1").await.unwrap();
    }
}

#[tokio::test]
async fn the_lease_of_a_write_that_outlasts_it_is_renewed() {
    let server = RedisServer::start();
    let ttl = Duration::from_millis(600);
    let cache = builder(&server).lease_ttl(ttl).build().unwrap();
    let (row, gate) = (Row::default(), Gate::new());
    let writer = begin(&cache, slow_update(row, gate.clone(), 1)).await;
    let mut redis = server.connect();
    let began = std::time::Instant::now();
    until("twice the lease's TTL has passed", || async {
        began.elapsed() > ttl * 2
    })
    .await;
    assert!(redis.exists::<_, bool>("app:rows:1").unwrap());
    gate.open();
    writer.await.unwrap();
    assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_write_whose_lease_is_lost_invalidates() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let (row, gate) = (Row::default(), Gate::new());
    let writer = begin(&a, slow_update(row.clone(), gate.clone(), 1)).await;
    let _: () = redis::cmd("FLUSHALL").query(&mut server.connect()).unwrap();
    // A value from before the commit.
    b.set("rows:1", &0_u32, 600).await.unwrap();
    gate.open();
    writer.await.unwrap();
    assert_eq!(b.get::<u32>("rows:1").await.unwrap(), None);
    // The lease was gone, so this write is not contested.
    b.scope(update_row(&row, 1)).await.unwrap();
    assert_eq!(b.get::<u32>("rows:1").await.unwrap(), Some(2));
}

#[tokio::test]
async fn explicit_operations_ignore_the_lease_of_a_write() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let gate = Gate::new();
    let writer = begin(&a, slow_update(Row::default(), gate.clone(), 1)).await;
    assert_eq!(b.get::<u32>("rows:1").await.unwrap(), None);
    assert!(!b.exists("rows:1").await.unwrap());
    assert_eq!(b.ttl("rows:1").await.unwrap(), None);
    assert!(!b.delete("rows:1").await.unwrap(), "a lease is not counted");
    gate.open();
    writer.await.unwrap();
}

#[tokio::test]
async fn a_lease_of_a_write_without_ttl_blocks_no_caller() {
    let server = RedisServer::start();
    let (a, b) = two_processes(&server);
    let (gate, runs, row) = (Gate::new(), Runs::default(), Row::default());
    let writer = begin(&a, slow_update(Row::default(), gate.clone(), 1)).await;
    let _: () = server.connect().persist("app:rows:1").unwrap();
    b.scope(read_row(&row, &runs, 1)).await;
    b.scope(read_row(&row, &runs, 1)).await;
    assert_eq!(runs.count(), 1, "it was replaced");
    gate.open();
    writer.await.unwrap();
    assert_eq!(b.get::<u32>("rows:1").await.unwrap(), None);
}

#[tokio::test]
async fn with_near_caches_a_read_of_the_process_is_never_older_than_its_write() {
    let server = RedisServer::start();
    let near = || builder(&server).near_cache(1 << 20).build().unwrap();
    let (a, b, plain) = (near(), near(), builder(&server).build().unwrap());
    let (row, runs) = (Row::default(), Runs::default());
    for round in 1..=60 {
        for reader in [&a, &b] {
            for _ in 0..3 {
                reader.scope(read_row(&row, &runs, 1)).await;
            }
        }
        let writer = [&a, &b, &plain][round as usize % 3];
        assert_eq!(writer.scope(update_row(&row, 1)).await, Ok(round));
        for reader in [&a, &b, &plain] {
            assert_eq!(reader.scope(read_row(&row, &runs, 1)).await, round);
        }
    }
    assert_eq!(runs.count(), 1, "after the first read, all are hits");
}

/// The server loses the fill, and has the value from before the write again.
#[tokio::test]
async fn a_fill_that_the_server_forgets_is_an_invalidation() {
    let mut server = RedisServer::start();
    let cache = builder(&server).build().unwrap();
    let (row, runs) = (Row::default(), Runs::default());
    cache.scope(read_row(&row, &runs, 1)).await;
    let _: () = redis::cmd("SAVE").query(&mut server.connect()).unwrap();
    cache.scope(update_row(&row, 1)).await.unwrap();
    server.kill();
    server.restart();
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read_row(&row, &runs, 1)).await, 1);
        let found = cache.get::<u32>("rows:1").await;
        found.is_ok_and(|found| found == Some(1))
    })
    .await;
    until_well(&cache).await;
}
