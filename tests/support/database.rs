//! Direct questions of a test to a Redis server.

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig};

/// Open a connection without timeouts: the machine may be busy, and they are not under test.
pub async fn patient_connection(url: &str) -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None);
    let client = redis::Client::open(url).expect("a URL of Redis");
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .expect("the server answers")
}

/// A database of several processes: row versions and counters in a Redis server of its own.
#[derive(Clone, Debug)]
pub struct Database(MultiplexedConnection);

impl Database {
    /// Open the database in the server at this URL.
    pub async fn open(url: &str) -> Self {
        Self(patient_connection(url).await)
    }

    /// Return the version of a row, 0 before its first update.
    pub async fn version(&self, row: u32) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(format!("row:{row}"))
            .await
            .expect("the database answers")
            .unwrap_or(0)
    }

    /// Update a row. Return its new version.
    pub async fn update(&self, row: u32) -> u64 {
        self.0
            .clone()
            .incr(format!("row:{row}"), 1)
            .await
            .expect("the database answers")
    }

    /// Return the newest version of a row whose invalidation has returned.
    pub async fn floor(&self, row: u32) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(format!("floor:{row}"))
            .await
            .expect("the database answers")
            .unwrap_or(0)
    }

    /// Note that the invalidation of this version has returned.
    pub async fn raise_floor(&self, row: u32, version: u64) {
        let raise = redis::Script::new(
            "if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
                redis.call('SET', KEYS[1], ARGV[1])
            end",
        );
        let mut call = raise.key(format!("floor:{row}"));
        call.arg(version)
            .invoke_async::<()>(&mut self.0.clone())
            .await
            .expect("the database answers");
    }

    /// Add to a counter. Return its new value.
    pub async fn count(&self, what: &str, by: u64) -> u64 {
        self.0
            .clone()
            .incr(what, by)
            .await
            .expect("the database answers")
    }

    /// Return the value of a counter.
    pub async fn counted(&self, what: &str) -> u64 {
        self.0
            .clone()
            .get::<_, Option<u64>>(what)
            .await
            .expect("the database answers")
            .unwrap_or(0)
    }

    /// Wait until a counter has reached a value.
    pub async fn until(&self, what: &str, count: u64) {
        while self.counted(what).await < count {
            tokio::task::yield_now().await;
        }
    }
}
