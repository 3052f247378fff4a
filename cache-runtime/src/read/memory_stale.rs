//! Reading an entry in memory that may be recomputed while it is still cached. The claim to
//! recompute it is the key's place in the flight table.

use crate::flight::{JoinOutcome, Stance};
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Accept, Decision, Lead};
use crate::read::refresh::{Reason, Standing};
use crate::store::memory::{MemoryStore, StaleHit};

/// Result of one lookup in the store.
struct Lookup {
    sight: Option<StaleHit>,
    standing: Standing,
    /// A refresh failed a moment ago, and is paused.
    paused: bool,
    /// The cached value has another type or version: it is overwritten at any age.
    unusable: bool,
}

pub(crate) async fn read(call: &Call, store: &MemoryStore, accept: &mut Accept<'_>) -> Decision {
    let mut limit = WaitBudget::new(call.cache.inner().wait_timeout);
    loop {
        let seen = look_up(call, store, accept);
        let reason = match seen.standing {
            Standing::Fresh => {
                call.hit();
                return Decision::Hit;
            }
            Standing::Due(reason) if seen.paused => return call.taken(reason),
            Standing::Due(reason) => Some(reason),
            Standing::Gone => None,
        };
        match (join_or_lead(call, store, &seen), reason) {
            (JoinOutcome::Found(()), _) => {}
            #[cfg(feature = "redis")]
            (JoinOutcome::Retry, _) => {}
            (JoinOutcome::Lead(leader), Some(reason)) => {
                return Decision::Refresh(Lead::in_memory(leader), reason);
            }
            (JoinOutcome::Lead(leader), None) => {
                return Decision::Compute(Lead::in_memory(leader));
            }
            // Another caller is computing it already.
            (_, Some(reason @ (Reason::Early | Reason::Stale))) => return call.taken(reason),
            (JoinOutcome::Nested, _) => return Decision::Bypass,
            (JoinOutcome::Join(flight), _) => {
                if let Some(step) = call.wait(flight, &mut limit, accept).await {
                    return step;
                }
            }
        }
    }
}

fn look_up(call: &Call, store: &MemoryStore, accept: &mut Accept<'_>) -> Lookup {
    let now = call.cache.inner().clock.now();
    let sight = store.look(&call.key, now);
    let standing = sight.as_ref().map_or(Standing::Gone, |sight| {
        let early = |_| call.due == Some(sight.fresh_until);
        call.options.standing(sight.age(now), early)
    });
    let unusable = standing != Standing::Gone
        && !sight
            .as_ref()
            .is_some_and(|sight| accept(&sight.payload, sight.version));
    Lookup {
        paused: sight.as_ref().is_some_and(|sight| sight.paused_until > now),
        standing: if unusable { Standing::Gone } else { standing },
        unusable,
        sight,
    }
}

/// Lead, if under the flight table's lock the entry is still the one that was seen. A leader
/// stores its value before it leaves the table, so this check sees every fill that completed
/// after the first lookup. Without it, such a caller would compute once more.
fn join_or_lead(call: &Call, store: &MemoryStore, seen: &Lookup) -> JoinOutcome<()> {
    let inner = call.cache.inner();
    let recheck = || {
        let now_seen = store.look(&call.key, inner.clock.now());
        let same = match (&seen.sight, &now_seen) {
            (Some(then), Some(now)) => then.is_same(now),
            // An unusable entry may have expired.
            (_, None) => seen.standing == Standing::Gone,
            (None, Some(_)) => false,
        };
        (!same && !seen.unusable).then_some(())
    };
    inner
        .flights
        .join_or_lead(&call.key, !call.blocking, |_| Stance::Join, recheck)
}

impl StaleHit {
    /// Whether this is the same entry, with the same pause.
    fn is_same(&self, other: &Self) -> bool {
        self.fresh_until == other.fresh_until && self.paused_until == other.paused_until
    }
}
