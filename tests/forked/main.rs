//! A process that forks: the child has none of the cache's threads, and must not share its
//! connections.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, exit};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use fork::{Fork, fork, waitpid_nohang};
use tests::{PATIENCE, RedisCluster, RedisServer};
use tokio::runtime::{Builder, Runtime};

static READS: AtomicU32 = AtomicU32::new(0);

#[cacheable(key = "rows:<<id>>", ttl = 600)]
async fn read(id: u32) -> u32 {
    READS.fetch_add(1, Ordering::SeqCst);
    id
}

#[cacheable(key = "rows:<<id>>", ttl = 600)]
fn read_blocking(id: u32) -> u32 {
    READS.fetch_add(1, Ordering::SeqCst);
    id
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
fn update(id: u32) -> u32 {
    id
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn builder() -> CacheBuilder {
    Cache::builder().prefix("app").response_timeout(PATIENCE)
}

/// Do the work in a forked child, which must succeed within half a minute.
fn in_child(work: impl FnOnce()) {
    let child = match fork().unwrap() {
        Fork::Child => {
            let done = catch_unwind(AssertUnwindSafe(work));
            exit(i32::from(done.is_err()))
        }
        Fork::Parent(child) => child,
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match waitpid_nohang(child).unwrap() {
            Some(status) => return assert_eq!(status, 0, "the child succeeds"),
            // A poll rather than `until_blocking`, because a child that hangs has to be killed.
            None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            None => {
                let _ = Command::new("kill")
                    .args(["-9", &child.to_string()])
                    .status();
                panic!("the child hung");
            }
        }
    }
}

/// Assert hits, misses and invalidations in a child. The parent sees their effects.
fn a_child_caches(cache: &Cache) {
    runtime().block_on(async {
        for _ in 0..40 {
            assert_eq!(cache.scope(read(1)).await, 1);
        }
    });
    assert_eq!(cache.scope_sync(|| read_blocking(2)), 2);
    let before = READS.load(Ordering::SeqCst);
    in_child(|| {
        assert_eq!(runtime().block_on(cache.scope(read(1))), 1);
        assert_eq!(cache.scope_sync(|| read_blocking(2)), 2);
        assert_eq!(READS.load(Ordering::SeqCst), before, "both calls are hits");
        runtime().block_on(async {
            for _ in 0..40 {
                assert_eq!(cache.scope(read(3)).await, 3);
            }
        });
        assert_eq!(READS.load(Ordering::SeqCst), before + 1);
        // Fork the child, too.
        in_child(|| {
            assert_eq!(cache.scope_sync(|| read_blocking(3)), 3);
            assert_eq!(READS.load(Ordering::SeqCst), before + 1, "a hit");
            assert_eq!(cache.scope_sync(|| update(2)), 2);
        });
        assert_eq!(cache.scope_sync(|| update(1)), 1);
        assert_eq!(cache.stats().errors, 0);
    });
    // The parent's connections still work.
    assert_eq!(cache.blocking().get::<u32>("rows:3").unwrap(), Some(3));
    assert_eq!(cache.blocking().get::<u32>("rows:2").unwrap(), None);
    assert_eq!(runtime().block_on(cache.scope(read(1))), 1);
    assert_eq!(
        READS.load(Ordering::SeqCst),
        before + 1,
        "the child invalidated the row"
    );
    assert_eq!(cache.stats().errors, 0);
}

#[test]
fn a_forked_child_uses_redis_over_connections_of_its_own() {
    let server = RedisServer::start();
    a_child_caches(&builder().redis(server.url()).build().unwrap());
}

#[test]
fn a_forked_child_uses_a_cluster_over_connections_of_its_own() {
    let cluster = RedisCluster::start();
    a_child_caches(&builder().redis_cluster(cluster.urls()).build().unwrap());
}

#[test]
fn a_forked_child_whose_redis_is_down_runs_uncached() {
    let mut server = RedisServer::start();
    let cache = builder().redis(server.url()).build().unwrap();
    assert_eq!(cache.scope_sync(|| read_blocking(1)), 1);
    server.kill();
    in_child(|| {
        for _ in 0..10 {
            assert_eq!(cache.scope_sync(|| read_blocking(1)), 1);
            assert_eq!(runtime().block_on(cache.scope(read(1))), 1);
        }
        assert!(cache.blocking().get::<u32>("rows:1").is_err());
    });
}
