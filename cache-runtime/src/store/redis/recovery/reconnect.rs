//! How a connection that ended, or that may have, is replaced without an outage.
//!
//! Servers, proxies and load balancers close what is idle. A command that finds its connection ended is sent again, once,
//! over a fresh one. It may have been obeyed before: every command here may be, twice. A lease, claim or fill whose token is
//! in place already is the caller's own; a delete finds less to count; a pause that can't be told from another's is none.
//!
//! The fresh connection may lead to another server: restarted from a snapshot, or the replica that took over. So each one is
//! asked who it is, and one that isn't known to have all invalidations of this process is told first. Until then nobody
//! reads over it, and what the old one still acknowledges is sent again.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Connection;
use crate::store::redis::conn::manager::{Connected, is_ended, is_outage};
use crate::store::redis::recovery::outage::Purpose;

/// A command that failed.
pub(crate) struct Failure {
    pub(crate) error: CacheError,
    /// Whether it says something about the server or the connection, and not about one key.
    pub(crate) outage: bool,
}

impl Failure {
    /// Whatever a server refuses a connection for, it refuses it to all.
    fn outage(error: CacheError) -> Self {
        Self {
            error,
            outage: true,
        }
    }
}

impl Client {
    /// Send a command, or several that belong together; once more if the connection turns out to have ended. `number`
    /// becomes that of the connection that a failure, or the end of the caller's patience, speaks about.
    pub(crate) async fn attempt<T, F>(
        self: &Arc<Self>,
        purpose: Purpose,
        command: &impl Fn(Connection) -> F,
        number: &mut Option<u64>,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connected = self.connected(purpose, number).await?;
        *number = Some(connected.number);
        let reply = match command(connected.connection).await {
            // The recovery begins again by itself, and the server may be another one by then.
            Err(error) if is_ended(&error) && !purpose.recovers() => {
                let fresh = self.reconnect(purpose, *number).await?;
                *number = Some(fresh.number);
                command(fresh.connection).await
            }
            reply => reply,
        };
        match reply {
            Ok(reply) => {
                self.manager.hears();
                Ok(reply)
            }
            Err(error) => Err(Failure {
                outage: is_outage(&error),
                error: CacheError::store(error),
            }),
        }
    }

    /// The connection to send over: the one in use, unless it may be dead.
    async fn connected(
        self: &Arc<Self>,
        purpose: Purpose,
        number: &mut Option<u64>,
    ) -> Result<Connected, Failure> {
        if purpose == Purpose::CatchingUp
            && let Some(candidate) = self.manager.candidate()
        {
            return Ok(candidate);
        }
        let Some(standing) = self.manager.standing_one() else {
            return self.reconnect(purpose, None).await;
        };
        *number = Some(standing.number);
        match self.manager.is_silent() {
            false => Ok(standing),
            true => self.ask_first(purpose, standing).await,
        }
    }

    /// Ask whether a connection that was silent for long is alive; replace it if no answer comes.
    #[cold]
    async fn ask_first(
        self: &Arc<Self>,
        purpose: Purpose,
        silent: Connected,
    ) -> Result<Connected, Failure> {
        // One asks for all, and connects for all if no answer comes.
        let _connecting = self.manager.connecting.lock().await;
        let standing = self.manager.standing_one();
        if standing.is_some_and(|standing| standing.number == silent.number) {
            if !self.manager.is_silent() {
                return Ok(silent);
            }
            let ask = silent.connection.is_alive(self.probe_key());
            if timeout(self.limits.response / 4, ask).await == Ok(true) {
                self.manager.hears();
                return Ok(silent);
            }
        }
        self.replacement(purpose, Some(silent.number)).await
    }

    /// A connection other than the one that ended: what another caller has made by now, or a fresh one.
    async fn reconnect(
        self: &Arc<Self>,
        purpose: Purpose,
        ended: Option<u64>,
    ) -> Result<Connected, Failure> {
        let _connecting = self.manager.connecting.lock().await;
        self.replacement(purpose, ended).await
    }

    /// The same, by who holds the right to connect.
    async fn replacement(
        self: &Arc<Self>,
        purpose: Purpose,
        ended: Option<u64>,
    ) -> Result<Connected, Failure> {
        if let Some(standing) = self.manager.standing_one()
            && Some(standing.number) != ended
        {
            return Ok(standing);
        }
        // Whoever connected before this one, and failed, has opened it.
        if purpose == Purpose::Call {
            self.breaker.check().map_err(|error| Failure {
                error,
                outage: false,
            })?;
        }
        let fresh = match self.manager.connect().await {
            // Whatever closed the last one may have closed this one, too, while it was made.
            Err(error) if is_ended(&error) && !error.is_connection_refusal() => {
                self.manager.connect().await
            }
            fresh => fresh,
        };
        let fresh = fresh.map_err(|error| Failure::outage(CacheError::store(error)))?;
        // The probe doesn't wait for the right to connect. What it has put into use meanwhile is up to date.
        if let Some(standing) = self.manager.standing_one()
            && Some(standing.number) != ended
        {
            return Ok(standing);
        }
        self.manager.retire();
        // While the breaker is open the probe catches up before it closes it.
        if self.manager.is_informed(&fresh.server) || self.breaker.check().is_err() {
            return Ok(self.manager.install(fresh));
        }
        self.catch_up(fresh).await.map_err(Failure::outage)
    }

    /// Tell another server what it may not know, then put the connection to it into use. Boxed, since it sends client, too.
    fn catch_up(
        self: &Arc<Self>,
        fresh: Connected,
    ) -> BoxFuture<'_, Result<Connected, CacheError>> {
        Box::pin(async move {
            if let Some(tracking) = &self.tracking {
                tracking.stay_with(&fresh.server);
            }
            self.replay.recall(&fresh.server);
            let _candidate = self.manager.propose(&fresh);
            loop {
                for owed in self.replay.pending() {
                    self.remove_matching(&owed.pattern, Purpose::CatchingUp)
                        .await?;
                    self.replay.done(&owed, &fresh.server);
                }
                let mut installed = None;
                let install = || {
                    let standing = self.manager.install(fresh.clone());
                    if standing.number == fresh.number {
                        self.manager.informs(&fresh.server);
                    }
                    installed = Some(standing);
                };
                if self.replay.close_if_empty(install)
                    && let Some(installed) = installed
                {
                    return Ok(installed);
                }
            }
        })
    }

    /// The server that client of this purpose go to, if there is a connection.
    pub(crate) fn server_of(&self, purpose: Purpose) -> Option<Arc<str>> {
        match purpose {
            Purpose::CatchingUp => self.manager.candidate().map(|fresh| fresh.server),
            _ => self.manager.server(),
        }
    }
}
