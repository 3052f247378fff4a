//! Runtimes that were built without I/O. What they do to the cache holds for the whole process, so this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use tests::{PATIENCE, RedisServer};
use tokio::runtime::{Builder, Runtime};

static PANICS: AtomicU32 = AtomicU32::new(0);

#[cacheable(key = "doubled:<<of>>", ttl = 600)]
async fn doubled(of: u32) -> u32 {
    of * 2
}

fn without_io() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn connections(server: &RedisServer) -> usize {
    let clients: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut server.connect())
        .unwrap();
    clients.lines().count() - 1
}

/// More reads than a runtime makes before it gets a connection of its own.
async fn read(cache: &Cache) {
    for _ in 0..50 {
        assert_eq!(cache.scope(doubled(4)).await, 8);
    }
}

/// Reads until so many connections stand.
async fn until(server: &RedisServer, cache: &Cache, wanted: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while connections(server) != wanted {
        assert_eq!(cache.scope(doubled(4)).await, 8);
        assert!(Instant::now() < deadline, "{wanted} connections");
    }
}

/// That it has no I/O shows by a panic in a task of the cache's own; only the first such runtime of a process is asked.
#[test]
fn runtimes_without_io_read_over_the_caches_thread() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        match panic.payload().downcast_ref::<String>() {
            Some(text) if text.contains("IO is disabled") => {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            _ => default(panic),
        }
    }));
    let server = RedisServer::start();
    // A cache that is told to asks none of them.
    let builder = Cache::builder().redis(server.url());
    let careful = builder
        .response_timeout(PATIENCE)
        .runtime_connections(false)
        .build()
        .unwrap();
    for _ in 0..5 {
        without_io().block_on(async {
            read(&careful).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            read(&careful).await;
        });
    }
    assert_eq!(connections(&server), 1);
    assert_eq!(careful.stats().errors, 0);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "no panic was provoked");
    drop(careful);
    redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
    let builder = Cache::builder().redis(server.url());
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    let with_io = Builder::new_current_thread().enable_all().build().unwrap();
    // The careful one's connection may not have ended yet.
    with_io.block_on(until(&server, &cache, 2));
    for _ in 0..10 {
        without_io().block_on(async {
            read(&cache).await;
            // Its tasks have had their turns, the one that finds out too.
            let deadline = Instant::now() + Duration::from_secs(30);
            while PANICS.load(Ordering::SeqCst) == 0 {
                assert!(Instant::now() < deadline, "it was asked");
                tokio::task::yield_now().await;
            }
            read(&cache).await;
        });
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
    // Who has a connection keeps it.
    with_io.block_on(read(&cache));
    assert_eq!(connections(&server), 2);
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.misses), (0, 1));
}
