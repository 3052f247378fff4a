//! Runtimes built without I/O. The cache remembers for the whole process whether a runtime had I/O,
//! so this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use tests::{PATIENCE, RedisServer, until};
use tokio::runtime::{Builder, Runtime};

static PANICS: AtomicU32 = AtomicU32::new(0);

#[cacheable(key = "doubled:<<of>>", ttl = 600)]
async fn doubled(of: u32) -> u32 {
    of * 2
}

fn runtime_without_io() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn connections(server: &RedisServer) -> usize {
    let clients: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut server.connect())
        .unwrap();
    clients.lines().count() - 1
}

/// Read more often than a runtime does before it gets a connection of its own.
async fn read(cache: &Cache) {
    for _ in 0..50 {
        assert_eq!(cache.scope(doubled(4)).await, 8);
    }
}

/// Poll the runtime's tasks until a connection was tried. The runtime has no timer for `until`.
async fn until_tried() {
    let deadline = Instant::now() + Duration::from_secs(30);
    while PANICS.load(Ordering::SeqCst) == 0 {
        assert!(Instant::now() < deadline, "a connection was tried");
        tokio::task::yield_now().await;
    }
}

/// Connecting on a runtime without I/O panics in a task of the cache. Only the first such runtime
/// of a process is tried.
#[test]
fn reads_on_runtimes_without_io_use_the_caches_thread() {
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
    // With `runtime_connections(false)`, no runtime is tried.
    let builder = Cache::builder().redis(server.url());
    let careful = builder
        .response_timeout(PATIENCE)
        .runtime_connections(false)
        .build()
        .unwrap();
    for _ in 0..5 {
        runtime_without_io().block_on(async {
            read(&careful).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            read(&careful).await;
        });
    }
    assert_eq!(connections(&server), 1);
    assert_eq!(careful.stats().errors, 0);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "no runtime was tried");
    drop(careful);
    redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
    let builder = Cache::builder().redis(server.url());
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    let with_io = Builder::new_current_thread().enable_all().build().unwrap();
    // The first cache's connection may not have ended yet.
    with_io.block_on(until("two connections are open", || async {
        assert_eq!(cache.scope(doubled(4)).await, 8);
        connections(&server) == 2
    }));
    for _ in 0..10 {
        runtime_without_io().block_on(async {
            read(&cache).await;
            until_tried().await;
            read(&cache).await;
        });
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
    // A runtime with a connection keeps it.
    with_io.block_on(read(&cache));
    assert_eq!(connections(&server), 2);
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.misses), (0, 1));
}
