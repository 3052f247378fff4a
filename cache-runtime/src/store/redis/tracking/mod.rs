//! The tracked connections (`CLIENT TRACKING`, in RESP3), and the reads and fills over them for the
//! near cache.
//!
//! `OPTIN`: the server remembers a key only for the command that follows `CLIENT CACHING YES`, and
//! reports its next change, once. `NOLOOP`: the server doesn't report changes made over the same
//! connection, so a fill may enter. Pushes and replies share the connection, and its driver passes
//! a push to [`handle_push`] before it delivers any later reply. So when a heartbeat's answer
//! arrives, every push that the server sent before it has been handled.

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
use crate::store::memory::Eviction;
use crate::store::near::{NearCache, Note};
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;

/// The near cache of a cache, and its tracked connections.
pub(crate) struct Tracking {
    pub(crate) near: Arc<NearCache>,
    /// How long a silent connection is trusted.
    pub(crate) silence: Duration,
    current: Mutex<Option<Tracked>>,
    started: AtomicBool,
    pub(crate) lost: Arc<Lost>,
}

/// Connections of a term, one to each node that has keys.
#[derive(Clone)]
pub(crate) struct Tracked {
    pub(crate) ends: Arc<[End]>,
    pub(crate) term: u64,
    /// Identity of the servers, as in [`Connected`](crate::store::redis::conn::manager::Connected).
    pub(crate) server: Arc<str>,
}

/// Connection to a node with tracking on.
pub(crate) struct End {
    pub(crate) node: Node,
    pub(crate) connection: MultiplexedConnection,
    /// A key of this node that isn't an entry.
    pub(crate) probe: String,
}

/// Signal that a term has ended, with the reason. Wakes the heartbeat task.
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

    /// Forget the reasons of earlier terms. A term that has ended reports no more.
    pub(crate) fn reset(&self) {
        lock(&self.why).take();
    }

    pub(crate) fn why(&self) -> Option<String> {
        lock(&self.why).take()
    }
}

impl Tracking {
    pub(crate) fn new(capacity: usize, eviction: Eviction, silence: Duration) -> Self {
        Self {
            near: Arc::new(NearCache::new(capacity, eviction)),
            silence,
            current: Mutex::new(None),
            started: AtomicBool::new(false),
            lost: Arc::default(),
        }
    }

    /// Note a fetch or fill that is about to be sent to the node, and return the connection to send
    /// it over, or `None` while tracking is off.
    pub(crate) fn note(
        &self,
        key: &Arc<str>,
        node: &Node,
    ) -> Option<(MultiplexedConnection, Note)> {
        let tracked = lock(&self.current).clone()?;
        let end = tracked.ends.iter().find(|end| end.node == *node)?;
        let note = self.near.note(key, tracked.term)?;
        Some((end.connection.clone(), note))
    }

    /// Set the current term, from which on fetches may be noted.
    pub(crate) fn install(&self, tracked: Tracked) {
        *lock(&self.current) = Some(tracked);
    }

    /// End the current term, since something is wrong with its connections.
    pub(crate) fn end_term(&self, why: &str) {
        let tracked = lock(&self.current).take();
        if let Some(tracked) = tracked {
            end(&self.near, tracked.term, &self.lost, why);
        }
    }

    /// End the term unless it is with this server, which the main connection now leads to. The
    /// pushes of another server say nothing about its data.
    pub(crate) fn require_server(&self, server: &str) {
        let elsewhere = lock(&self.current)
            .as_ref()
            .is_some_and(|tracked| *tracked.server != *server);
        if elsewhere {
            self.end_term("the cache switched to another server");
        }
    }
}

/// End a term. Only the first call for a term has an effect.
fn end(near: &NearCache, term: u64, lost: &Lost, why: &str) {
    if let Some(remains) = near.end(term) {
        lost.tell(why);
        // Dropping many entries takes time, so it runs on a blocking thread, and the caller doesn't
        // wait.
        let _ = runtime::spawn(async move {
            tokio::task::spawn_blocking(move || drop(remains));
        });
    }
}

/// Handle a push message of the server.
pub(crate) fn handle_push(
    info: &PushInfo,
    near: &NearCache,
    lost: &Lost,
    term: u64,
    entries: &[u8],
) {
    match (&info.kind, info.data.first()) {
        (PushKind::Invalidate, Some(Value::Array(keys))) => {
            // Only keys with this prefix are fetched over this connection, and keys of this cache
            // are UTF-8.
            let keys = keys.iter().filter_map(|key| match key {
                Value::BulkString(key) => std::str::from_utf8(key.strip_prefix(entries)?).ok(),
                _ => None,
            });
            let removed: Vec<_> = keys.filter_map(|key| near.void(key)).collect();
            // Dropping values runs user code. A panic there would end the connection in the middle
            // of a message.
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
    /// Return the tracked connections' state. The first call starts tracking, which is on some
    /// round trips later.
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

    /// Wait for a reply over the tracked connection. If it fails, the connection is given up, which
    /// isn't an outage by itself. `None` means that the caller has to use the main connection.
    pub(crate) async fn tracked<T>(
        self: &Arc<Self>,
        tracking: &Tracking,
        reply: impl Future<Output = RedisResult<T>>,
    ) -> Result<Option<T>, CacheError> {
        self.breaker.check()?;
        match timeout(self.limits.response_timeout, reply).await {
            Ok(Ok(reply)) => Ok(Some(reply)),
            Ok(Err(error)) => {
                if error.is_unrecoverable_error() {
                    tracking.end_term(&heartbeat::reason(&error));
                }
                Ok(None)
            }
            Err(_) => {
                tracking.end_term("the server is silent");
                // With a second attempt over the main connection, the caller would wait twice.
                let error = CacheError::Timeout {
                    after: self.limits.response_timeout,
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
