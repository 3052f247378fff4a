//! What a call does with an entry in memory that it may compute anew while it stands. The claim is the place on the
//! table of flights.

use crate::flight::{Boarding, Stance};
use crate::read::call::{Accept, Call, Lead, Limit, Step};
use crate::read::refresh::{Reason, Standing};
use crate::store::memory::{MemoryStore, Sight};

/// What one look at the store came to.
struct Seen {
    sight: Option<Sight>,
    standing: Standing,
    /// Computed anew a moment ago, in vain.
    paused: bool,
    /// Another type's or version's value stands there: it is overwritten, whatever its age.
    unusable: bool,
}

impl Call {
    pub(crate) async fn approach_memory_closely(
        &self,
        store: &MemoryStore,
        accept: &mut Accept<'_>,
    ) -> Step {
        let mut limit = Limit::new(self.cache.inner().flight_limit);
        loop {
            let seen = self.look_closely(store, accept);
            let reason = match seen.standing {
                Standing::Fresh => {
                    self.hit();
                    return Step::Taken;
                }
                Standing::Due(reason) if seen.paused => return self.taken(reason),
                Standing::Due(reason) => Some(reason),
                Standing::Gone => None,
            };
            match (self.board_closely(store, &seen), reason) {
                (Boarding::Found(()), _) => {}
                #[cfg(feature = "redis")]
                (Boarding::LookAgain, _) => {}
                (Boarding::Lead(leader), Some(reason)) => {
                    return Step::Refresh(Lead::in_memory(leader), reason);
                }
                (Boarding::Lead(leader), None) => return Step::Lead(Lead::in_memory(leader)),
                // Somebody computes it already.
                (_, Some(reason @ (Reason::Early | Reason::Stale))) => return self.taken(reason),
                (Boarding::Nested, _) => return Step::Run,
                (Boarding::Join(flight), _) => {
                    if let Some(step) = self.wait(flight, &mut limit, accept).await {
                        return step;
                    }
                }
            }
        }
    }

    fn look_closely(&self, store: &MemoryStore, accept: &mut Accept<'_>) -> Seen {
        let now = self.cache.inner().clock.now();
        let sight = store.look(&self.key, now);
        let standing = sight.as_ref().map_or(Standing::Gone, |sight| {
            let early = |_| self.due == Some(sight.fresh_until);
            self.options.standing(sight.age(now), early)
        });
        let unusable = standing != Standing::Gone
            && !sight
                .as_ref()
                .is_some_and(|sight| accept(&sight.payload, sight.version));
        Seen {
            paused: sight.as_ref().is_some_and(|sight| sight.paused_until > now),
            standing: if unusable { Standing::Gone } else { standing },
            unusable,
            sight,
        }
    }

    /// Leads, if under the table's lock what was seen still is what stands there: whoever landed in between has stored
    /// before it left the table. Otherwise one who looked before that landing would compute once more.
    fn board_closely(&self, store: &MemoryStore, seen: &Seen) -> Boarding<()> {
        let inner = self.cache.inner();
        let recheck = || {
            let now_seen = store.look(&self.key, inner.clock.now());
            let same = match (&seen.sight, &now_seen) {
                (Some(then), Some(now)) => then.is_same(now),
                // What was of no use may have ended.
                (_, None) => seen.standing == Standing::Gone,
                (None, Some(_)) => false,
            };
            (!same && !seen.unusable).then_some(())
        };
        inner
            .flights
            .board(&self.key, !self.blocking, |_| Stance::Join, recheck)
    }
}

impl Sight {
    /// Whether nothing came in between: no other entry, and no pause.
    fn is_same(&self, other: &Self) -> bool {
        self.fresh_until == other.fresh_until && self.paused_until == other.paused_until
    }
}
