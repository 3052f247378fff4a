use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::ConnectionLike;
use redis::{RedisError, RedisResult};

use crate::clock::{Clock, later};
use crate::store::redis::conn::capabilities::{check_master, check_server};
use crate::store::redis::conn::connection::{Connection, Node};
use crate::store::redis::conn::endpoint::Connector;
use crate::store::redis::conn::server_error::{error_code, refused};

/// After this time without a reply a connection is asked whether it is alive before it is used: what is between the
/// two ends may have forgotten it without a word.
const SILENCE: Duration = Duration::from_secs(30);

/// One multiplexed connection, made on first use and made again after it broke.
pub(crate) struct ConnectionManager {
    endpoint: Arc<Connector>,
    prefix: String,
    clock: Clock,
    standing: Mutex<Option<Connected>>,
    /// A fresh connection over which another server is told of invalidations, before others may use it.
    candidate: Mutex<Option<Connected>>,
    /// The server that knows of all invalidations of this process; another one is told first.
    informed: Mutex<Option<Arc<str>>>,
    /// Held while one connects, so that others wait for that one; apart from what stands, so that who gave up
    /// waiting needn't wait for it.
    pub(crate) connecting: tokio::sync::Mutex<()>,
    /// How many connections there were.
    count: AtomicU64,
    /// Which one stands; changed together with it.
    number: AtomicU64,
    /// When a reply came last.
    handle_push: AtomicU64,
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

impl ConnectionManager {
    pub(crate) fn new(endpoint: Arc<Connector>, prefix: &str, clock: Clock) -> Self {
        Self {
            endpoint,
            prefix: prefix.to_owned(),
            clock,
            standing: Mutex::new(None),
            candidate: Mutex::new(None),
            informed: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            count: AtomicU64::new(0),
            number: AtomicU64::new(NONE),
            handle_push: AtomicU64::new(0),
            used: AtomicBool::new(false),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Option<Connected>> {
        lock(&self.standing)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn endpoint(&self) -> &Arc<Connector> {
        &self.endpoint
    }

    /// A fresh connection that every command of a call went through on: a server that is loading, read-only or full
    /// answers too, and so does one that forbids this user what calls do.
    pub(crate) async fn connect(&self) -> RedisResult<Connected> {
        let connection = self.endpoint.open().await?;
        let number = self.count.fetch_add(1, Ordering::AcqRel);
        let server = match &connection {
            Connection::Server(server) => {
                let checked = check_server(&mut server.clone(), &self.prefix).await;
                let identity = checked.map_err(|error| self.endpoint.explain(error))?;
                // A user who may not ask can't tell servers apart: then each connection is to another one.
                identity.unwrap_or_else(|| format!("connection {number}"))
            }
            Connection::Cluster(cluster) => {
                let keys = ["#probe", ":#probe"].map(|end| format!("{}{end}", self.prefix));
                let keys = keys.iter().flat_map(|start| cluster.key_on_each(start));
                let checks = keys.map(|(at, key)| async move {
                    check_master(&mut cluster.node(&at).await?, &self.prefix, key).await
                });
                try_join_all(checks).await?;
                cluster.identity(number)
            }
        };
        Ok(Connected {
            connection,
            number,
            server: server.into(),
        })
    }

    /// Note that a reply came.
    pub(crate) fn hears(&self) {
        self.handle_push.store(self.clock.now(), Ordering::Relaxed);
    }

    /// Whether no reply came for so long that the connection may be dead without a sign.
    pub(crate) fn is_silent(&self) -> bool {
        let handle_push = self.handle_push.load(Ordering::Relaxed);
        self.clock.now() > later(handle_push, SILENCE)
    }

    /// Whether this server knows of all invalidations of this process.
    pub(crate) fn is_informed(&self, server: &Arc<str>) -> bool {
        lock(&self.informed).as_ref() == Some(server)
    }

    /// Note that this server knows of all invalidations of this process.
    pub(crate) fn informs(&self, server: &Arc<str>) {
        *lock(&self.informed) = Some(Arc::clone(server));
    }

    /// The connection over which another server is being told.
    pub(crate) fn candidate(&self) -> Option<Connected> {
        lock(&self.candidate).clone()
    }

    /// Offer a connection to those who tell its server, until what this returns is dropped.
    pub(crate) fn propose(&self, fresh: &Connected) -> Candidate<'_> {
        *lock(&self.candidate) = Some(fresh.clone());
        Candidate(self)
    }

    /// Take the connection out of use. An invalidation that is acknowledged over it from now on is sent again.
    pub(crate) fn retire(&self) {
        let mut standing = self.standing();
        *standing = None;
        self.number.store(NONE, Ordering::Release);
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

    /// Put the connection into use if none is; the one that is in use then.
    pub(crate) fn install(&self, fresh: Connected) -> Connected {
        self.hears();
        let mut standing = self.standing();
        if let Some(standing) = &*standing {
            return standing.clone();
        }
        self.number.store(fresh.number, Ordering::Release);
        standing.insert(fresh).clone()
    }

    pub(crate) fn replace(&self, fresh: Connected) {
        self.hears();
        let mut standing = self.standing();
        self.number.store(fresh.number, Ordering::Release);
        *standing = Some(fresh);
    }
}

/// Ends the offer of a connection.
pub(crate) struct Candidate<'a>(&'a ConnectionManager);

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        lock(&self.0.candidate).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(crate) fn is_outage(error: &RedisError) -> bool {
    refused(error).is_some()
        || !matches!(
            error_code(error),
            Some("WRONGTYPE" | "NOSCRIPT" | "ERR" | "EXECABORT")
        )
}

/// Whether the connection ended, by the other end or on the way. What was sent may or may not have been obeyed.
pub(crate) fn is_ended(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_timeout()
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
