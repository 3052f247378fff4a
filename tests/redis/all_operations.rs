//! Every operation that the cache performs on a server, for the tests of the rights and of the
//! server version that these need.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, CacheError, Warmer, cacheable, invalidate};
use redis::Commands;
use tests::{PATIENCE, RedisServer};
use tokio::sync::Notify;

/// How long a body runs. Its lease is renewed in that time.
const BODY: Duration = Duration::from_millis(60);
const LEASE: Duration = Duration::from_millis(30);

#[cacheable(key = "rows:<<id>>", skip(entered))]
async fn read_row(entered: &Notify, id: u32) -> Result<u32, String> {
    entered.notify_one();
    // Real time: leases expire by the server's clock.
    tokio::time::sleep(BODY).await;
    // A body that fails makes the cache release its lease or claim.
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

/// A function whose hits read the rest of the TTL.
#[cacheable(key = "graceful:<<id>>", stale = 60)]
async fn graceful_row(id: u32) -> u32 {
    id
}

const FAILS: u32 = 404;

/// Two caches of one prefix, of which one waits for what the other computes.
pub(crate) struct Pair {
    cache: Cache,
    other: Cache,
    prefix: String,
}

/// The operations performed, with their outcomes.
pub(crate) type Done = Vec<(&'static str, Result<(), CacheError>)>;

impl Pair {
    pub(crate) fn at(url: &str, prefix: &str) -> Self {
        Self::with(url, prefix, 0)
    }

    /// Create a pair with near caches of this capacity in bytes.
    pub(crate) fn with(url: &str, prefix: &str, near: usize) -> Self {
        let build = || {
            Cache::builder()
                .prefix(prefix)
                .redis(url)
                .response_timeout(PATIENCE)
                .lease_ttl(LEASE)
                .near_cache(near)
                .build()
                .unwrap()
        };
        let cache = build();
        let slow = Warmer::new("slow", |_| tokio::time::sleep(BODY));
        // After a run, its lease becomes the mark of the interval.
        let hourly = slow.every(Duration::from_secs(3_600));
        cache.add_warmer(hourly).unwrap();
        Self {
            cache,
            other: build(),
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn caches(&self) -> [&Cache; 2] {
        [&self.cache, &self.other]
    }

    /// Perform every operation. Functions return their values whatever the cache is allowed to do.
    /// `server` is used with all rights.
    pub(crate) async fn perform_all(&self, server: &RedisServer) -> Done {
        static NEXT: AtomicU32 = AtomicU32::new(1_000);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.cache.scope(self.calls(id)).await;
        let mut done = self.operations(id).await;
        // The index is lost, and a scan builds a new one.
        self.lose_index(server);
        done.push(("scan", self.other.delete_pattern("rows:*").await.map(drop)));
        done.push(("clear", self.cache.clear().await.map(drop)));
        done
    }

    /// Call functions: misses, hits, waits, refreshes and failures.
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
        // A refresh that fails, of an entry that stays.
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
            ("fleet", cache.fleet().await.map(drop)),
            ("warm", cache.warm("slow", Vec::new()).await.map(drop)),
            (
                "warm for a part",
                cache.warm("slow", vec!["a".to_owned()]).await.map(drop),
            ),
        ]
    }

    fn lose_index(&self, server: &RedisServer) {
        let sets: Vec<String> = (0..16)
            .map(|set| format!("{}#index:{set}", self.prefix))
            .collect();
        server.connect().del::<_, ()>(sets).unwrap();
    }

    /// Store an entry that expires, and wait until the sweeper removes its member from the index.
    pub(crate) async fn until_swept(&self, server: &RedisServer) {
        let mut redis = server.connect();
        let lifetime = Duration::from_millis(20);
        self.cache.set("short", &1_u32, lifetime).await.unwrap();
        let mut registered = || {
            (0..16).any(|set| {
                let set = format!("{}#index:{set}", self.prefix);
                let score: Option<f64> = redis.zscore(set, "short").unwrap();
                score.is_some()
            })
        };
        tests::until("the sweeper removes the member", || {
            let swept = !registered();
            async move { swept }
        })
        .await;
    }

    /// End the connections, which fails no call. Then let the server refuse writes, and wait until
    /// the probes find that it works again.
    pub(crate) async fn survive_outage(&self, server: &RedisServer) {
        let mut admin = server.connect();
        let mut kill = redis::cmd("CLIENT");
        kill.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
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
            tests::until_well(cache).await;
        }
    }
}
