//! The claim on a standing value: who computes it anew, while everybody may go on reading it.

use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::Lazy;
use redis::Script;

use super::commands::{Commands, Seen, millis};
use super::lease::Lease;
use super::outage::Errand;
use super::{Left, RedisStore};
use crate::background;
use crate::call::Lead;
use crate::entry::{self, Header};
use crate::error::CacheError;
use crate::refresh::{Age, PAUSE, Pausing};

static CLAIM: Lazy<Script> = Lazy::new(|| {
    Script::new(concat!(
        include_str!("lua/claim.lua"),
        include_str!("lua/register.lua")
    ))
});
/// The same where the set is on another node.
static CLAIM_ALONE: Lazy<Script> =
    Lazy::new(|| Script::new(concat!(include_str!("lua/claim.lua"), "return 1")));
static PAUSED: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/pause.lua")));

/// What stands in a value's header of those who compute it anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holder {
    Nobody,
    /// The holder of this claim.
    Claim(u64),
    /// Nobody, for a while: the body has erred.
    Pause,
}

impl Holder {
    pub(super) fn of(header: &Header, left: Left) -> Self {
        let stands = header.claim_end != 0 && left.is_some_and(|left| left > header.claim_end);
        match header.claim {
            _ if !stands => Self::Nobody,
            0 => Self::Pause,
            claim => Self::Claim(claim),
        }
    }
}

/// What asking for a claim came to.
pub(super) enum Claimed {
    Granted(Lease),
    /// Somebody else has it, or a pause stands.
    Taken,
    /// It isn't the value any more that was seen.
    Changed,
}

impl RedisStore {
    /// Claims a value that was seen. Like a lease, the claim goes with its command: whoever goes away meanwhile leaves it
    /// to the command's task, which gives it back.
    pub(super) async fn claim(&self, mut lease: Lease, seen: u64) -> Result<Claimed, CacheError> {
        self.run(|commands| async move {
            // Before the reply: a command whose reply is lost may have been obeyed.
            lease.held = true;
            let answer = commands.claim(&lease.key, lease.token(), seen).await?;
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
        self.commands().limits.lease
    }

    /// Whether this lease, or claim, is one of this process that nobody holds any more.
    pub(super) fn is_orphan(&self, token: u64) -> bool {
        self.commands().orphans.hold(token)
    }
}

impl Commands {
    async fn claim(self: &Arc<Self>, key: &str, token: u64, seen: u64) -> Result<i64, CacheError> {
        self.lease(&CLAIM, &CLAIM_ALONE, key, token, |call| {
            call.arg(entry::start_of_a_lease())
                .arg(&token.to_le_bytes()[..])
                .arg(&seen.to_le_bytes()[..]);
        })
        .await
    }

    /// Puts a pause in place of a claim; how many milliseconds the value stands, or -1 if the claim doesn't.
    async fn pause(self: &Arc<Self>, key: &str, token: u64) -> Result<i64, CacheError> {
        self.script(Errand::Call, &PAUSED, |call| {
            call.key(self.full(key))
                .arg(&token.to_le_bytes()[..])
                .arg(entry::start_of_a_lease())
                .arg(millis(PAUSE));
        })
        .await
    }
}

impl Lead {
    /// Ends the claim with a pause, whether or not the caller waits for it. The flight ends after it, so that whoever waits
    /// finds the pause; what can't be sent gives the claim back when that is possible.
    pub(crate) fn pause_in_redis(mut self, grace: Duration) -> Pausing {
        let Some(mut lease) = self.lease.take() else {
            return Pausing::Done(None);
        };
        let underway = background::spawn(async move {
            let left = lease.commands.pause(&lease.key, lease.token()).await;
            if left.is_ok() {
                lease.is_over();
            }
            drop(lease);
            drop(self);
            let left = u64::try_from(left.ok()?).ok()?;
            Some(Age::of(left, millis(grace)))
        });
        underway.map_or(Pausing::Done(None), Pausing::Underway)
    }
}

/// The header of what was seen, if it is an entry.
pub(super) fn header_of(seen: &Seen) -> Option<Header> {
    match seen {
        Seen::Entry(bytes) => entry::inspect(bytes),
        _ => None,
    }
}
