//! The decision about a call that missed, and the lead that it may get.

use crate::entry::payload::Payload;
use crate::flight::Leader;
use crate::read::freshness::Reason;
#[cfg(feature = "redis")]
use crate::store::redis::{Lease, NearCandidate};

/// Accept a payload with its entry's version, if the caller can use it.
pub(crate) type Accept<'a> = dyn FnMut(&Payload, u32) -> bool + Send + 'a;

/// The next step of a call.
pub(crate) enum Decision {
    /// Return the accepted payload.
    Hit,
    /// Return the accepted payload, which another caller has just computed for this call too.
    Shared,
    /// Return the accepted payload, which may also enter the near cache.
    #[cfg(feature = "redis")]
    HitFromRedis(NearCandidate),
    /// Compute the entry, while every other caller waits.
    Compute(Lead),
    /// Recompute a value that was accepted and is still cached.
    Refresh(Lead, Reason),
    /// Run the body, and store nothing.
    Bypass,
}

/// The right, and the duty, to compute an entry.
pub(crate) struct Lead {
    /// The lease in Redis, given back when dropped. Declared before `leader`, so that the caller
    /// that takes over finds the lease gone.
    #[cfg(feature = "redis")]
    pub(crate) lease: Option<Lease>,
    pub(crate) leader: Leader,
}

impl Lead {
    pub(crate) fn in_memory(leader: Leader) -> Self {
        Self {
            #[cfg(feature = "redis")]
            lease: None,
            leader,
        }
    }

    /// The store has granted the lease, so the body may run.
    #[cfg(feature = "redis")]
    pub(crate) fn with_lease(leader: Leader, lease: Lease) -> Self {
        leader.granted();
        Self {
            lease: Some(lease),
            leader,
        }
    }
}
