//! Entries that outlive their lifetime.

use super::Shard;
use crate::clock::Moment;
use crate::store::memory::StaleHit;
use crate::store::memory::key::AnyKey;

impl Shard {
    /// The entry, fresh or stale.
    pub(in crate::store::memory) fn look(
        &self,
        sought: &AnyKey<'_>,
        now: Moment,
    ) -> Option<StaleHit> {
        let place = self.place(sought)?;
        let (slot, rest) = (self.at(place)?, self.rest.get(place as usize)?);
        if rest.expires <= now {
            return None;
        }
        slot.visit();
        Some(StaleHit {
            payload: slot.payload.clone(),
            version: slot.version,
            fresh_until: slot.fresh_until,
            compute: rest.compute,
            paused_until: rest.paused_until,
        })
    }

    /// Notes until when nobody computes the entry anew; until when it is fresh.
    pub(in crate::store::memory) fn pause(
        &mut self,
        sought: &AnyKey<'_>,
        now: Moment,
        until: Moment,
    ) -> Option<Moment> {
        let place = self.place(sought)?;
        let fresh_until = self.at(place)?.fresh_until;
        let rest = self.rest.get_mut(place as usize)?;
        if rest.expires <= now {
            return None;
        }
        rest.paused_until = until;
        Some(fresh_until)
    }
}
