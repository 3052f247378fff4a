//! Finds the entries that have expired.

use super::lists::Lists;
use crate::clock::{Moment, NEVER};

/// A tick is 2^22 nanoseconds, about as long as one of the coarse clock.
const TICK: u32 = 22;
/// Each level has 2^6 lists, and a list of one level spans all lists of the level below.
const BITS: u32 = 6;
const LISTS: usize = 1 << BITS;
/// Together the levels span all moments.
const LEVELS: usize = (Moment::BITS - TICK).div_ceil(BITS) as usize;

/// A hierarchical timing wheel (Varghese and Lauck, 1987). An entry moves down a level at most six
/// times, so adding, removing and finding take constant time. Entries that don't expire aren't in
/// it.
pub(in crate::store::memory) struct Expiry {
    lists: Lists,
    /// Of each level, the lists that have entries.
    occupied: [u64; LEVELS],
    /// No entry that is in the wheel expires before this tick.
    elapsed: u64,
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            lists: Lists::new(LEVELS * LISTS),
            occupied: [0; LEVELS],
            elapsed: 0,
        }
    }
}

impl Expiry {
    pub(in crate::store::memory) fn insert(&mut self, number: u32, expires: Moment) {
        if expires == NEVER {
            return;
        }
        let tick = (expires >> TICK).max(self.elapsed);
        // The level of the highest digit in which the tick differs from the elapsed one.
        let differs = (tick ^ self.elapsed).checked_ilog2().unwrap_or(0);
        let level = (differs / BITS) as usize;
        let list = (tick >> (level as u32 * BITS)) as usize % LISTS;
        self.lists.push(level * LISTS + list, number);
        self.occupied[level] |= 1 << list;
    }

    pub(in crate::store::memory) fn remove(&mut self, number: u32) {
        if let Some(list) = self.lists.remove(number)
            && self.lists.first(list).is_none()
        {
            self.occupied[list / LISTS] &= !(1 << (list % LISTS));
        }
    }

    /// Return an entry that has expired, some milliseconds ago at least. The caller removes it.
    pub(in crate::store::memory) fn next(
        &mut self,
        now: Moment,
        expires: impl Fn(u32) -> Moment,
    ) -> Option<u32> {
        let tick = now >> TICK;
        loop {
            // A lower level's entries expire before those of a higher one, and so do those of an
            // earlier list.
            let level = self.occupied.iter().position(|lists| *lists != 0)?;
            let list = self.occupied[level].trailing_zeros() as usize;
            let first = self.lists.first(level * LISTS + list)?;
            let shift = level as u32 * BITS;
            // The first tick of that list.
            let start = ((self.elapsed >> shift) & !(LISTS as u64 - 1) | list as u64) << shift;
            if start > tick {
                self.elapsed = self.elapsed.max(tick);
                return None;
            }
            self.elapsed = self.elapsed.max(start);
            if level == 0 {
                return (expires(first) <= now).then_some(first);
            }
            while let Some(number) = self.lists.first(level * LISTS + list) {
                self.remove(number);
                self.insert(number, expires(number));
            }
        }
    }

    /// Return whether the entry is in the wheel.
    #[cfg(test)]
    pub(in crate::store::memory) fn contains(&self, number: u32) -> bool {
        self.lists.of(number).is_some()
    }
}
