//! Entries that outlive their lifetime.

use super::Shard;
use crate::clock::Moment;
use crate::store::memory::Sight;

impl Shard {
    /// The entry, fresh or stale.
    pub(in crate::store::memory) fn look(
        &self,
        hash: u64,
        key: &str,
        now: Moment,
    ) -> Option<Sight> {
        let slot = self
            .slot(hash, key)
            .filter(|slot| slot.entry.expires > now)?;
        slot.visit();
        let entry = &slot.entry;
        Some(Sight {
            payload: entry.payload.clone(),
            version: entry.version,
            fresh_until: entry.fresh_until,
            compute: entry.compute,
            paused_until: entry.paused_until,
        })
    }

    /// Notes until when nobody computes the entry anew; until when it is fresh.
    pub(in crate::store::memory) fn pause(
        &mut self,
        hash: u64,
        key: &str,
        now: Moment,
        until: Moment,
    ) -> Option<Moment> {
        let same = |place: &u32| self.at(*place).is_some_and(|slot| *slot.key == *key);
        let place = *self.places.find(hash, same)?;
        let slot = self.slots.get_mut(place as usize)?.as_mut()?;
        if slot.entry.expires <= now {
            return None;
        }
        slot.entry.paused_until = until;
        Some(slot.entry.fresh_until)
    }
}
