//! The connection manager: keeps the one main connection that commands share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::ConnectionLike;
use redis::{RedisError, RedisResult};

use crate::clock::{Clock, Moment, later};
use crate::store::redis::conn::capabilities::{Checked, check_master, check_server};
use crate::store::redis::conn::connection::{Connection, Node};
use crate::store::redis::conn::endpoint::Connector;
use crate::store::redis::conn::server_error::{error_code, refused};

/// Time without a reply after which a connection is checked before it is used. A firewall or proxy
/// on the way may have dropped it silently.
const SILENCE: Duration = Duration::from_secs(30);

/// One multiplexed connection, opened on first use and replaced after it broke.
pub(crate) struct ConnectionManager {
    endpoint: Arc<Connector>,
    prefix: String,
    /// Whether the program has functions with `owner`.
    owners: bool,
    clock: Clock,
    current: Mutex<Option<Connected>>,
    /// New connection over which invalidations are replayed to another server, before other callers
    /// may use it.
    candidate: Mutex<Option<Connected>>,
    /// The server that has all invalidations of this process. Any other server gets them first.
    informed: Mutex<Option<Arc<str>>>,
    /// Held while connecting, so that other callers wait for the same attempt. Separate from
    /// `current`, so that a caller that gave up waiting needn't lock it.
    pub(crate) connecting: tokio::sync::Mutex<()>,
    /// Number of connections opened so far.
    count: AtomicU64,
    /// Number of the current connection; changed together with `current`.
    number: AtomicU64,
    /// Time at which the last command that was answered was sent.
    last_reply: AtomicU64,
    /// Whether a command was sent since the flag was last reset.
    pub(crate) used: AtomicBool,
}

/// Number that means that there is no connection.
const NONE: u64 = u64::MAX;

/// Connection, and the server at its other end.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    /// Number of this connection. A failure of an earlier connection says nothing about this one.
    pub(crate) number: u64,
    /// Identity of the server. Another server has other data.
    pub(crate) server: Arc<str>,
}

impl ConnectionManager {
    pub(crate) fn new(endpoint: Arc<Connector>, checked: Checked<'_>, clock: Clock) -> Self {
        Self {
            endpoint,
            prefix: checked.prefix.to_owned(),
            owners: checked.owners,
            clock,
            current: Mutex::new(None),
            candidate: Mutex::new(None),
            informed: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            count: AtomicU64::new(0),
            number: AtomicU64::new(NONE),
            last_reply: AtomicU64::new(0),
            used: AtomicBool::new(false),
        }
    }

    fn lock_current(&self) -> MutexGuard<'_, Option<Connected>> {
        lock(&self.current)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn endpoint(&self) -> &Arc<Connector> {
        &self.endpoint
    }

    /// Open a connection on which every command that a call may send has succeeded. A plain ping
    /// isn't enough: a server that is loading, read-only or full answers it, and so does one that
    /// forbids this user a command.
    pub(crate) async fn connect(&self) -> RedisResult<Connected> {
        let connection = self.endpoint.open().await?;
        let number = self.count.fetch_add(1, Ordering::AcqRel);
        let server = match &connection {
            Connection::Server(server) => {
                let checked = check_server(&mut server.clone(), self.checked()).await;
                let identity = checked.map_err(|error| self.endpoint.explain(error))?;
                // Without the permission to query it, servers can't be told apart. Each connection
                // counts as one to another server then.
                identity.unwrap_or_else(|| format!("connection {number}"))
            }
            Connection::Cluster(cluster) => {
                let keys = ["#probe", ":#probe"].map(|end| format!("{}{end}", self.prefix));
                let keys = keys.iter().flat_map(|start| cluster.key_on_each(start));
                let checks = keys.map(|(at, key)| async move {
                    check_master(&mut cluster.node(&at).await?, self.checked(), key).await
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

    fn checked(&self) -> Checked<'_> {
        Checked {
            prefix: &self.prefix,
            owners: self.owners,
        }
    }

    /// Return the time to pass to [`note_reply`](Self::note_reply) for a command sent now.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Note that a command sent at this time has been answered. The reply may have waited to be
    /// read, also while the process was suspended, so only the time of sending proves anything.
    pub(crate) fn note_reply(&self, sent: Moment) {
        self.last_reply.fetch_max(sent, Ordering::Relaxed);
    }

    /// Report whether the last reply is so old that the connection may be dead without any sign of
    /// it.
    pub(crate) fn is_silent(&self) -> bool {
        let last_reply = self.last_reply.load(Ordering::Relaxed);
        self.clock.now() > later(last_reply, SILENCE)
    }

    /// Report whether this server has all invalidations of this process.
    pub(crate) fn is_informed(&self, server: &Arc<str>) -> bool {
        lock(&self.informed).as_ref() == Some(server)
    }

    /// Note that this server has all invalidations of this process.
    pub(crate) fn mark_informed(&self, server: &Arc<str>) {
        *lock(&self.informed) = Some(Arc::clone(server));
    }

    /// Return the connection over which invalidations are being replayed to another server.
    pub(crate) fn candidate(&self) -> Option<Connected> {
        lock(&self.candidate).clone()
    }

    /// Offer a connection for replaying invalidations to its server, until the returned guard is
    /// dropped.
    pub(crate) fn propose(&self, fresh: &Connected) -> Candidate<'_> {
        *lock(&self.candidate) = Some(fresh.clone());
        Candidate(self)
    }

    /// Take the connection out of use. Invalidations that it acknowledges from now on are sent
    /// again.
    pub(crate) fn retire(&self) {
        let mut current = self.lock_current();
        *current = None;
        self.number.store(NONE, Ordering::Release);
    }

    /// Return the number of the current connection, if there is one.
    pub(crate) fn number(&self) -> Option<u64> {
        let number = self.number.load(Ordering::Acquire);
        (number != NONE).then_some(number)
    }

    /// Return the current connection.
    pub(crate) fn current(&self) -> Option<Connected> {
        self.lock_current().clone()
    }

    /// Return the server at the other end, if there is a connection.
    pub(crate) fn server(&self) -> Option<Arc<str>> {
        self.lock_current()
            .as_ref()
            .map(|connected| Arc::clone(&connected.server))
    }

    /// Return the node that has a key, as far as is known, or `None` without a connection.
    pub(crate) fn node_of(&self, key: &str) -> Option<Node> {
        let current = self.lock_current();
        let connected = current.as_ref()?;
        connected.connection.node_of(key.as_bytes()).ok()
    }

    /// Drop the connection if it is the one that failed. Report whether it was dropped.
    pub(crate) fn drop_failed(&self, number: Option<u64>) -> bool {
        let mut current = self.lock_current();
        let is_current = current
            .as_ref()
            .is_none_or(|current| Some(current.number) == number);
        if is_current {
            *current = None;
            self.number.store(NONE, Ordering::Release);
        }
        is_current
    }

    /// Put the connection into use if there is none. Return the one that is then in use.
    pub(crate) fn install(&self, fresh: Connected) -> Connected {
        self.note_reply(self.now());
        let mut current = self.lock_current();
        if let Some(current) = &*current {
            return current.clone();
        }
        self.number.store(fresh.number, Ordering::Release);
        current.insert(fresh).clone()
    }

    pub(crate) fn replace(&self, fresh: Connected) {
        self.note_reply(self.now());
        let mut current = self.lock_current();
        self.number.store(fresh.number, Ordering::Release);
        *current = Some(fresh);
    }
}

/// Guard that ends the offer of a connection.
pub(crate) struct Candidate<'a>(&'a ConnectionManager);

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        lock(&self.0.candidate).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Query the identity of a server.
pub(crate) async fn identify(connection: &mut impl ConnectionLike) -> RedisResult<String> {
    let mut ask = redis::pipe();
    for section in ["server", "replication"] {
        ask.cmd("INFO").arg(section);
    }
    let (server, replication): (String, String) = ask.query_async(connection).await?;
    Ok(identity(&server, &replication))
}

/// Return a server's identity: the ID of its process and the replication ID of its data. A server
/// that used to replicate from another master has that master's replication ID.
pub(crate) fn identity(server: &str, replication: &str) -> String {
    let field = |section: &str, name: &str| {
        let value = section.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().trim().to_owned()
    };
    field(server, "run_id:") + "/" + &field(replication, "master_replid:")
}

/// Report whether the error concerns the server or the connection, and not one key.
pub(crate) fn is_outage(error: &RedisError) -> bool {
    refused(error).is_some()
        || !matches!(
            error_code(error),
            Some("WRONGTYPE" | "NOSCRIPT" | "ERR" | "EXECABORT")
        )
}

/// Report whether the connection ended, at the other end or on the way. Commands that were sent may
/// or may not have been executed.
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
    fn the_readonly_replies_of_redis_6_and_7_are_outages() {
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
