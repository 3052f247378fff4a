//! Entries that outlive their TTL.

use super::StoreShard;
use crate::clock::Moment;
use crate::store::memory::StaleHit;
use crate::store::memory::key::AnyKey;

impl StoreShard {
    /// Return the entry, fresh or stale.
    pub(in crate::store::memory) fn get_stale(
        &self,
        wanted: &AnyKey<'_>,
        now: Moment,
    ) -> Option<StaleHit> {
        let number = self.find(wanted)?;
        let (slot, cold) = (self.at(number)?, self.cold.get(number as usize)?);
        if cold.expires <= now {
            return None;
        }
        self.note_read(slot, number);
        Some(StaleHit {
            payload: slot.payload.clone(),
            version: slot.version,
            fresh_until: slot.fresh_until,
            compute: cold.compute(),
            paused_until: cold.paused_until(),
        })
    }

    /// Record until when the entry isn't recomputed. Return the end of its freshness.
    pub(in crate::store::memory) fn pause(
        &mut self,
        wanted: &AnyKey<'_>,
        now: Moment,
        until: Moment,
    ) -> Option<Moment> {
        let number = self.find(wanted)?;
        let fresh_until = self.at(number)?.fresh_until;
        let cold = self.cold.get_mut(number as usize)?;
        if cold.expires <= now {
            return None;
        }
        cold.pause(until);
        Some(fresh_until)
    }
}
