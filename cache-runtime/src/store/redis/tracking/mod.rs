//! The connections that tell of changes (`CLIENT TRACKING`, in RESP3), and what is read and filled over them for the near cache.
//!
//! `OPTIN`: the server remembers a key only for the command that follows `CLIENT CACHING YES`, and tells of its next change,
//! once. `NOLOOP`: not of the changes that come over this very connection, so a fill may enter. Pushes and replies share the
//! connection, and its driver hands a push to [`handle_push`] before it hands out any later reply: who has a heartbeat's answer has
//! handle_push all that the server said before.

mod connect;
pub(crate) mod heartbeat;
pub(crate) mod tracked_io;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::runtime;
use crate::store::near::{NearStore, Note};
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;

/// The near cache of a cache, and its way to the server.
pub(crate) struct Tracking {
    pub(crate) near: Arc<NearStore>,
    /// How long a connection is trusted that says nothing.
    pub(crate) silence: Duration,
    standing: Mutex<Option<Tracked>>,
    started: AtomicBool,
    pub(crate) lost: Arc<Lost>,
}

/// The connections of a term, one to each node that has keys.
#[derive(Clone)]
pub(crate) struct Tracked {
    pub(crate) ends: Arc<[End]>,
    pub(crate) term: u64,
    /// The servers at the other ends, as [`Connected`](crate::store::redis::conn::manager::Connected) has them.
    pub(crate) server: Arc<str>,
}

/// A connection on which a node tracks.
pub(crate) struct End {
    pub(crate) node: Node,
    pub(crate) connection: MultiplexedConnection,
    /// A key of this node, and no entry's.
    pub(crate) probe: String,
}

/// Wakes who keeps the tracking when a term has ended, and says why.
#[derive(Default)]
pub(crate) struct Lost {
    why: Mutex<Option<String>>,
    pub(crate) wake: Notify,
}

impl Lost {
    fn tell(&self, why: &str) {
        lock(&self.why).get_or_insert_with(|| why.to_owned());
        self.wake.notify_one();
    }

    /// Forgets what was said of earlier terms. One that has ended says nothing any more.
    pub(crate) fn reset(&self) {
        lock(&self.why).take();
    }

    pub(crate) fn why(&self) -> Option<String> {
        lock(&self.why).take()
    }
}

impl Tracking {
    pub(crate) fn new(capacity: usize, silence: Duration) -> Self {
        Self {
            near: Arc::new(NearStore::new(capacity)),
            silence,
            standing: Mutex::new(None),
            started: AtomicBool::new(false),
            lost: Arc::default(),
        }
    }

    /// Notes a fetch or fill that is about to be sent to the node over the connection that comes with it; none while
    /// tracking doesn't stand.
    pub(crate) fn note(
        &self,
        key: &Arc<str>,
        node: &Node,
    ) -> Option<(MultiplexedConnection, Note)> {
        let tracked = lock(&self.standing).clone()?;
        let end = tracked.ends.iter().find(|end| end.node == *node)?;
        let note = self.near.note(key, tracked.term)?;
        Some((end.connection.clone(), note))
    }

    /// Fetches may be noted from now on.
    pub(crate) fn stands(&self, tracked: Tracked) {
        *lock(&self.standing) = Some(tracked);
    }

    /// Ends the standing term: something is wrong with its connection.
    pub(crate) fn doubt(&self, why: &str) {
        let tracked = lock(&self.standing).take();
        if let Some(tracked) = tracked {
            end(&self.near, tracked.term, &self.lost, why);
        }
    }

    /// The other connection leads to this server now. What another server tells says nothing about it.
    pub(crate) fn stay_with(&self, server: &str) {
        let elsewhere = lock(&self.standing)
            .as_ref()
            .is_some_and(|tracked| *tracked.server != *server);
        if elsewhere {
            self.doubt("the cache went on with another server");
        }
    }
}

/// Ends a term, wherever that is noticed first.
fn end(near: &NearStore, term: u64, lost: &Lost, why: &str) {
    if let Some(remains) = near.end(term) {
        lost.tell(why);
        // It may be much, and nobody waits for it.
        let _ = runtime::spawn(async move {
            tokio::task::spawn_blocking(move || drop(remains));
        });
    }
}

/// What the server says without being asked.
pub(crate) fn handle_push(
    info: &PushInfo,
    near: &NearStore,
    lost: &Lost,
    term: u64,
    entries: &[u8],
) {
    match (&info.kind, info.data.first()) {
        (PushKind::Invalidate, Some(Value::Array(keys))) => {
            // Only such keys are fetched over this connection, and keys of this cache are text.
            let keys = keys.iter().filter_map(|key| match key {
                Value::BulkString(key) => std::str::from_utf8(key.strip_prefix(entries)?).ok(),
                _ => None,
            });
            let removed: Vec<_> = keys.filter_map(|key| near.void(key)).collect();
            // Foreign code when they are dropped: a panic would end the connection in the middle of a message.
            if !removed.is_empty() {
                let _ = runtime::spawn(async move { drop(removed) });
            }
        }
        (PushKind::Invalidate, _) => end(near, term, lost, "Redis was flushed"),
        (PushKind::Disconnection, _) => end(near, term, lost, "the connection was lost"),
        _ => {}
    }
}

impl Client {
    /// The near cache's way to the server. The first call asks for it; it stands some round trips later.
    pub(crate) fn tracking(self: &Arc<Self>) -> Option<&Arc<Tracking>> {
        let tracking = self.tracking.as_ref()?;
        if !tracking.started.load(Ordering::Acquire)
            && !tracking.started.swap(true, Ordering::AcqRel)
            && runtime::spawn(heartbeat::run(Arc::downgrade(self), Arc::clone(tracking))).is_err()
        {
            tracking.started.store(false, Ordering::Release);
        }
        Some(tracking)
    }

    /// Waits for what was sent over the tracked connection. If that fails, it is given up, which is no outage by itself;
    /// `None`: ask over the other one.
    pub(crate) async fn tracked<T>(
        self: &Arc<Self>,
        tracking: &Tracking,
        reply: impl Future<Output = RedisResult<T>>,
    ) -> Result<Option<T>, CacheError> {
        self.breaker.check()?;
        match timeout(self.limits.response, reply).await {
            Ok(Ok(reply)) => Ok(Some(reply)),
            Ok(Err(error)) => {
                if error.is_unrecoverable_error() {
                    tracking.doubt(&heartbeat::reason(&error));
                }
                Ok(None)
            }
            Err(_) => {
                tracking.doubt("the server is silent");
                // Asked again over the other connection, the caller would wait twice.
                let error = CacheError::Timeout {
                    after: self.limits.response,
                };
                self.open_breaker(&error);
                Err(error)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
