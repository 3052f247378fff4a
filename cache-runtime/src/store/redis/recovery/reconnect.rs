//! Reconnecting: replaces a connection that has ended, or may have, without an outage.
//!
//! Servers, proxies and load balancers close idle connections. A command that finds its connection
//! ended is sent again, once, over a new one. It may have been executed before; every command here
//! may be executed twice. A lease, claim or fill whose token is already in place is the caller's
//! own. A repeated delete counts less. A pause that can't be told from another caller's counts as
//! not made.
//!
//! The new connection may lead to another server: one restarted from a snapshot, or the replica
//! that took over. So each new server is identified, and one that may lack invalidations of this
//! process receives them first. Until then nothing is read over the connection, and invalidations
//! that the old server still acknowledges are sent again.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::conn::manager::{Connected, is_ended};
use crate::store::redis::purpose::Purpose;
use crate::store::redis::send::Failure;

impl Client {
    /// Return the connection to send over: the current one, unless it may be dead.
    pub(crate) async fn connected(
        self: &Arc<Self>,
        purpose: Purpose,
        number: &mut Option<u64>,
    ) -> Result<Connected, Failure> {
        if purpose == Purpose::CatchingUp
            && let Some(candidate) = self.manager.candidate()
        {
            return Ok(candidate);
        }
        let Some(current) = self.manager.current() else {
            return self.reconnect(purpose, None).await;
        };
        *number = Some(current.number);
        match self.manager.is_silent() {
            false => Ok(current),
            true => self.ask_first(purpose, current).await,
        }
    }

    /// Check whether a connection that was silent for long is alive, and replace it if no answer
    /// comes.
    #[cold]
    async fn ask_first(
        self: &Arc<Self>,
        purpose: Purpose,
        silent: Connected,
    ) -> Result<Connected, Failure> {
        // One caller checks for all, and connects for all if no answer comes.
        let _connecting = self.manager.connecting.lock().await;
        let current = self.manager.current();
        if current.is_some_and(|current| current.number == silent.number) {
            if !self.manager.is_silent() {
                return Ok(silent);
            }
            let sent = self.manager.now();
            let ask = silent.connection.is_alive(self.probe_key());
            if timeout(self.limits.response_timeout / 4, ask).await == Ok(true) {
                self.manager.note_reply(sent);
                return Ok(silent);
            }
        }
        self.replacement(purpose, Some(silent.number)).await
    }

    /// Return another connection than the one that ended: a newer one of another caller, or a new
    /// one.
    pub(crate) async fn reconnect(
        self: &Arc<Self>,
        purpose: Purpose,
        ended: Option<u64>,
    ) -> Result<Connected, Failure> {
        let _connecting = self.manager.connecting.lock().await;
        self.replacement(purpose, ended).await
    }

    /// Return another connection than the one that ended. The caller holds `connecting`.
    async fn replacement(
        self: &Arc<Self>,
        purpose: Purpose,
        ended: Option<u64>,
    ) -> Result<Connected, Failure> {
        if let Some(current) = self.manager.current()
            && Some(current.number) != ended
        {
            return Ok(current);
        }
        // The breaker is open if another caller has connected before this one, and failed.
        if purpose.is_refused_when_down() {
            self.breaker.check().map_err(|error| Failure {
                error,
                outage: false,
            })?;
        }
        let fresh = match self.manager.connect().await {
            // The cause that closed the last connection may have closed this one too, while it was
            // opened.
            Err(error) if is_ended(&error) && !error.is_connection_refusal() => {
                self.manager.connect().await
            }
            fresh => fresh,
        };
        let fresh = fresh.map_err(|error| Failure::outage(CacheError::store(error)))?;
        // The probe doesn't wait for `connecting`. A connection that it has put into use meanwhile
        // is up to date.
        if let Some(current) = self.manager.current()
            && Some(current.number) != ended
        {
            return Ok(current);
        }
        self.manager.retire();
        // While the breaker is open, the probe sends the invalidations before it closes the
        // breaker.
        if self.manager.is_informed(&fresh.server) || self.breaker.check().is_err() {
            return Ok(self.manager.install(fresh));
        }
        self.catch_up(fresh).await.map_err(Failure::outage)
    }

    /// Send another server the invalidations that it may lack, then put the connection to it into
    /// use. Boxed, because it sends commands, which makes it recursive.
    fn catch_up(
        self: &Arc<Self>,
        fresh: Connected,
    ) -> BoxFuture<'_, Result<Connected, CacheError>> {
        Box::pin(async move {
            if let Some(tracking) = &self.tracking {
                tracking.require_server(&fresh.server);
            }
            self.replay.requeue(&fresh.server);
            let _candidate = self.manager.propose(&fresh);
            loop {
                for queued in self.replay.pending() {
                    self.remove_matching(&queued.pattern, Purpose::CatchingUp)
                        .await?;
                    self.replay.done(&queued, &fresh.server);
                }
                let mut installed = None;
                let install = || {
                    let current = self.manager.install(fresh.clone());
                    if current.number == fresh.number {
                        self.manager.mark_informed(&fresh.server);
                    }
                    installed = Some(current);
                };
                if self.replay.run_if_empty(install)
                    && let Some(installed) = installed
                {
                    return Ok(installed);
                }
            }
        })
    }

    /// Return the server that commands of this purpose go to, if there is a connection.
    pub(crate) fn server_of(&self, purpose: Purpose) -> Option<Arc<str>> {
        match purpose {
            Purpose::CatchingUp => self.manager.candidate().map(|fresh| fresh.server),
            _ => self.manager.server(),
        }
    }
}
