use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisError, RedisResult};
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::conn::connection::{Connection, Node};
use crate::store::redis::conn::endpoint::Endpoint;
use crate::store::redis::conn::server_error::code_of;

/// One multiplexed connection, made on first use and made again after it broke.
pub(crate) struct Link {
    endpoint: Endpoint,
    standing: Mutex<Option<Connected>>,
    /// Held while one connects, so that others wait for that one; apart from what stands, so that who gave up
    /// waiting needn't wait for it.
    connecting: tokio::sync::Mutex<()>,
    /// How many connections there were.
    count: AtomicU64,
    /// Which one stands; changed together with it.
    number: AtomicU64,
    /// Something was sent since somebody last asked.
    pub(crate) used: AtomicBool,
}

/// The number of no connection.
const NONE: u64 = u64::MAX;

/// A connection, and who is at its other end.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    /// Which one it is; a failure of an earlier one says nothing about this one.
    pub(crate) number: u64,
    /// The server's identity: another one has another memory.
    pub(crate) server: Arc<str>,
}

/// A command that failed.
pub(crate) struct Failure {
    pub(crate) error: CacheError,
    /// Whether it says something about the server or the connection, and not about one key.
    pub(crate) outage: bool,
    /// The connection that it was sent on; none if there was no connection.
    pub(crate) number: Option<u64>,
}

impl Link {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            standing: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            count: AtomicU64::new(0),
            number: AtomicU64::new(NONE),
            used: AtomicBool::new(false),
        }
    }

    /// Sends a command, or several that belong together, and waits for the reply; connecting included, it takes
    /// no longer than `limit`. On the cache's thread only.
    pub(crate) async fn send<T, F>(
        &self,
        limit: Duration,
        command: impl FnOnce(Connection) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.used.store(true, Ordering::Relaxed);
        let mut number = None;
        let reply = timeout(limit, async {
            // Whatever a server refuses a connection for, it refuses it to all.
            let connected = self.connected().await.map_err(|error| (error, true))?;
            number = Some(connected.number);
            command(connected.connection).await.map_err(|error| {
                let outage = is_outage(&error);
                (error, outage)
            })
        });
        match reply.await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err((error, outage))) => Err(Failure {
                error: CacheError::store(error),
                outage,
                number,
            }),
            Err(_) => Err(Failure {
                error: CacheError::Timeout { after: limit },
                outage: true,
                number,
            }),
        }
    }

    pub(crate) async fn connected(&self) -> RedisResult<Connected> {
        if let Some(connected) = &*self.standing() {
            return Ok(connected.clone());
        }
        let _connecting = self.connecting.lock().await;
        if let Some(connected) = &*self.standing() {
            return Ok(connected.clone());
        }
        let fresh = self.connect().await?;
        self.replace(fresh.clone());
        Ok(fresh)
    }

    fn standing(&self) -> MutexGuard<'_, Option<Connected>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A fresh connection that has answered.
    pub(crate) async fn connect(&self) -> RedisResult<Connected> {
        let connection = self.endpoint.open().await?;
        let number = self.count.fetch_add(1, Ordering::AcqRel);
        let server = match &connection {
            Connection::Server(server) => match identify(&mut server.clone()).await {
                Ok(server) => server,
                // A user who may not ask can't tell servers apart: then each connection is to another one.
                Err(error) if error.code() == Some("NOPERM") => format!("connection {number}"),
                Err(error) => return Err(self.endpoint.explain(error)),
            },
            Connection::Cluster(cluster) => cluster.identity(number),
        };
        Ok(Connected {
            connection,
            number,
            server: server.into(),
        })
    }

    /// Which connection stands, if one does.
    pub(crate) fn number(&self) -> Option<u64> {
        let number = self.number.load(Ordering::Acquire);
        (number != NONE).then_some(number)
    }

    /// The connection that stands.
    pub(crate) fn standing_one(&self) -> Option<Connected> {
        self.standing().clone()
    }

    /// The server at the other end, if there is a connection.
    pub(crate) fn server(&self) -> Option<Arc<str>> {
        self.standing()
            .as_ref()
            .map(|connected| Arc::clone(&connected.server))
    }

    /// The node that has a key, as far as is known; none without a connection.
    pub(crate) fn node_of(&self, key: &str) -> Option<Node> {
        let standing = self.standing();
        let connected = standing.as_ref()?;
        connected.connection.node_of(key.as_bytes()).ok()
    }

    /// Drops the connection if it is the one that failed; whether that was so.
    pub(crate) fn drop_failed(&self, number: Option<u64>) -> bool {
        let mut standing = self.standing();
        let is_current = standing
            .as_ref()
            .is_none_or(|standing| Some(standing.number) == number);
        if is_current {
            *standing = None;
            self.number.store(NONE, Ordering::Release);
        }
        is_current
    }

    pub(crate) fn replace(&self, fresh: Connected) {
        let mut standing = self.standing();
        self.number.store(fresh.number, Ordering::Release);
        *standing = Some(fresh);
    }
}

/// Asks a server who it is.
pub(crate) async fn identify(connection: &mut impl ConnectionLike) -> RedisResult<String> {
    let mut ask = redis::pipe();
    for section in ["server", "replication"] {
        ask.cmd("INFO").arg(section);
    }
    let (server, replication): (String, String) = ask.query_async(connection).await?;
    Ok(identity(&server, &replication))
}

/// Who a server is: the process, and whose data it has; one that followed another master for a while has that one's.
pub(crate) fn identity(server: &str, replication: &str) -> String {
    let field = |section: &str, name: &str| {
        let value = section.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().trim().to_owned()
    };
    field(server, "run_id:") + "/" + &field(replication, "master_replid:")
}

/// Whether the error says something about the server or the connection, and not about one key.
fn is_outage(error: &RedisError) -> bool {
    !matches!(
        code_of(error),
        Some("WRONGTYPE" | "NOSCRIPT" | "ERR" | "EXECABORT")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(reply: &str) -> bool {
        let value = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes());
        let error = value.and_then(redis::Value::extract_error);
        is_outage(&error.expect_err("an error"))
    }

    #[test]
    fn a_demoted_master_is_an_outage_as_redis_6_and_7_say_it() {
        let refusal = "-READONLY You can't write against a read only replica.";
        let in_6 = "ERR Error running script (call to f_a8e0): @user_script:4: @user_script: 4: ";
        assert!(outage(&format!("{in_6}{refusal}")));
        assert!(outage(&refusal[1..]));
        assert!(!outage(
            "ERR Error running script (call to f_a8e0): @user_script:4: WRONGTYPE Operation"
        ));
        assert!(!outage("WRONGTYPE Operation against a key"));
    }
}
