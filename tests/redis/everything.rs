//! All that the cache does with a server, for tests of what it needs for that.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, CacheError, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, RedisServer};
use tokio::sync::Notify;

/// Bodies run for so long; a lease is renewed some times meanwhile.
const BODY: Duration = Duration::from_millis(60);
const LEASE: Duration = Duration::from_millis(30);

#[cacheable(key = "rows:<<id>>", skip(entered))]
async fn read_row(entered: &Notify, id: u32) -> Result<u32, String> {
    entered.notify_one();
    tokio::time::sleep(BODY).await;
    // So that leases and claims are given back too.
    if id == FAILS {
        Err("no such row".to_owned())
    } else {
        Ok(id)
    }
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update_row(id: u32) {
    let _ = id;
}

/// Of which it is asked how long it still lives.
#[cacheable(key = "graceful:<<id>>", stale = 60)]
async fn graceful_row(id: u32) -> u32 {
    id
}

const FAILS: u32 = 404;

/// Two caches of one prefix: what one computes the other waits for.
pub(crate) struct Pair {
    cache: Cache,
    other: Cache,
    prefix: String,
}

/// What was done, and what became of it.
pub(crate) type Done = Vec<(&'static str, Result<(), CacheError>)>;

impl Pair {
    pub(crate) fn at(url: &str, prefix: &str) -> Self {
        Self::with(url, prefix, 0)
    }

    /// With near caches of so many bytes.
    pub(crate) fn with(url: &str, prefix: &str, near: usize) -> Self {
        let cache = || {
            Cache::builder()
                .prefix(prefix)
                .redis(url)
                .response_timeout(PATIENCE)
                .lease_ttl(LEASE)
                .near_cache(near)
                .build()
                .unwrap()
        };
        Self {
            cache: cache(),
            other: cache(),
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn caches(&self) -> [&Cache; 2] {
        [&self.cache, &self.other]
    }

    /// All of it. Functions return their values whatever the cache may do; `server` is to be asked as one who may do all.
    pub(crate) async fn does_everything(&self, server: &RedisServer) -> Done {
        static NEXT: AtomicU32 = AtomicU32::new(1_000);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.cache.scope(self.calls(id)).await;
        let mut done = self.operations(id).await;
        // The index is lost, and a walk makes a new one.
        self.lose_index(server);
        done.push(("walk", self.other.delete_pattern("rows:*").await.map(drop)));
        done.push(("clear", self.cache.clear().await.map(drop)));
        done
    }

    /// Misses, hits, waits, refreshes and failures.
    async fn calls(&self, id: u32) {
        let entered = Notify::new();
        let follower = async {
            entered.notified().await;
            let entered = Notify::new();
            self.other.scope(read_row(&entered, id)).await
        };
        let (led, followed) = tokio::join!(read_row(&entered, id), follower);
        assert_eq!((led, followed), (Ok(id), Ok(id)));
        assert_eq!(read_row(&entered, id).await, Ok(id), "a hit");
        assert_eq!(read_row_refresh(&entered, id).await, Ok(id));
        update_row(id).await;
        assert_eq!(read_row(&entered, id).await, Ok(id), "a miss");
        for _ in 0..2 {
            assert_eq!(graceful_row(id).await, id);
        }
        assert!(read_row(&entered, FAILS).await.is_err());
        // An entry whose refresh fails: what stands stays.
        let _ = self.cache.set(&format!("rows:{FAILS}"), &7_u32, 60).await;
        assert!(read_row_refresh(&entered, FAILS).await.is_err());
    }

    async fn operations(&self, id: u32) -> Done {
        let cache = &self.cache;
        let one = format!("single:{id}");
        let many = [(format!("many:{id}"), 1_u32), (format!("many:{id}:b"), 2)];
        vec![
            ("set", cache.set(&one, &1_u32, 60).await),
            ("get", cache.get::<u32>(&one).await.map(drop)),
            ("exists", cache.exists(&one).await.map(drop)),
            ("ttl", cache.ttl(&one).await.map(drop)),
            ("set_many", cache.set_many(&many, 60).await),
            (
                "get_many",
                cache.get_many::<u32>([&*many[0].0, &*one]).await.map(drop),
            ),
            ("delete", cache.delete(&one).await.map(drop)),
            (
                "delete_pattern",
                cache.delete_pattern("many:*").await.map(drop),
            ),
            ("health_check", cache.health_check().await.map(drop)),
        ]
    }

    fn lose_index(&self, server: &RedisServer) {
        let sets: Vec<String> = (0..16)
            .map(|set| format!("{}#index:{set}", self.prefix))
            .collect();
        server.connect().del::<_, ()>(sets).unwrap();
    }

    /// An entry expires, and the sweeper takes its member out of the index, as no registration comes meanwhile.
    pub(crate) async fn is_swept(&self, server: &RedisServer) {
        let mut redis = server.connect();
        let lifetime = Duration::from_millis(20);
        self.cache.set("short", &1_u32, lifetime).await.unwrap();
        let mut stands = || {
            (0..16).any(|set| {
                let set = format!("{}#index:{set}", self.prefix);
                let score: Option<f64> = redis.zscore(set, "short").unwrap();
                score.is_some()
            })
        };
        crate::common::until("the sweeper comes", || {
            let swept = !stands();
            async move { swept }
        })
        .await;
    }

    /// Connections end, which no call notices; then the server refuses writes, and the probes find it well again.
    pub(crate) async fn comes_through_an_outage(&self, server: &RedisServer) {
        let mut admin = server.connect();
        let mut kill = redis::cmd("CLIENT");
        kill.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        // A connection that ended is replaced without an outage.
        kill.exec(&mut admin).unwrap();
        for cache in self.caches() {
            cache.health_check().await.unwrap();
        }
        let mut set_memory = |bytes: &str| {
            let mut set = redis::cmd("CONFIG");
            set.arg(&["SET", "maxmemory", bytes])
                .exec(&mut admin)
                .unwrap();
        };
        set_memory("1");
        for cache in self.caches() {
            cache.health_check().await.unwrap_err();
        }
        set_memory("0");
        kill.exec(&mut admin).unwrap();
        for cache in self.caches() {
            crate::common::until_well(cache).await;
        }
    }
}
