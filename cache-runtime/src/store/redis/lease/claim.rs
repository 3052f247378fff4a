//! The claim on a cached value: the right to refresh it, while other callers go on reading it.

use std::sync::Arc;
use std::time::Duration;

use crate::entry::{self, Header};
use crate::error::CacheError;
use crate::store::redis::client::{Client, Found, millis};
use crate::store::redis::lease::Lease;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;
use crate::store::redis::{RedisStore, RemainingTtl};

/// Holder of the claim in a value's header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Holder {
    Free,
    /// The holder of this token.
    Claim(u64),
    /// No refresh for a while, because the last one failed.
    Pause,
}

impl Holder {
    pub(crate) fn of(header: &Header, left: RemainingTtl) -> Self {
        let is_active = header.claim_end != 0 && left.is_some_and(|left| left > header.claim_end);
        match header.claim {
            _ if !is_active => Self::Free,
            0 => Self::Pause,
            claim => Self::Claim(claim),
        }
    }
}

/// Result of asking for a claim.
pub(crate) enum Claimed {
    Granted(Lease),
    /// Another caller has it, or a pause is in force.
    Taken,
    /// The value is no longer the one that was read.
    Changed,
}

impl RedisStore {
    /// Claim a value that was read. Like a lease, the claim moves into the task that runs the
    /// command. If the caller is dropped meanwhile, that task gives the claim back.
    pub(crate) async fn claim(&self, mut lease: Lease, seen: u64) -> Result<Claimed, CacheError> {
        self.run(Operation::Lease, |client| async move {
            // Set before the reply, since a command whose reply is lost may have been executed.
            lease.held = true;
            let answer = client.claim(&lease, seen).await?;
            if answer > 0 {
                return Ok(Claimed::Granted(lease.start_renewal()));
            }
            lease.mark_over();
            Ok(if answer == 0 {
                Claimed::Taken
            } else {
                Claimed::Changed
            })
        })
        .await
    }

    /// Return the TTL of a lease, after which a lease whose holder died expires.
    pub(crate) fn lease_ttl(&self) -> Duration {
        self.client().limits.lease_ttl
    }

    /// Report whether this token belongs to an abandoned lease or claim of this process.
    pub(crate) fn is_orphan(&self, token: u64) -> bool {
        self.client().orphans.hold(token)
    }
}

impl Client {
    async fn claim(self: &Arc<Self>, lease: &Lease, seen: u64) -> Result<i64, CacheError> {
        let scripts = (&lua::CLAIM, &lua::CLAIM_ALONE);
        let token = lease.token();
        self.lease(
            scripts,
            (&lease.key, token),
            lease.owner.as_deref(),
            |call| {
                call.arg(&token.to_le_bytes()[..])
                    .arg(&seen.to_le_bytes()[..]);
            },
        )
        .await
    }

    /// Replace a claim by a pause. Return the value's remaining TTL in milliseconds, or -1 if the
    /// claim is gone.
    async fn pause(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        pause: Duration,
    ) -> Result<i64, CacheError> {
        self.script(Purpose::Call, &lua::PAUSE, |call| {
            call.key(self.full_key(key))
                .arg(&token.to_le_bytes()[..])
                .arg(millis(pause));
        })
        .await
    }
}

impl Lease {
    /// End the claim with a pause of that length. Return the value's remaining TTL in milliseconds,
    /// or `None` if the claim is gone. If the command can't be sent, the claim is given back later.
    pub(crate) async fn pause(mut self, pause: Duration) -> Option<u64> {
        let left = self.client.pause(&self.key, self.token(), pause).await;
        if left.is_ok() {
            self.mark_over();
        }
        u64::try_from(left.ok()?).ok()
    }
}

/// Return the header of what was read, if it is an entry.
pub(crate) fn header_of(seen: &Found) -> Option<Header> {
    match seen {
        Found::Entry(bytes) => entry::inspect(bytes),
        _ => None,
    }
}
