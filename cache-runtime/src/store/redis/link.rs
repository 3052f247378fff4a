use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, RedisResult};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::breaker::Breaker;
use crate::background;
use crate::error::CacheError;

/// The first pause between two probes of a store that is down, and the longest.
const FIRST_PROBE: Duration = Duration::from_millis(50);
const SLOWEST_PROBE: Duration = Duration::from_secs(2);

/// One multiplexed connection, made on first use and made again after it broke.
///
/// The first failure opens the breaker: from then on calls are refused at once, until a probe in the background
/// has connected and got an answer.
pub(super) struct Link {
    client: redis::Client,
    timeout: Duration,
    breaker: Breaker,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// Which connection it is; a failure of an earlier one says nothing about this one.
    generation: AtomicU64,
}

impl Link {
    pub(super) fn new(client: redis::Client, timeout: Duration) -> Self {
        Self {
            client,
            timeout,
            breaker: Breaker::default(),
            connection: Mutex::new(None),
            generation: AtomicU64::new(0),
        }
    }

    /// Whether the store isn't known to be down.
    pub(super) fn check(&self) -> Result<(), CacheError> {
        self.breaker.check()
    }

    /// Sends a command, or several that belong together, and waits for the reply; connecting included, it takes
    /// no longer than the response timeout. On the cache's thread only.
    pub(super) async fn send<T, F>(
        self: &Arc<Self>,
        command: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.check()?;
        let generation = self.generation.load(Ordering::Acquire);
        let reply = timeout(self.timeout, async {
            command(self.connected().await?).await
        })
        .await;
        let (error, outage) = match reply {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => {
                let outage = is_outage(&error);
                (CacheError::store(error), outage)
            }
            Err(_) => (
                CacheError::Timeout {
                    after: self.timeout,
                },
                true,
            ),
        };
        if outage && (generation == self.generation.load(Ordering::Acquire) || generation == 0) {
            self.down(&error).await;
        }
        Err(error)
    }

    async fn connected(&self) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let fresh = self.connect().await?;
        *connection = Some(fresh.clone());
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(fresh)
    }

    /// Timeouts are the caller's: the connection's own would count each step anew.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// Notes an outage: drops the connection, logs the cause once, and starts the probe.
    async fn down(self: &Arc<Self>, cause: &CacheError) {
        if !self.breaker.open(cause) {
            return;
        }
        *self.connection.lock().await = None;
        tracing::warn!(target: "cache", op = "down", "[Cache] Redis is down, functions run uncached: {cause}");
        // Refused only where the thread never started; and this is it.
        let _ = background::spawn(probe(Arc::downgrade(self)));
    }

    async fn try_again(&self) -> bool {
        let answered = timeout(self.timeout, async {
            let mut connection = self.connect().await?;
            redis::cmd("PING")
                .query_async::<()>(&mut connection)
                .await?;
            RedisResult::Ok(connection)
        });
        let Ok(Ok(fresh)) = answered.await else {
            return false;
        };
        *self.connection.lock().await = Some(fresh);
        self.generation.fetch_add(1, Ordering::AcqRel);
        true
    }
}

/// Knocks until the store answers, or the cache is gone.
async fn probe(link: Weak<Link>) {
    let mut pause = FIRST_PROBE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(link) = link.upgrade() else { return };
        if link.try_again().await {
            link.breaker.close();
            tracing::info!(target: "cache", op = "up", "[Cache] Redis is back");
            return;
        }
        pause = (pause * 2).min(SLOWEST_PROBE);
    }
}

/// Whether the error says something about the server or the connection, and not about one key.
fn is_outage(error: &RedisError) -> bool {
    !matches!(
        error.code(),
        Some("WRONGTYPE" | "NOSCRIPT" | "ERR" | "EXECABORT")
    )
}
