//! The claim on a standing value: who computes it anew, while everybody may go on reading it.

use std::sync::Arc;
use std::time::Duration;

use crate::entry::{self, Header};
use crate::error::CacheError;
use crate::store::redis::client::{Client, Found, millis};
use crate::store::redis::lease::Lease;
use crate::store::redis::lua;
use crate::store::redis::recovery::outage::Purpose;
use crate::store::redis::{RedisStore, RemainingTtl};

/// What stands in a value's header of those who compute it anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Holder {
    Nobody,
    /// The holder of this claim.
    Claim(u64),
    /// Nobody, for a while: the body has erred.
    Pause,
}

impl Holder {
    pub(crate) fn of(header: &Header, left: RemainingTtl) -> Self {
        let stands = header.claim_end != 0 && left.is_some_and(|left| left > header.claim_end);
        match header.claim {
            _ if !stands => Self::Nobody,
            0 => Self::Pause,
            claim => Self::Claim(claim),
        }
    }
}

/// What asking for a claim came to.
pub(crate) enum Claimed {
    Granted(Lease),
    /// Somebody else has it, or a pause stands.
    Taken,
    /// It isn't the value any more that was seen.
    Changed,
}

impl RedisStore {
    /// Claims a value that was seen. Like a lease, the claim goes with its command: whoever goes away meanwhile leaves it
    /// to the command's task, which gives it back.
    pub(crate) async fn claim(&self, mut lease: Lease, seen: u64) -> Result<Claimed, CacheError> {
        self.run(|client| async move {
            // Before the reply: a command whose reply is lost may have been obeyed.
            lease.held = true;
            let answer = client.claim(&lease.key, lease.token(), seen).await?;
            if answer > 0 {
                return Ok(Claimed::Granted(lease.granted()));
            }
            lease.is_over();
            Ok(if answer == 0 {
                Claimed::Taken
            } else {
                Claimed::Changed
            })
        })
        .await
    }

    /// How long a lease lasts whose holder dies.
    pub(crate) fn lease_time(&self) -> Duration {
        self.client().limits.lease
    }

    /// Whether this lease, or claim, is one of this process that nobody holds any more.
    pub(crate) fn is_orphan(&self, token: u64) -> bool {
        self.client().orphans.hold(token)
    }
}

impl Client {
    async fn claim(self: &Arc<Self>, key: &str, token: u64, seen: u64) -> Result<i64, CacheError> {
        self.lease(&lua::CLAIM, &lua::CLAIM_ALONE, key, token, |call| {
            call.arg(&token.to_le_bytes()[..])
                .arg(&seen.to_le_bytes()[..]);
        })
        .await
    }

    /// Puts a pause in place of a claim; how many milliseconds the value stands, or -1 if the claim doesn't.
    async fn pause(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        pause: Duration,
    ) -> Result<i64, CacheError> {
        self.script(Purpose::Call, &lua::PAUSE, |call| {
            call.key(self.full(key))
                .arg(&token.to_le_bytes()[..])
                .arg(millis(pause));
        })
        .await
    }
}

impl Lease {
    /// Ends the claim with a pause of that length. Answers how many milliseconds the value is still
    /// cached for, or nothing if the claim is gone. What can't be sent is given back later.
    pub(crate) async fn pause(mut self, pause: Duration) -> Option<u64> {
        let left = self.client.pause(&self.key, self.token(), pause).await;
        if left.is_ok() {
            self.is_over();
        }
        u64::try_from(left.ok()?).ok()
    }
}

/// The header of what was seen, if it is an entry.
pub(crate) fn header_of(seen: &Found) -> Option<Header> {
    match seen {
        Found::Entry(bytes) => entry::inspect(bytes),
        _ => None,
    }
}
