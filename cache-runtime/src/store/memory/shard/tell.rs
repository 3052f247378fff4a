//! Telling watchers of changes, under the shard's lock, so that those of one key come in their order.

use std::time::Duration;

use super::StoreShard;
use crate::clock::{Moment, NEVER};
use crate::watch::ChangeKind;

impl StoreShard {
    /// Tell that an entry is about to leave.
    #[inline]
    pub(super) fn tell(&self, number: u32, kind: ChangeKind) {
        if self.watchers.are_any()
            && let Some(slot) = self.at(number)
        {
            self.watchers.tell(slot.key.as_bytes(), kind, None, None);
        }
    }

    /// Tell of an entry that is no longer there.
    #[inline]
    pub(super) fn tell_key(&self, key: &str, kind: ChangeKind) {
        if self.watchers.are_any() {
            self.watchers.tell(key.as_bytes(), kind, None, None);
        }
    }

    /// Tell that an entry had expired before another one replaces it.
    #[inline]
    pub(super) fn tell_expired(&self, number: u32, now: Moment) {
        if self.watchers.are_any()
            && let Some(cold) = self.cold.get(number as usize)
            && cold.expires <= now
        {
            self.tell(number, ChangeKind::Expired);
        }
    }

    /// Tell that an entry was stored.
    #[inline]
    pub(super) fn tell_filled(&self, number: u32, now: Moment) {
        if !self.watchers.are_any() {
            return;
        }
        if let (Some(slot), Some(cold)) = (self.at(number), self.cold.get(number as usize)) {
            let left = slot.fresh_until.saturating_sub(now);
            let ttl = (slot.fresh_until != NEVER).then(|| Duration::from_nanos(left));
            let bytes = cold.bytes(slot.key.len()) as u64;
            let key = slot.key.as_bytes();
            self.watchers
                .tell(key, ChangeKind::Filled, Some(bytes), ttl);
        }
    }
}
