//! Several runtimes of one process, which end, are blocked, or aren't polled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tests::{Fault, Proxy, RedisServer, until};
use tokio::runtime::{Builder, Runtime};

use super::{Row, builder, connections, read, read_blocking, until_local, update};

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn several() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Read, write and read, often enough to use every connection.
async fn round(cache: &Cache, row: &Row) {
    for _ in 0..50 {
        assert_eq!(cache.scope(read(row, 1)).await, row.version());
    }
    let version = cache.scope(update(row, 1)).await;
    assert_eq!(cache.scope(read(row, 1)).await, version);
}

#[test]
fn each_runtime_that_reads_often_has_a_connection_until_it_ends() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    for runtime in [current(), several(), current()] {
        runtime.block_on(async {
            until_local(&server, &cache, &row).await;
            round(&cache, &row).await;
            assert_eq!(connections(&server), 2);
        });
        drop(runtime);
        current().block_on(until("the connection is closed", || async {
            connections(&server) == 1
        }));
    }
    assert_eq!(cache.stats().errors, 0);
}

#[test]
fn a_few_reads_open_no_connection_of_the_runtime() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    for _ in 0..20 {
        let runtime = current();
        runtime.block_on(async {
            for _ in 0..5 {
                cache.scope(read(&row, 1)).await;
            }
        });
    }
    assert_eq!(connections(&server), 1);
}

/// Reads of a runtime that ends are dropped with it, in any state. Reads on other runtimes succeed.
#[test]
fn a_runtime_that_ends_during_a_read_is_not_an_outage() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    let stays = several();
    stays.block_on(until_local(&server, &cache, &row));
    for _ in 0..10 {
        let ends = several();
        ends.block_on(until_two_local(&server, &cache, &row));
        for _ in 0..16 {
            let (cache, row) = (cache.clone(), row.clone());
            ends.spawn(async move {
                loop {
                    assert_eq!(cache.scope(read(&row, 1)).await, 0);
                }
            });
        }
        stays.block_on(async {
            for _ in 0..200 {
                assert_eq!(cache.scope(read(&row, 1)).await, 0);
            }
        });
        ends.shutdown_background();
        stays.block_on(async {
            for _ in 0..200 {
                assert_eq!(cache.scope(read(&row, 1)).await, 0);
            }
        });
    }
    assert_eq!(cache.stats().errors, 0);
    stays.block_on(async { cache.health_check().await.unwrap() });
}

async fn until_two_local(server: &RedisServer, cache: &Cache, row: &Row) {
    until("both runtimes have a connection", || async {
        cache.scope(read(row, 1)).await;
        connections(server) == 3
    })
    .await;
}

/// A reader within a runtime may be a thread that has entered it, which outlives the I/O driver.
#[test]
fn reads_continue_on_a_thread_that_outlives_its_runtime() {
    let server = RedisServer::start();
    let (cache, row) = (builder(server.url()).build().unwrap(), Row::default());
    for _ in 0..5 {
        let runtime = several();
        runtime.block_on(until_local(&server, &cache, &row));
        let (inside, over) = (runtime.handle().clone(), AtomicBool::new(false));
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let _inside = inside.enter();
                let mut after = 0;
                while after < 50 {
                    after += u32::from(over.load(Ordering::SeqCst));
                    let found = futures_executor::block_on(cache.scope(read(&row, 1)));
                    assert_eq!(found, row.version());
                }
            });
            drop(runtime);
            over.store(true, Ordering::SeqCst);
            reader.join().unwrap();
        });
    }
    assert_eq!(cache.stats().errors, 0);
}

/// A response timeout so long that a call that waits for it is noticed.
const LONG: Duration = Duration::from_secs(240);

/// The blocked thread is the one that would run the I/O driver.
#[test]
fn a_blocking_call_in_a_runtime_does_not_wait_for_the_runtimes_io_driver() {
    let server = RedisServer::start();
    let cache = builder(server.url())
        .response_timeout(LONG)
        .build()
        .unwrap();
    let row = Row::default();
    current().block_on(async {
        until_local(&server, &cache, &row).await;
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(cache.scope_sync(|| read_blocking(&row, 1)), 0);
            assert_eq!(cache.blocking().get::<u32>("rows:1").unwrap(), Some(0));
        }
        assert!(started.elapsed() < LONG / 16, "{:?}", started.elapsed());
    });
    assert_eq!(cache.stats().errors, 0);
}

/// `Handle::block_on` on another thread runs no task of a current-thread runtime, and neither does
/// another executor on the runtime's own thread. The read is repeated over the main connection.
#[test]
fn reads_succeed_on_a_runtime_whose_tasks_are_not_polled() {
    let server = RedisServer::start();
    let short = Duration::from_millis(400);
    let cache = builder(server.url())
        .response_timeout(short)
        .build()
        .unwrap();
    let (row, runtime) = (Row::default(), current());
    for _ in 0..2 {
        runtime.block_on(until_local(&server, &cache, &row));
        thread::scope(|scope| {
            let other = scope.spawn(|| runtime.handle().block_on(cache.scope(read(&row, 1))));
            assert_eq!(other.join().unwrap(), 0);
        });
    }
    runtime.block_on(async {
        until_local(&server, &cache, &row).await;
        assert_eq!(futures_executor::block_on(cache.scope(read(&row, 1))), 0);
    });
    assert_eq!(cache.stats().errors, 0, "not an outage");
    // The runtime that isn't polled doesn't affect others.
    several().block_on(round(&cache, &row));
}

/// The runtime is busy for longer than the timeout while the reply waits to be read. That is not
/// the server's fault.
#[test]
fn a_runtime_busy_for_longer_than_a_timeout_is_not_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let short = Duration::from_millis(200);
    let cache = builder(proxy.url())
        .response_timeout(short)
        .build()
        .unwrap();
    let row = Row::default();
    current().block_on(async {
        until_local(&server, &cache, &row).await;
        proxy.set(Fault::Silent);
        let busy = async {
            // The driver is polled first, and sends the command.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            proxy.set(Fault::None);
            // A blocked thread is what the test is about.
            thread::sleep(3 * short);
        };
        let (found, ()) = tokio::join!(cache.scope(read(&row, 1)), busy);
        assert_eq!(found, 0);
        assert_eq!(cache.stats().errors, 0);
    });
}
