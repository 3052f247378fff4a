//! Reading an entry in memory that may be recomputed while it is still cached. The claim to
//! recompute it is the key's place in the flight table.

use crate::flight::{JoinOutcome, Stance};
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Accept, Decision, Lead};
use crate::read::freshness::{Freshness, Reason};
use crate::store::memory::{MemoryStore, StaleHit};

/// Result of one lookup in the store.
struct StaleLookup {
    hit: Option<StaleHit>,
    freshness: Freshness,
    /// A refresh failed a moment ago, and is paused.
    paused: bool,
    /// The cached value has another type or version: it is overwritten at any age.
    unusable: bool,
}

pub(crate) async fn read(call: &Call, store: &MemoryStore, accept: &mut Accept<'_>) -> Decision {
    let mut limit = WaitBudget::new(call.wait_limit());
    loop {
        let seen = look_up(call, store, accept);
        let reason = match seen.freshness {
            Freshness::Fresh => {
                call.hit();
                return Decision::Hit;
            }
            Freshness::Due(reason) if seen.paused => return call.hit_meanwhile(reason),
            Freshness::Due(reason) => Some(reason),
            Freshness::Gone => None,
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
            (_, Some(reason @ (Reason::Early | Reason::Stale))) => {
                return call.hit_meanwhile(reason);
            }
            (JoinOutcome::Nested | JoinOutcome::Writing, _) => return Decision::Bypass,
            (JoinOutcome::Join(flight), _) => {
                if let Some(step) = call.wait(flight, &mut limit, accept).await {
                    return step;
                }
            }
        }
    }
}

fn look_up(call: &Call, store: &MemoryStore, accept: &mut Accept<'_>) -> StaleLookup {
    let now = call.cache.inner().clock.now();
    let hit = store.get_stale(&call.key, now);
    let freshness = hit.as_ref().map_or(Freshness::Gone, |hit| {
        let early = |_| call.due == Some(hit.fresh_until);
        call.freshness(hit.age(now), (&hit.payload, hit.version), early)
    });
    let unusable = freshness != Freshness::Gone
        && !hit
            .as_ref()
            .is_some_and(|hit| accept(&hit.payload, hit.version));
    StaleLookup {
        paused: hit.as_ref().is_some_and(|hit| hit.paused_until > now),
        freshness: if unusable { Freshness::Gone } else { freshness },
        unusable,
        hit,
    }
}

/// Lead, if under the flight table's lock the entry is still the one that was seen. A leader
/// stores its value before it leaves the table, so this check sees every fill that completed
/// after the first lookup. Without it, such a caller would compute once more.
fn join_or_lead(call: &Call, store: &MemoryStore, seen: &StaleLookup) -> JoinOutcome<()> {
    let inner = call.cache.inner();
    let recheck = || {
        let now_seen = store.get_stale(&call.key, inner.clock.now());
        let same = match (&seen.hit, &now_seen) {
            (Some(then), Some(now)) => then.is_same(now),
            // An unusable entry may have expired.
            (_, None) => seen.freshness == Freshness::Gone,
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
