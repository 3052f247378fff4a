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
            .slot(hash, key.as_bytes())
            .filter(|slot| slot.expires > now)?;
        slot.visit();
        Some(Sight {
            payload: slot.payload.clone(),
            version: slot.version,
            fresh_until: slot.fresh_until,
            compute: slot.compute,
            paused_until: slot.paused_until,
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
        let same = |place: &u32| {
            self.at(*place)
                .is_some_and(|slot| slot.key.as_bytes() == key.as_bytes())
        };
        let place = *self.places.find(hash, same)?;
        let slot = self.slots.get_mut(place as usize)?.as_mut()?;
        if slot.expires <= now {
            return None;
        }
        slot.paused_until = until;
        Some(slot.fresh_until)
    }
}
