//! `CacheBuilder::owner_capacity`: how much one owner may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, cacheable};
use tests::{RedisServer, Runs, on_both_stores_with};

const CAPACITY: usize = 20_000;

#[cacheable(key = "blob:<<user>>:<<id>>", ttl = 600, owner = user, skip(runs, length))]
async fn blob(user: u32, id: u32, length: usize, runs: &Runs) -> String {
    runs.next();
    "x".repeat(length)
}

#[cacheable(key = "kept:<<user>>", ttl = "30ms", stale = "10m", owner = user, skip(runs))]
async fn kept(user: u32, runs: &Runs) -> u32 {
    let _ = user;
    runs.next()
}

#[cacheable(key = "brief:<<user>>:<<id>>", ttl = "40ms", owner = user)]
async fn brief(user: u32, id: u32) -> String {
    let _ = (user, id);
    "x".repeat(3_000)
}

fn limited(builder: CacheBuilder) -> CacheBuilder {
    // One shard, so that the sum of all bytes is read at one moment.
    builder.owner_capacity(CAPACITY).memory_capacity(6 << 20)
}

async fn bytes(cache: &Cache, user: u32) -> u64 {
    cache.owner_stats(user).await.unwrap().bytes
}

#[tokio::test]
async fn the_owners_oldest_entries_leave_and_no_one_elses() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        let fill = async {
            blob(2, 0, 3_000, &runs).await;
            for id in 0..6 {
                blob(1, id, 3_000, &runs).await;
            }
            // Reading an entry doesn't make it younger.
            blob(1, 0, 3_000, &runs).await;
            blob(1, 6, 3_000, &runs).await;
        };
        cache.scope(fill).await;
        assert!(bytes(&cache, 1).await <= CAPACITY as u64);
        for (key, is_cached) in [
            ("blob:2:0", true),
            ("blob:1:0", false),
            ("blob:1:1", true),
            ("blob:1:6", true),
        ] {
            assert_eq!(cache.exists(key).await.unwrap(), is_cached, "{key}");
        }
        // A refreshed entry is a young one.
        let refresh = async {
            blob_refresh(1, 1, 3_000, &runs).await;
            blob(1, 7, 3_000, &runs).await;
        };
        cache.scope(refresh).await;
        assert!(cache.exists("blob:1:1").await.unwrap());
        assert!(!cache.exists("blob:1:2").await.unwrap());
        assert_eq!(cache.owner_stats(1).await.unwrap().entries, 6);
    })
    .await;
}

#[tokio::test]
async fn a_value_larger_than_the_capacity_is_returned_and_not_stored() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        cache.scope(blob(1, 0, 3_000, &runs)).await;
        for _ in 0..2 {
            let value = cache.scope(blob(1, 1, CAPACITY, &runs)).await;
            assert_eq!(value.len(), CAPACITY);
        }
        let stats = cache.owner_stats(1).await.unwrap();
        assert_eq!((stats.entries, runs.count()), (1, 3));
        assert_eq!(cache.stats().too_large, 2);
        // Functions without an owner have no such limit.
        cache
            .set("other", &"x".repeat(2 * CAPACITY), 60)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn entries_that_expired_or_were_invalidated_leave_their_room_to_others() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        let fill = async {
            blob(1, 0, 3_000, &runs).await;
            for id in 0..5 {
                brief(1, id).await;
            }
        };
        cache.scope(fill).await;
        tests::until("the entries have expired", || async {
            !cache.exists("brief:1:4").await.unwrap()
        })
        .await;
        let again = async {
            for id in 1..6 {
                blob(1, id, 3_000, &runs).await;
            }
        };
        cache.scope(again).await;
        assert!(cache.exists("blob:1:0").await.unwrap(), "after an expiry");
        assert_eq!(cache.owner_stats(1).await.unwrap().entries, 6);
        cache.delete_pattern("blob:1:[2345]").await.unwrap();
        let again = async {
            for id in 12..16 {
                blob(1, id, 3_000, &runs).await;
            }
        };
        cache.scope(again).await;
        assert!(
            cache.exists("blob:1:0").await.unwrap(),
            "after an invalidation"
        );
        assert_eq!(cache.owner_stats(1).await.unwrap().entries, 6);
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_is_stored_again_counts_once() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        cache.scope(blob(1, 0, 3_000, &runs)).await;
        let before = bytes(&cache, 1).await;
        for _ in 0..10 {
            cache.scope(blob_refresh(1, 0, 3_000, &runs)).await;
        }
        assert_eq!(bytes(&cache, 1).await, before);
        cache.scope(blob_refresh(1, 0, 6_000, &runs)).await;
        assert_eq!(bytes(&cache, 1).await, before + 3_000);
    })
    .await;
}

/// A refresh fills by a claim on the old value.
#[tokio::test]
async fn a_value_that_is_refreshed_while_stale_is_stored() {
    on_both_stores_with(limited, |cache| async move {
        let runs = Runs::default();
        tests::until("the value was refreshed three times", || async {
            cache.scope(kept(1, &runs)).await >= 3
        })
        .await;
        let stats = cache.owner_stats(1).await.unwrap();
        assert_eq!(stats.entries, 1);
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}

/// Looks at the bytes of an owner's entries, again and again, on a thread of its own.
#[derive(Clone, Default)]
struct Watch {
    looks: Arc<AtomicU32>,
    ended: Arc<AtomicBool>,
}

impl Watch {
    /// Begin to look. The result is the most bytes that were seen.
    fn begin(&self, mut look: impl FnMut() -> u64 + Send + 'static) -> JoinHandle<u64> {
        let watch = self.clone();
        std::thread::spawn(move || {
            let mut most = 0;
            while !watch.ended.load(Ordering::SeqCst) {
                most = most.max(look());
                watch.looks.fetch_add(1, Ordering::SeqCst);
            }
            most
        })
    }

    /// End it, and check what it saw.
    fn end(&self, watcher: JoinHandle<u64>) {
        self.ended.store(true, Ordering::SeqCst);
        let (most, capacity) = (watcher.join().unwrap(), CAPACITY as u64);
        assert!(most <= capacity && most > capacity / 2, "{most} bytes");
    }
}

/// Store, refresh and invalidate entries of one owner from eight tasks, until the watcher has looked
/// often.
async fn eight_writers(cache: &Cache, watch: &Watch) {
    let mut writers = Vec::new();
    for writer in 0..8_u32 {
        let (cache, looks) = (cache.clone(), Arc::clone(&watch.looks));
        writers.push(tokio::spawn(async move {
            let runs = Runs::default();
            for round in 0..100_000_u32 {
                if round >= 60 && looks.load(Ordering::SeqCst) >= 100 {
                    return;
                }
                let id = (writer * 7 + round * 13) % 24;
                let length = 500 + (writer as usize * 331 + round as usize * 977) % 4_000;
                match round % 5 {
                    0 => drop(cache.scope(blob_refresh(1, id, length, &runs)).await),
                    4 => drop(cache.delete(&format!("blob:1:{id}")).await.unwrap()),
                    _ => drop(cache.scope(blob(1, id, length, &runs)).await),
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_capacity_holds_at_every_moment_in_memory() {
    let cache = limited(Cache::builder()).build().unwrap();
    let (watch, watched) = (Watch::default(), cache.clone());
    let watcher = watch.begin(move || watched.stats().bytes);
    eight_writers(&cache, &watch).await;
    watch.end(watcher);
    let stats = cache.owner_stats(1).await.unwrap();
    assert_eq!(
        (stats.entries, stats.bytes),
        (cache.stats().entries, cache.stats().bytes)
    );
}

/// A script on the server adds up the bytes of all entries, at one moment each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_capacity_holds_at_every_moment_on_redis() {
    let server = RedisServer::start();
    let build = || {
        limited(Cache::builder().redis(server.url()).prefix("app"))
            .response_timeout(Duration::from_secs(20))
            .build()
            .unwrap()
    };
    // Two processes could be two caches.
    let caches = [build(), build()];
    let mut admin = server.connect();
    let sum = redis::Script::new(
        "local sum = 0
         for _, key in ipairs(redis.call('KEYS', 'app:blob:*')) do
           local kind = string.byte(redis.call('GETRANGE', key, 2, 2))
           if kind ~= 2 then sum = sum + redis.call('STRLEN', key) + #key end
         end
         return sum",
    );
    let watch = Watch::default();
    let watcher = watch.begin(move || sum.invoke(&mut admin).unwrap());
    tokio::join!(
        eight_writers(&caches[0], &watch),
        eight_writers(&caches[1], &watch)
    );
    watch.end(watcher);
    let [one, two] = caches;
    assert_eq!(bytes_now(&one).await, bytes_now(&two).await);
    let actual: u64 = redis::Script::new(
        "local sum = 0
         for _, key in ipairs(redis.call('KEYS', 'app:blob:*')) do
           sum = sum + redis.call('STRLEN', key) + #key
         end
         return sum",
    )
    .invoke(&mut server.connect())
    .unwrap();
    assert_eq!(
        bytes_now(&one).await,
        actual,
        "the account equals the entries"
    );
}

async fn bytes_now(cache: &Cache) -> u64 {
    bytes(cache, 1).await
}

#[cacheable(key = "nothing:<<user>>", ttl = 600, cache_none, owner = user, skip(runs))]
async fn nothing(user: u32, runs: &Runs) -> Option<u32> {
    let _ = user;
    runs.next();
    None
}

#[tokio::test]
async fn a_none_that_exceeds_the_capacity_is_not_stored_either() {
    for (capacity, runs_expected) in [(20, 2), (CAPACITY, 1)] {
        on_both_stores_with(
            move |builder| builder.owner_capacity(capacity),
            move |cache| async move {
                let runs = Runs::default();
                for _ in 0..2 {
                    assert_eq!(cache.scope(nothing(1, &runs)).await, None);
                }
                assert_eq!(runs.count(), runs_expected, "{capacity}");
                assert!(bytes(&cache, 1).await <= capacity as u64);
            },
        )
        .await;
    }
}
