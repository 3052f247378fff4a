//! The wakers of the callers that wait for one flight.

use std::task::Waker;

/// Wakers of a flight's waiters. Slots are reused, so that callers that come and give up during the
/// flight don't grow the list.
#[derive(Default)]
pub(super) struct Wakers {
    slots: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Wakers {
    /// Store the waker in its owner's slot, assigning one on first use, and return the waker it
    /// replaces.
    pub(super) fn keep(&mut self, slot: &mut Option<usize>, waker: Waker) -> Option<Waker> {
        if let Some(slot) = *slot {
            return self.slots[slot].replace(waker);
        }
        let free = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        *slot = Some(free);
        self.slots[free].replace(waker)
    }

    /// Release the slot and return its waker.
    pub(super) fn leave(&mut self, slot: usize) -> Option<Waker> {
        let left = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(left)
    }

    pub(super) fn wake(self) {
        for waker in self.slots.into_iter().flatten() {
            waker.wake();
        }
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}
