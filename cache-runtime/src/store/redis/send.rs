//! Sending commands over the main connection. Every command that a script, an invalidation or a
//! probe consists of is sent here, on the cache's own thread. Plain reads have another way: the
//! connections of `conn/per_runtime/` and, with a near cache, of `tracking/`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::RedisResult;
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Connection;
use crate::store::redis::conn::manager::{is_ended, is_outage};
use crate::store::redis::purpose::Purpose;

/// Failure of a command.
pub(crate) struct Failure {
    pub(crate) error: CacheError,
    /// Whether it concerns the server or the connection, and not one key.
    pub(crate) outage: bool,
}

impl Failure {
    /// Make a failure to connect, which is always an outage: the server would refuse every
    /// connection for the same reason.
    pub(crate) fn outage(error: CacheError) -> Self {
        Self {
            error,
            outage: true,
        }
    }
}

impl Client {
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
            Purpose::Call | Purpose::Statistics => self.limits.response_timeout,
            Purpose::Invalidation | Purpose::Recovery | Purpose::CatchingUp => {
                self.limits.invalidation_timeout
            }
        };
        if purpose.is_refused_when_down() {
            self.breaker.check()?;
        }
        // The monitor of a cluster rests while only counters are published.
        if purpose != Purpose::Statistics {
            self.manager.used.store(true, Ordering::Relaxed);
        }
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
        let tells = !purpose.recovers() && purpose != Purpose::Statistics;
        if outage && tells && self.manager.drop_failed(number) {
            self.open_breaker(&error);
        }
        Err(error)
    }

    /// Send a command, or several that belong together. If the connection turns out to have ended,
    /// send once more over a new one. `number` is set to the connection that a failure or a timeout
    /// refers to.
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
        let sent = self.manager.now();
        let reply = match command(connected.connection).await {
            // The recovery starts again by itself, and the server may be another one by then.
            Err(error) if is_ended(&error) && !purpose.recovers() => {
                let fresh = self.reconnect(purpose, *number).await?;
                *number = Some(fresh.number);
                command(fresh.connection).await
            }
            reply => reply,
        };
        match reply {
            Ok(reply) => {
                self.manager.note_reply(sent);
                Ok(reply)
            }
            Err(error) => Err(Failure {
                outage: is_outage(&error),
                error: CacheError::store(error),
            }),
        }
    }
}
