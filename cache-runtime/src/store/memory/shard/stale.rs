//! Entries that outlive their TTL.

use super::Shard;
use crate::clock::Moment;
use crate::store::memory::StaleHit;
use crate::store::memory::key::AnyKey;

impl Shard {
    /// Return the entry, fresh or stale.
    pub(in crate::store::memory) fn look(
        &self,
        wanted: &AnyKey<'_>,
        now: Moment,
    ) -> Option<StaleHit> {
        let place = self.place(wanted)?;
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

    /// Record until when the entry isn't recomputed. Return the end of its freshness.
    pub(in crate::store::memory) fn pause(
        &mut self,
        wanted: &AnyKey<'_>,
        now: Moment,
        until: Moment,
    ) -> Option<Moment> {
        let place = self.place(wanted)?;
        let fresh_until = self.at(place)?.fresh_until;
        let rest = self.rest.get_mut(place as usize)?;
        if rest.expires <= now {
            return None;
        }
        rest.paused_until = until;
        Some(fresh_until)
    }
}
