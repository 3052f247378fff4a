//! The right to run a warmer: one process of a prefix at a time has it.
//!
//! `<prefix>#warm:<name>` holds the token of the process that runs the warmer, with the TTL of a
//! lease, and is renewed as long as the run goes on. After a run on an interval it holds `done` until
//! the interval is over, so that no other process runs the warmer again before.
//!
//! If the process dies, the key expires, and another process may run the warmer. If it is only slow
//! to renew, two may run it at a time. That costs time and no more: entries have leases of their own.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, millis};
use crate::store::redis::lease::fresh_token;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// The right to run a warmer. Dropping it gives it back.
pub(crate) struct WarmLease {
    client: Arc<Client>,
    key: String,
    token: String,
    held: bool,
    /// When the pause ends that the run has interrupted.
    paused_until: Option<Instant>,
    renewal: Option<JoinHandle<()>>,
}

/// Result of asking for the right to run a warmer.
pub(crate) enum WarmTaken {
    Lease(WarmLease),
    /// Another process has it, or has had it within the interval. When to ask again.
    Held(Duration),
}

impl RedisStore {
    /// Take the right to run a warmer. `is_patient`: not before the interval after the last run is
    /// over. `lost` is set once another process may have the right.
    ///
    /// The lease is made within the task that takes it. If the caller is dropped meanwhile, that
    /// task gives it back, always after it was taken.
    pub(crate) async fn take_warm(
        &self,
        name: &str,
        is_patient: bool,
        lost: Arc<AtomicBool>,
    ) -> Result<WarmTaken, CacheError> {
        let name = name.to_owned();
        self.run(Operation::Other, move |client| async move {
            let mut lease = WarmLease {
                key: format!("{}#warm:{name}", client.prefix),
                token: format!("{:016x}", fresh_token()),
                // Before the reply, since a command whose reply is lost may have been executed.
                held: true,
                paused_until: None,
                renewal: None,
                client,
            };
            let (taken, left): (i64, i64) = lease
                .client
                .script(Purpose::Call, &lua::WARM_TAKE, |call| {
                    call.key(&lease.key)
                        .arg(&lease.token)
                        .arg(millis(lease.client.limits.lease_ttl))
                        .arg(i64::from(is_patient));
                })
                .await?;
            let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
            if taken == 0 {
                lease.held = false;
                return Ok(WarmTaken::Held(left));
            }
            lease.paused_until = (!left.is_zero()).then(|| Instant::now() + left);
            let (client, key, token) = (&lease.client, lease.key.clone(), lease.token.clone());
            let renewal = Arc::clone(client).renew_warm(key, token, lost);
            lease.renewal = runtime::spawn(renewal).ok();
            Ok(WarmTaken::Lease(lease))
        })
        .await
    }
}

impl WarmLease {
    /// Give the right back. No process runs the warmer on its interval during the pause; `None`
    /// leaves the pause as it was before the run.
    pub(crate) async fn give_back(mut self, pause: Option<Duration>) {
        if let Some(given_back) = self.end(pause) {
            let _ = given_back.await;
        }
    }

    fn end(&mut self, pause: Option<Duration>) -> Option<JoinHandle<()>> {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        if !mem::take(&mut self.held) {
            return None;
        }
        let interrupted = || Some(self.paused_until?.saturating_duration_since(Instant::now()));
        let pause = pause.or_else(interrupted).unwrap_or_default();
        let (client, key) = (Arc::clone(&self.client), mem::take(&mut self.key));
        let token = mem::take(&mut self.token);
        runtime::spawn(async move { client.release_warm(&key, &token, pause).await }).ok()
    }
}

impl Drop for WarmLease {
    fn drop(&mut self) {
        drop(self.end(None));
    }
}

impl Client {
    /// Renew the right until it is lost or the task is aborted.
    async fn renew_warm(self: Arc<Self>, key: String, token: String, lost: Arc<AtomicBool>) {
        let ttl = self.limits.lease_ttl;
        let pause = (ttl / 3).max(Duration::from_millis(1));
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(pause).await;
            let asked = Instant::now();
            let reply: Result<i64, CacheError> = self
                .script(Purpose::Call, &lua::WARM_RENEW, |call| {
                    call.key(&key).arg(&token).arg(millis(ttl));
                })
                .await;
            match reply {
                Ok(0) => break,
                Ok(_) => renewed = asked,
                // An outage may end before the lease does.
                Err(_) if renewed.elapsed() < ttl => {}
                Err(_) => break,
            }
        }
        lost.store(true, Ordering::Release);
    }

    async fn release_warm(self: Arc<Self>, key: &str, token: &str, pause: Duration) {
        let pause = match pause.is_zero() {
            true => 0,
            false => millis(pause),
        };
        let released: Result<i64, CacheError> = self
            .script(Purpose::Call, &lua::WARM_RELEASE, |call| {
                call.key(key).arg(token).arg(pause);
            })
            .await;
        if let Err(error) = released {
            // It expires soon.
            tracing::debug!(target: "cache", op = "warm", "[Cache] the lease {key} wasn't given back: {error}");
        }
    }
}
