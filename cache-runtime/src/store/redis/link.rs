use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, RedisResult};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error::CacheError;

/// One multiplexed connection, made on first use and made again after it broke.
pub(super) struct Link {
    client: redis::Client,
    connection: Mutex<Option<Connected>>,
    /// How many connections there were.
    count: AtomicU64,
}

/// A connection, and who is at its other end.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    /// Which one it is; a failure of an earlier one says nothing about this one.
    pub(super) number: u64,
    /// The server's `run_id`: another one has another memory.
    pub(super) server: String,
}

/// A command that failed.
pub(super) struct Failure {
    pub(super) error: CacheError,
    /// Whether it says something about the server or the connection, and not about one key.
    pub(super) outage: bool,
    /// The connection that it was sent on; none if there was no connection.
    pub(super) number: Option<u64>,
}

impl Link {
    pub(super) fn new(client: redis::Client) -> Self {
        Self {
            client,
            connection: Mutex::new(None),
            count: AtomicU64::new(0),
        }
    }

    /// Sends a command, or several that belong together, and waits for the reply; connecting included, it takes
    /// no longer than `limit`. On the cache's thread only.
    pub(super) async fn send<T, F>(
        &self,
        limit: Duration,
        command: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut number = None;
        let reply = timeout(limit, async {
            let connected = self.connected().await?;
            number = Some(connected.number);
            command(connected.connection).await
        });
        match reply.await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => {
                let outage = is_outage(&error);
                Err(Failure {
                    error: CacheError::store(error),
                    outage,
                    number,
                })
            }
            Err(_) => Err(Failure {
                error: CacheError::Timeout { after: limit },
                outage: true,
                number,
            }),
        }
    }

    async fn connected(&self) -> RedisResult<Connected> {
        let mut standing = self.connection.lock().await;
        if let Some(connected) = &*standing {
            return Ok(connected.clone());
        }
        let fresh = self.connect().await?;
        *standing = Some(fresh.clone());
        Ok(fresh)
    }

    /// A fresh connection that has answered. Timeouts are the caller's: the connection's own would count each
    /// step anew.
    pub(super) async fn connect(&self) -> RedisResult<Connected> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let mut connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        // A server that is loading, or a replica that lost its master, accepts connections too.
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await?;
        let server = info
            .lines()
            .find_map(|line| line.strip_prefix("run_id:"))
            .unwrap_or_default();
        let number = self.count.fetch_add(1, Ordering::AcqRel);
        Ok(Connected {
            connection,
            number,
            server: server.trim().to_owned(),
        })
    }

    /// The server at the other end, if there is a connection.
    pub(super) async fn server(&self) -> Option<String> {
        self.connection
            .lock()
            .await
            .as_ref()
            .map(|connected| connected.server.clone())
    }

    /// Drops the connection if it is the one that failed; whether that was so.
    pub(super) async fn drop_failed(&self, number: Option<u64>) -> bool {
        let mut standing = self.connection.lock().await;
        let is_current = standing
            .as_ref()
            .is_none_or(|standing| Some(standing.number) == number);
        if is_current {
            *standing = None;
        }
        is_current
    }

    pub(super) async fn replace(&self, fresh: Connected) {
        *self.connection.lock().await = Some(fresh);
    }
}

/// Whether the error says something about the server or the connection, and not about one key.
fn is_outage(error: &RedisError) -> bool {
    !matches!(
        error.code(),
        Some("WRONGTYPE" | "NOSCRIPT" | "ERR" | "EXECABORT")
    )
}
