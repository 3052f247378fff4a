//! The connection that tells of changes (`CLIENT TRACKING`, in RESP3), and what is read and filled over it for the near store.
//!
//! `OPTIN`: the server remembers a key only for the command that follows `CLIENT CACHING YES`, and tells of its next change,
//! once. `NOLOOP`: not of the changes that come over this very connection, so a fill may enter. Pushes and replies share the
//! connection, and its driver hands a push to [`heard`] before it hands out any later reply: who has a heartbeat's answer has
//! heard all that the server said before.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::commands::Commands;
use super::endpoint::Hear;
use crate::background;
use crate::error::CacheError;
use crate::store::memory::Remains;
use crate::store::near::{NearStore, Note};

/// The first pause before tracking is tried again, and the longest.
const FIRST_TRY: Duration = Duration::from_millis(50);
const SLOWEST_TRY: Duration = Duration::from_secs(1);
/// How many heartbeats fit into the time for which a silent connection is trusted.
const BEATS: u32 = 4;

/// The near store of a cache, and its way to the server.
pub(super) struct Tracking {
    pub(super) near: Arc<NearStore>,
    /// How long a connection is trusted that says nothing.
    silence: Duration,
    standing: Mutex<Option<Tracked>>,
    started: AtomicBool,
    lost: Arc<Lost>,
}

/// The connection of a term.
#[derive(Clone)]
pub(super) struct Tracked {
    pub(super) connection: MultiplexedConnection,
    term: u64,
}

/// Wakes who keeps the tracking when a term has ended, and says why.
#[derive(Default)]
struct Lost {
    why: Mutex<Option<String>>,
    wake: Notify,
}

impl Lost {
    fn tell(&self, why: &str) {
        lock(&self.why).get_or_insert_with(|| why.to_owned());
        self.wake.notify_one();
    }

    fn why(&self) -> Option<String> {
        lock(&self.why).take()
    }
}

impl Tracking {
    pub(super) fn new(capacity: usize, silence: Duration) -> Self {
        Self {
            near: Arc::new(NearStore::new(capacity)),
            silence,
            standing: Mutex::new(None),
            started: AtomicBool::new(false),
            lost: Arc::default(),
        }
    }

    /// Notes a fetch or fill that is about to be sent over the connection that comes with it; none while tracking doesn't
    /// stand.
    pub(super) fn note(&self, key: &Arc<str>) -> Option<(MultiplexedConnection, Note)> {
        let tracked = lock(&self.standing).clone()?;
        let note = self.near.note(key, tracked.term)?;
        Some((tracked.connection, note))
    }

    /// Ends the standing term: something is wrong with its connection.
    pub(super) fn doubt(&self, why: &str) {
        let tracked = lock(&self.standing).take();
        if let Some(tracked) = tracked {
            end(&self.near, tracked.term, &self.lost, why);
        }
    }
}

/// Ends a term, wherever that is noticed first.
fn end(near: &NearStore, term: u64, lost: &Lost, why: &str) {
    if let Some(remains) = near.end(term) {
        lost.tell(why);
        discard(remains);
    }
}

/// Drops what may be much, where nobody waits for it.
fn discard(remains: Remains) {
    let _ = background::spawn(async move {
        tokio::task::spawn_blocking(move || drop(remains));
    });
}

/// What the server says without being asked.
fn heard(info: &PushInfo, near: &NearStore, lost: &Lost, term: u64, entries: &[u8]) {
    match (&info.kind, info.data.first()) {
        (PushKind::Invalidate, Some(Value::Array(keys))) => {
            for key in keys {
                let Value::BulkString(key) = key else {
                    continue;
                };
                // Only such keys are fetched over this connection, and keys of this cache are text.
                if let Some(Ok(key)) = key.strip_prefix(entries).map(std::str::from_utf8) {
                    near.void(key);
                }
            }
        }
        (PushKind::Invalidate, _) => end(near, term, lost, "Redis was flushed"),
        (PushKind::Disconnection, _) => end(near, term, lost, "the connection was lost"),
        _ => {}
    }
}

impl Commands {
    /// The near store's way to the server. The first call asks for it; it stands some round trips later.
    pub(super) fn tracking(self: &Arc<Self>) -> Option<&Arc<Tracking>> {
        let tracking = self.tracking.as_ref()?;
        if !tracking.started.load(Ordering::Acquire)
            && !tracking.started.swap(true, Ordering::AcqRel)
            && background::spawn(run(Arc::downgrade(self), Arc::clone(tracking))).is_err()
        {
            tracking.started.store(false, Ordering::Release);
        }
        Some(tracking)
    }

    /// Waits for what was sent over the tracked connection. If that fails, it is given up, which is no outage by itself;
    /// `None`: ask over the other one.
    pub(super) async fn tracked<T>(
        self: &Arc<Self>,
        tracking: &Tracking,
        reply: impl Future<Output = RedisResult<T>>,
    ) -> Result<Option<T>, CacheError> {
        self.breaker.check()?;
        match timeout(self.limits.response, reply).await {
            Ok(Ok(reply)) => Ok(Some(reply)),
            Ok(Err(error)) => {
                if error.is_unrecoverable_error() {
                    tracking.doubt(&reason(&error));
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

    /// A connection on which the server tracks, in a term of its own, and when it was asked to.
    async fn track(&self, tracking: &Tracking) -> RedisResult<Tracked> {
        let near = Arc::clone(&tracking.near);
        let term = near.begin();
        let entries = format!("{}:", self.prefix).into_bytes();
        let lost = Arc::clone(&tracking.lost);
        let hear: Hear = Box::new(move |info| heard(&info, &near, &lost, term, &entries));
        let mut connection = self.link.endpoint().open_telling(&None, hear).await?;
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("OPTIN").arg("NOLOOP");
        track.query_async::<()>(&mut connection).await?;
        Ok(Tracked { connection, term })
    }
}

/// Keeps tracking while the cache lives.
async fn run(commands: Weak<Commands>, tracking: Arc<Tracking>) {
    let mut pause = FIRST_TRY;
    // It is said once that the near store is out of use, and once that it is in use again.
    let mut said = false;
    loop {
        let Some(alive) = commands.upgrade() else {
            return;
        };
        let attempt = timeout(alive.limits.response, alive.track(&tracking)).await;
        drop(alive);
        let cause = match attempt {
            Ok(Ok(tracked)) => {
                *lock(&tracking.standing) = Some(tracked.clone());
                let cause = tracking.keep(&commands, tracked, &mut said).await;
                tracking.doubt("the cache is gone");
                pause = FIRST_TRY;
                match cause {
                    Some(cause) => cause,
                    None => return,
                }
            }
            Ok(Err(error)) => reason(&error),
            Err(_) => "the server is silent".to_owned(),
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(target: "cache", op = "near_down", "[Cache] the near store is empty and out of use: {cause}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_TRY);
    }
}

impl Tracking {
    /// Sends heartbeats until the term ends, and says why it did. `None`: the cache is gone.
    async fn keep(
        &self,
        commands: &Weak<Commands>,
        mut tracked: Tracked,
        said: &mut bool,
    ) -> Option<String> {
        let ping = redis::cmd("PING");
        let mut first = true;
        while commands.strong_count() > 0 {
            let sent = self.near.now();
            match timeout(
                self.silence,
                ping.query_async::<()>(&mut tracked.connection),
            )
            .await
            {
                Ok(Ok(())) => {
                    self.near.trust(tracked.term, sent, self.silence);
                }
                Ok(Err(error)) => self.doubt(&reason(&error)),
                Err(_) => self.doubt("the server is silent"),
            }
            if let Some(why) = self.lost.why() {
                return Some(why);
            }
            if std::mem::take(&mut first) && std::mem::take(said) {
                tracing::info!(target: "cache", op = "near_up", "[Cache] the near store is in use again");
            }
            let _ = timeout(self.silence / BEATS, self.lost.wake.notified()).await;
        }
        None
    }
}

/// What an error says, with what to do about a server that is too old.
fn reason(error: &RedisError) -> String {
    match error.code() {
        Some("NOPROTO" | "ERR") => {
            format!("it needs RESP3 and CLIENT TRACKING, which Redis 6 and newer have: {error}")
        }
        Some("NOPERM") => format!("its user may not do what it needs (see docs/redis.md): {error}"),
        _ => error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
