//! The rows that are cached: versions in a Redis server of their own, which stands for a database.

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig};

/// A connection that waits as long as it takes: the machine may be busy, and this is not what is tested.
pub(crate) async fn patient_connection(url: &str) -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None);
    let client = redis::Client::open(url).unwrap();
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap()
}

#[derive(Clone)]
pub(crate) struct Database(MultiplexedConnection);

impl Database {
    pub(crate) async fn open(url: &str) -> Self {
        Self(patient_connection(url).await)
    }

    pub(crate) async fn version(&self, row: u32) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(format!("row:{row}"))
            .await
            .unwrap()
            .unwrap_or(0)
    }

    pub(crate) async fn update(&self, row: u32) -> u64 {
        self.0.clone().incr(format!("row:{row}"), 1).await.unwrap()
    }

    /// The newest version whose invalidation has returned.
    pub(crate) async fn floor(&self, row: u32) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(format!("floor:{row}"))
            .await
            .unwrap()
            .unwrap_or(0)
    }

    pub(crate) async fn raise_floor(&self, row: u32, version: u64) {
        let raise = redis::Script::new(
            "if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end",
        );
        let mut call = raise.key(format!("floor:{row}"));
        call.arg(version)
            .invoke_async::<()>(&mut self.0.clone())
            .await
            .unwrap();
    }

    pub(crate) async fn count(&self, what: &str, by: u64) -> u64 {
        self.0.clone().incr(what, by).await.unwrap()
    }

    pub(crate) async fn counted(&self, what: &str) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(what)
            .await
            .unwrap()
            .unwrap_or(0)
    }

    /// Waits until a count is reached.
    pub(crate) async fn until(&self, what: &str, count: u64) {
        while self.counted(what).await < count {
            tokio::task::yield_now().await;
        }
    }
}
