//! Helpers of the tests about staleness: stores in which a test can let time pass.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, Clock};
use redis::Commands as _;
pub(crate) use tests::until;
use tests::{Gate, PATIENCE, RedisServer};

use crate::common::Runs;

/// The TTL of the functions under test.
pub(crate) const LIFE: Duration = Duration::from_secs(60);

/// A store in which the test can let time pass.
pub(crate) struct Place {
    pub(crate) cache: Cache,
    /// The memory store's clock; Redis keeps its own time.
    clock: Option<Clock>,
    pub(crate) server: Option<RedisServer>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        let clock = Clock::manual();
        let builder = Cache::builder().prefix("quickpost").clock(clock.clone());
        Self {
            cache: builder.build().unwrap(),
            clock: Some(clock),
            server: None,
        }
    }

    pub(crate) fn redis() -> Self {
        Self::redis_with(|builder| builder)
    }

    pub(crate) fn redis_with(configure: impl Fn(CacheBuilder) -> CacheBuilder) -> Self {
        let server = RedisServer::start();
        Self {
            cache: configure(builder(&server)).build().unwrap(),
            clock: None,
            server: Some(server),
        }
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            runs: Runs::default(),
            gate: Gate::new(),
            life: LIFE,
            alive: Arc::default(),
        }
    }

    /// Let time pass: in memory by the clock, on Redis by shortening the TTL of every entry.
    pub(crate) fn pass(&self, time: Duration) {
        if let Some(clock) = &self.clock {
            clock.advance(time);
        }
        if let Some(server) = &self.server {
            let mut connection = server.connect();
            let keys: Vec<String> = connection.keys("quickpost:*").unwrap();
            for key in keys {
                let left: i64 = connection.pttl(&key).unwrap();
                let left = left - i64::try_from(time.as_millis()).unwrap();
                let _: bool = connection.pexpire(&key, left).unwrap();
            }
        }
    }

    /// Let time pass until the entry is stale.
    pub(crate) async fn turns_stale(&self, key: &str) {
        self.pass(LIFE);
        assert_eq!(self.cache.ttl(key).await.unwrap(), None);
    }
}

fn builder(server: &RedisServer) -> CacheBuilder {
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    builder.response_timeout(PATIENCE)
}

/// Build a cache on this server.
pub(crate) fn on(server: &RedisServer) -> Cache {
    builder(server).build().unwrap()
}

/// Run the test in memory, then on Redis, in the scope of its cache.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    for place in [Place::memory(), Place::redis()] {
        println!(
            "on {}",
            if place.clock.is_some() {
                "memory"
            } else {
                "redis"
            }
        );
        let cache = place.cache.clone();
        cache.scope(test(place)).await;
    }
}

/// The behaviour of a body and the TTL of its value: a skipped argument of the functions under
/// test.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) runs: Runs,
    pub(crate) gate: Gate,
    pub(crate) life: Duration,
    alive: Arc<()>,
}

impl Work {
    /// Return the number of clones: one more for each body that has begun and not ended.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.alive)
    }

    /// Run, and return the number of the run. All runs but the first stop at the gate.
    pub(crate) async fn run(&self) -> u32 {
        let run = self.runs.next();
        if run > 1 {
            self.gate.pass().await;
        }
        run
    }

    /// Run without stopping at the gate.
    pub(crate) fn run_through(&self) -> u32 {
        self.runs.next()
    }
}

/// Wait until the cache holds this value.
pub(crate) async fn until_stored(cache: &Cache, key: &str, value: u32) {
    until("the value is stored", || async {
        cache.get::<u32>(key).await.unwrap() == Some(value)
    })
    .await;
}
