//! What happens when the server fails, and when it is back.
//!
//! The first failure opens the breaker: from then on calls are refused at once. A probe in the background
//! connects, and before it closes the breaker it sends what the server doesn't know: invalidations that could not be
//! sent, and, if it came back as another server, those of the last seconds too, since it may have forgotten
//! deletes that the first one had acknowledged. So no cached read is served before them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::RedisResult;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::client::Commands;
use crate::store::redis::conn::connection::Connection;
use crate::store::redis::conn::manager::{Connected, Failure};
use crate::store::redis::lua;

/// The first pause between two probes of a store that is down, and the longest.
const FIRST_PROBE: Duration = Duration::from_millis(50);
const SLOWEST_PROBE: Duration = Duration::from_secs(1);

/// On whose behalf something is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Errand {
    /// A call's: refused while the breaker is open; may take the response timeout.
    Call,
    /// An invalidation's: begins while the breaker is closed, and goes on if others open it; may take the
    /// invalidation timeout, since it is better to wait through a stall than to be late for other processes.
    Invalidation,
    /// The probe's, while the breaker is open.
    Recovery,
}

/// What an invalidation removes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// One key.
    Key(Arc<str>),
    Pattern(Pattern),
}

impl Target {
    /// As it is shown.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Pattern(pattern) => pattern.text(),
        }
    }

    /// As it is remembered: a key as the pattern of its path, which covers it.
    fn pattern(&self) -> Pattern {
        match self {
            Self::Key(key) => Pattern::of_path(key),
            Self::Pattern(pattern) => pattern.clone(),
        }
    }
}

/// Something that runs on the cache's thread, or was refused. Dropping it stops nothing.
pub(crate) enum Underway<T> {
    Running(JoinHandle<Result<T, CacheError>>),
    Refused(CacheError),
}

impl<T> Future for Underway<T> {
    type Output = Result<T, CacheError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Running(running) => Pin::new(running).poll(cx).map(|ended| {
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

impl Commands {
    /// Invalidates, or queues what couldn't be sent.
    pub(crate) async fn invalidate(self: &Arc<Self>, target: &Target) -> Result<u64, CacheError> {
        let mut total = 0;
        loop {
            let before = self.link.server();
            let removed = match target {
                Target::Key(key) => self.remove(key, Errand::Invalidation).await.map(u64::from),
                Target::Pattern(pattern) => {
                    self.remove_matching(pattern, Errand::Invalidation).await
                }
            };
            match removed {
                Ok(removed) => total += removed,
                Err(error) => {
                    self.owe(target, &error);
                    return Err(error);
                }
            }
            // If the server changed in between, each has heard a part of it.
            let server = self.link.server();
            if server.is_some() && server == before {
                self.replay
                    .acknowledged(&target.pattern(), server.as_deref());
                self.watch_from_now_on();
                return Ok(total);
            }
        }
    }

    /// Queues an invalidation; reads run uncached from now on, until it is sent.
    pub(crate) fn owe(self: &Arc<Self>, target: &Target, cause: &CacheError) {
        let opened = self
            .replay
            .queue(&target.pattern(), || self.breaker.open(cause));
        if opened {
            self.went_down(cause);
        }
    }

    /// Sends a command, or several that belong together, for a call.
    pub(crate) async fn send<T, F>(
        self: &Arc<Self>,
        command: impl FnOnce(Connection) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.send_for(Errand::Call, command).await
    }

    pub(crate) async fn send_for<T, F>(
        self: &Arc<Self>,
        errand: Errand,
        command: impl FnOnce(Connection) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let limit = match errand {
            Errand::Call => self.limits.response,
            Errand::Invalidation | Errand::Recovery => self.limits.invalidation,
        };
        if errand == Errand::Call {
            self.breaker.check()?;
        }
        match self.link.send(limit, command).await {
            Ok(reply) => Ok(reply),
            Err(Failure {
                error,
                outage,
                number,
            }) => {
                if outage && errand != Errand::Recovery && self.link.drop_failed(number) {
                    self.open_breaker(&error);
                }
                Err(error)
            }
        }
    }

    /// A failure that says that the server is out of reach.
    pub(crate) fn open_breaker(self: &Arc<Self>, error: &CacheError) {
        if self.breaker.open(error) {
            self.went_down(error);
        }
    }

    /// What follows the opening of the breaker: the cause is logged, once, and the probe starts.
    fn went_down(self: &Arc<Self>, cause: &CacheError) {
        self.locals.end();
        // The probe first: a subscriber may panic. Refused only where the thread never started; and this is it.
        let _ = runtime::spawn(probe(Arc::clone(self)));
        tracing::warn!(target: "cache", op = "down", "[Cache] Redis is down, functions run uncached: {cause}");
    }

    /// A connection on which a script that writes went through, on each node: a server that is loading, read-only or full
    /// answers too, and so does one that forbids this user what calls do.
    async fn knock(&self) -> RedisResult<Connected> {
        let fresh = self.link.connect().await?;
        let keys = fresh.connection.key_on_each(&self.probe_key());
        let knocks = keys.into_iter().map(|(_, key)| {
            let mut connection = fresh.connection.clone();
            async move {
                let mut write = lua::PROBE.key(key);
                write.arg(1_000).invoke_async::<()>(&mut connection).await
            }
        });
        try_join_all(knocks).await?;
        Ok(fresh)
    }

    /// Connects and catches up; whether the breaker is closed again.
    async fn try_again(self: &Arc<Self>) -> bool {
        let Ok(Ok(fresh)) = timeout(self.limits.response, self.knock()).await else {
            return false;
        };
        let server = Arc::clone(&fresh.server);
        self.link.replace(fresh);
        if let Some(tracking) = &self.tracking {
            tracking.stay_with(&server);
        }
        self.replay.recall(&server);
        loop {
            for owed in self.replay.pending() {
                let sent = self.remove_matching(&owed.pattern, Errand::Recovery).await;
                if sent.is_err() {
                    return false;
                }
                self.replay.done(&owed, &server);
            }
            // One that is queued now, by a caller that still found the breaker open, is seen here or by the next
            // round: the queue and the breaker change under one lock.
            if self.replay.close_if_empty(|| self.breaker.close()) {
                return true;
            }
        }
    }
}

/// Knocks until the server answers and has caught up, or the cache is gone and owes nothing.
async fn probe(commands: Arc<Commands>) {
    let mut pause = FIRST_PROBE;
    loop {
        tokio::time::sleep(pause).await;
        if Arc::strong_count(&commands) == 1 && commands.replay.owes_nothing() {
            return;
        }
        if commands.try_again().await {
            tracing::info!(target: "cache", op = "up", "[Cache] Redis is back");
            commands.give_back_orphans().await;
            return;
        }
        pause = (pause * 2).min(SLOWEST_PROBE);
    }
}
