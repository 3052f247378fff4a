//! Running one test on both stores.

use std::future::Future;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder};

use crate::RedisServer;

/// The response timeout for tests that aren't about it: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A cache on each store, for tests that must hold on both.
#[derive(Debug)]
pub struct Stores {
    /// Each cache with its name.
    pub caches: Vec<(&'static str, Cache)>,
    _server: RedisServer,
}

impl Stores {
    /// Create caches with the prefix `quickpost` on a memory store and on their own Redis server.
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Create the same caches with further configuration.
    pub fn with(configure: impl Fn(CacheBuilder) -> CacheBuilder) -> Self {
        let server = RedisServer::start();
        let patient = || Cache::builder().response_timeout(PATIENCE);
        let builder = || configure(patient().prefix("quickpost"));
        let memory = builder().build().expect("memory builds");
        let redis = builder().redis(server.url()).build().expect("redis builds");
        Self {
            caches: vec![("memory", memory), ("redis", redis)],
            _server: server,
        }
    }
}

impl Default for Stores {
    fn default() -> Self {
        Self::new()
    }
}

/// Run the test in the scope of a cache on memory, then of one on Redis.
pub async fn on_both_stores<F: Future<Output = ()>>(test: impl Fn(Cache) -> F) {
    on_both_stores_with(|builder| builder, test).await;
}

/// Run the test with caches that are configured.
pub async fn on_both_stores_with<F: Future<Output = ()>>(
    configure: impl Fn(CacheBuilder) -> CacheBuilder,
    test: impl Fn(Cache) -> F,
) {
    let stores = Stores::with(configure);
    for (name, cache) in &stores.caches {
        println!("on {name}");
        cache.scope(test(cache.clone())).await;
    }
}
