//! Outages: how one is noticed, and how the store recovers.
//!
//! The first failure opens the breaker, and from then on calls are refused at once. A probe in the
//! background connects. Before it closes the breaker, it sends the invalidations that the server
//! lacks: those that could not be sent and, if another server came back, also those of the last
//! seconds, since it may have lost deletes that the first server had acknowledged. So no cached
//! read is served before them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use redis::RedisResult;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Connection;
use crate::store::redis::recovery::breaker::{Closed, LogAs, Opened};
use crate::store::redis::recovery::reconnect::Failure;

/// Longest pause between two probes of a store that is down.
const SLOWEST_PROBE: Duration = Duration::from_secs(1);

/// Purpose of a command, which decides its timeout and whether an open breaker refuses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// A call. Refused while the breaker is open, and limited by the response timeout.
    Call,
    /// An invalidation. It begins while the breaker is closed, and goes on if the breaker opens.
    /// Limited by the invalidation timeout, since waiting through a stall is better than reaching
    /// other processes late.
    Invalidation,
    /// The probe, while the breaker is open.
    Recovery,
    /// A replay of invalidations to another server, over a connection that isn't in use yet.
    CatchingUp,
}

impl Purpose {
    /// Report whether the command brings a server up to date before it may be read from.
    pub(crate) fn recovers(self) -> bool {
        matches!(self, Self::Recovery | Self::CatchingUp)
    }
}

/// Target of an invalidation.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A single key.
    Key(Arc<str>),
    Pattern(Pattern),
}

impl Target {
    /// Return the text to show.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Pattern(pattern) => pattern.text(),
        }
    }

    /// Report whether the target names this key.
    pub(crate) fn matches(&self, other: &[u8]) -> bool {
        match self {
            Self::Key(key) => key.as_bytes() == other,
            Self::Pattern(pattern) => pattern.matches(other),
        }
    }

    /// Return the pattern to remember. For a key, it is the pattern of its path, which covers the
    /// key.
    fn pattern(&self) -> Pattern {
        match self {
            Self::Key(key) => Pattern::of_path(key),
            Self::Pattern(pattern) => pattern.clone(),
        }
    }
}

/// Future of an operation that runs on the cache's thread, or was refused. Dropping it doesn't stop
/// the operation.
pub(crate) enum PendingReply<T> {
    Sent(JoinHandle<Result<T, CacheError>>),
    Refused(CacheError),
}

impl<T> Future for PendingReply<T> {
    type Output = Result<T, CacheError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Sent(reply) => Pin::new(reply).poll(cx).map(|ended| {
                ended.unwrap_or_else(|panic| {
                    Err(CacheError::Background {
                        source: Arc::new(panic),
                    })
                })
            }),
            Self::Refused(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl Client {
    /// Invalidate the targets, or queue all of them if one can't be sent. Return the number of
    /// values that each target has removed.
    pub(crate) async fn invalidate(
        self: &Arc<Self>,
        targets: &[Target],
    ) -> Result<Vec<u64>, CacheError> {
        let mut total = vec![0; targets.len()];
        loop {
            let before = self.server_of(Purpose::Invalidation);
            match self.remove_targets(targets, Purpose::Invalidation).await {
                Ok(removed) => {
                    let sums = total.iter_mut().zip(removed);
                    sums.for_each(|(sum, removed)| *sum += removed);
                }
                Err(error) => {
                    self.queue_invalidations(targets, &error);
                    return Err(error);
                }
            }
            // If the server changed in between, each of the two has received only a part of it.
            let server = self.server_of(Purpose::Invalidation);
            if server.is_some() && server == before {
                for target in targets {
                    self.replay
                        .acknowledged(&target.pattern(), server.as_deref());
                }
                self.start_monitor();
                return Ok(total);
            }
        }
    }

    /// Queue invalidations. Reads run uncached until they are sent.
    pub(crate) fn queue_invalidations(self: &Arc<Self>, targets: &[Target], cause: &CacheError) {
        for target in targets {
            self.queue_invalidation(target, cause);
        }
    }

    fn queue_invalidation(self: &Arc<Self>, target: &Target, cause: &CacheError) {
        let opened = self
            .replay
            .queue(&target.pattern(), || self.breaker.open(cause));
        if let Some(opened) = opened {
            self.breaker_opened(cause, opened);
        }
    }

    /// Send a command, or several that belong together, for a call.
    pub(crate) async fn send<T, F>(
        self: &Arc<Self>,
        command: impl Fn(Connection) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.send_for(Purpose::Call, command).await
    }

    /// Send a command, or several that belong together, and wait for the reply. The purpose's
    /// timeout includes connecting. Runs on the cache's thread only.
    pub(crate) async fn send_for<T, F>(
        self: &Arc<Self>,
        purpose: Purpose,
        command: impl Fn(Connection) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let limit = match purpose {
            Purpose::Call => self.limits.response,
            Purpose::Invalidation | Purpose::Recovery | Purpose::CatchingUp => {
                self.limits.invalidation
            }
        };
        if purpose == Purpose::Call {
            self.breaker.check()?;
        }
        self.manager.used.store(true, Ordering::Relaxed);
        let mut number = None;
        let attempt = self.attempt(purpose, &command, &mut number);
        let failure = match timeout(limit, attempt).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(failure)) => failure,
            Err(_) => Failure {
                error: CacheError::Timeout { after: limit },
                outage: true,
            },
        };
        let Failure { error, outage } = failure;
        if outage && !purpose.recovers() && self.manager.drop_failed(number) {
            self.open_breaker(&error);
        }
        Err(error)
    }

    /// Open the breaker because the server is out of reach.
    pub(crate) fn open_breaker(self: &Arc<Self>, error: &CacheError) {
        if let Some(opened) = self.breaker.open(error) {
            self.breaker_opened(error, opened);
        }
    }

    /// Act on the opening of the breaker: start the probe, and log the cause once.
    fn breaker_opened(self: &Arc<Self>, cause: &CacheError, opened: Opened) {
        self.per_runtime.end();
        // The probe comes first, since a tracing subscriber may panic. Spawning fails only if the
        // thread never started, and this code runs on that thread.
        let _ = runtime::spawn(probe(Arc::clone(self), opened.pause));
        match opened.log_as {
            LogAs::Down => {
                tracing::warn!(target: "cache", op = "down", "[Cache] Redis is down, so functions run uncached: {cause}")
            }
            LogAs::Again => {
                tracing::warn!(target: "cache", op = "down", "[Cache] Redis failed again soon \
                after its recovery; it is probed less often, and this cause isn't logged again \
                until Redis has worked for a minute: {cause}")
            }
            LogAs::Nothing => {
                tracing::debug!(target: "cache", op = "down", "[Cache] Redis failed again: {cause}")
            }
        }
    }

    /// Remember the cause that a probe has found. It is logged if the server reports another cause
    /// than was assumed.
    fn note_cause(&self, cause: &CacheError) {
        if self.breaker.note_cause(cause) {
            tracing::warn!(target: "cache", op = "down", "[Cache] Redis can't be used, so functions run uncached: {cause}");
        }
    }

    /// Act on the closing of the breaker, which is logged if its opening was. After several
    /// failures in a row, it is logged only once the breaker has stayed closed for a while.
    async fn breaker_closed(&self, closed: Closed) {
        match closed {
            Closed::Logged => tracing::info!(target: "cache", op = "up", "[Cache] Redis is back"),
            Closed::Unstable { number, pause } => {
                tokio::time::sleep(pause).await;
                if self.breaker.stayed_closed_since(number) {
                    tracing::info!(target: "cache", op = "up", "[Cache] Redis is back");
                }
            }
        }
    }

    /// Connect and send all pending invalidations, then close the breaker.
    ///
    /// # Errors
    ///
    /// The reason why the server can't be used yet.
    async fn recover(self: &Arc<Self>) -> Result<Closed, CacheError> {
        let limit = self.limits.response;
        let fresh = match timeout(limit, self.manager.connect()).await {
            Ok(fresh) => fresh.map_err(CacheError::store)?,
            Err(_) => return Err(CacheError::Timeout { after: limit }),
        };
        let server = Arc::clone(&fresh.server);
        self.manager.replace(fresh);
        if let Some(tracking) = &self.tracking {
            tracking.require_server(&server);
        }
        self.replay.requeue(&server);
        loop {
            for queued in self.replay.pending() {
                self.remove_matching(&queued.pattern, Purpose::Recovery)
                    .await?;
                self.replay.done(&queued, &server);
            }
            // An invalidation that is queued now, by a caller that still found the breaker open, is
            // sent here or in the next round, because the queue and the breaker change under one
            // lock.
            let mut closed = None;
            let close = || {
                self.manager.mark_informed(&server);
                closed = Some(self.breaker.close());
            };
            if self.replay.close_if_empty(close)
                && let Some(closed) = closed
            {
                return Ok(closed);
            }
        }
    }
}

/// Try again until the server answers and has all invalidations, or the cache is dropped and has
/// none pending.
async fn probe(client: Arc<Client>, first: Duration) {
    let mut pause = first;
    loop {
        tokio::time::sleep(pause).await;
        if Arc::strong_count(&client) == 1 && client.replay.is_empty() {
            return;
        }
        match client.recover().await {
            Ok(closed) => {
                client.give_back_orphans().await;
                return client.breaker_closed(closed).await;
            }
            Err(cause) => client.note_cause(&cause),
        }
        pause = (pause * 2).min(SLOWEST_PROBE.max(first));
    }
}
