//! Outages: what happens when the breaker opens, and how the store recovers.
//!
//! The first failure that a new connection doesn't cure opens the breaker, and from then on calls
//! are refused at once. A probe in the background connects. Before it closes the breaker, it sends
//! the invalidations that the server lacks: those that could not be sent and, if another server
//! came back, also those of the last seconds, since it may have lost deletes that the first server
//! had acknowledged. So no cached read is served before them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::recovery::breaker::{Closed, LogAs, Opened};

/// Longest pause between two probes of a store that is down.
const SLOWEST_PROBE: Duration = Duration::from_secs(1);

impl Client {
    /// Open the breaker because the server is out of reach.
    pub(crate) fn open_breaker(self: &Arc<Self>, error: &CacheError) {
        if let Some(opened) = self.breaker.open(error) {
            self.breaker_opened(error, opened);
        }
    }

    /// Act on the opening of the breaker: start the probe, and log the cause once.
    pub(crate) fn breaker_opened(self: &Arc<Self>, cause: &CacheError, opened: Opened) {
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
        let limit = self.limits.response_timeout;
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
            if self.replay.run_if_empty(close)
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
