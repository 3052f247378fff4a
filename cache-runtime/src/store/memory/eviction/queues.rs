//! The two queues of a cache with a window, and how an entry leaves them.

use super::lists::Lists;

/// Fewest times that an entry of the window must have been asked for before it displaces one of the
/// main queue. With one, the keys of a scan would displace entries whose counts were halved to
/// nothing.
const PROVEN: u8 = 2;
/// An entry displaces another one if it was asked for this many times more often, plus one. In a
/// loop over more keys than fit, all are asked for equally often, and a key that comes just before
/// another one is one ahead of it. Without a margin they would displace each other all the time.
const MARGIN: u8 = 1;
/// Most entries that one call moves because they were read. More of them leave as if they weren't,
/// so an insertion takes bounded time.
const MOST_MOVES: usize = 128;
/// Number of entries of the main queue of which the cheapest one leaves.
const COMPARED: usize = 8;
/// Most entries that one call moves out of a window that is too large. An insertion adds one, so
/// the window shrinks.
const MOST_OVERFLOW: usize = 4;

/// The entries of a shard, as the queues see them.
pub(super) trait Entries {
    fn weight(&self, number: u32) -> usize;
    /// Return how often the entry was asked for lately.
    fn frequency(&self, number: u32) -> u8;
    /// Return whether the entry was read since the last call.
    fn take_read(&mut self, number: u32) -> bool;
    /// Return the time that the entry saves by each byte when it is read, or `None` if only the
    /// number of reads matters.
    fn density(&self, number: u32) -> Option<f32>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::memory) enum Place {
    Window,
    Main,
}

/// The room of a cache, in the unit of the weights.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) total: usize,
    pub(super) window: usize,
}

/// W-TinyLFU's two queues (Einziger, Friedman and Manes, 2017). New entries enter the window. An
/// entry that leaves it takes the place of the main queue's next victim if it was asked for more
/// often, and leaves the cache otherwise. So the window keeps what was read recently, and the main
/// queue what is read often.
///
/// Within each queue, an entry that was read moves to the end when its turn to leave comes, as in
/// CLOCK (Corbató, 1968).
pub(super) struct Queues {
    lists: Lists,
    weights: [usize; 2],
    len: usize,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            lists: Lists::new(2),
            weights: [0; 2],
            len: 0,
        }
    }
}

impl Queues {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Return the weight of all entries.
    pub(super) fn weight(&self) -> usize {
        self.weights.iter().sum()
    }

    fn weight_of(&self, place: Place) -> usize {
        self.weights[place as usize]
    }

    pub(super) fn place(&self, number: u32) -> Option<Place> {
        self.lists.of(number).map(place)
    }

    fn first(&self, place: Place) -> Option<u32> {
        self.lists.first(place as usize)
    }

    /// Append an entry to a queue.
    pub(super) fn push(&mut self, place: Place, number: u32, weight: usize) {
        self.lists.push(place as usize, number);
        self.weights[place as usize] += weight;
        self.len += 1;
    }

    /// Remove an entry. Return where it was.
    pub(super) fn remove(&mut self, number: u32, weight: usize) -> Option<Place> {
        let list = self.lists.remove(number)?;
        self.weights[list] -= weight;
        self.len -= 1;
        Some(place(list))
    }

    /// Move an entry to the end of a queue.
    pub(super) fn requeue(&mut self, place: Place, number: u32, weight: usize) {
        self.remove(number, weight);
        self.push(place, number, weight);
    }

    /// Return the entry that has to leave, so that there is room for one of this weight, or `None`
    /// if there is room. The caller removes it.
    pub(super) fn victim(
        &mut self,
        entries: &mut impl Entries,
        room: Room,
        incoming: usize,
    ) -> Option<u32> {
        self.overflow(entries, room, incoming);
        let taken = self.weight();
        if taken + incoming <= room.total {
            return None;
        }
        if let Some(victim) = self.cheapest(entries, room, incoming) {
            return Some(victim);
        }
        let over = self.weight_of(Place::Window) + incoming > room.window;
        let candidate = match over {
            true => self.unread(Place::Window, entries),
            false => None,
        };
        let victim = self.unread(Place::Main, entries);
        let (Some(candidate), Some(victim)) = (candidate, victim) else {
            let other = candidate.or(victim);
            return other.or_else(|| self.unread(Place::Window, entries));
        };
        let frequency = entries.frequency(candidate);
        if frequency < PROVEN || frequency <= entries.frequency(victim) + MARGIN {
            return Some(candidate);
        }
        self.requeue(Place::Main, candidate, entries.weight(candidate));
        Some(victim)
    }

    /// Return the entry that saves the least time among the window's first one, if the window is too
    /// large, and the main queue's next few. The others move to the end.
    fn cheapest(&mut self, entries: &mut impl Entries, room: Room, incoming: usize) -> Option<u32> {
        entries.density(self.first(Place::Window).or(self.first(Place::Main))?)?;
        let saved = |entries: &mut _, number| {
            let density = Entries::density(entries, number).unwrap_or_default();
            // One more, otherwise all entries whose count is zero would be worth the same.
            (f32::from(Entries::frequency(entries, number)) + 1.0) * density
        };
        let over = self.weight_of(Place::Window) + incoming > room.window;
        let candidate = match over {
            true => self.unread(Place::Window, entries),
            false => None,
        };
        let mut least: Option<(u32, f32)> = None;
        for _ in 0..COMPARED {
            let Some(next) = self.unread(Place::Main, entries) else {
                break;
            };
            self.requeue(Place::Main, next, entries.weight(next));
            let saves = saved(entries, next);
            if least.is_none_or(|(_, least)| saves < least) {
                least = Some((next, saves));
            }
        }
        let Some((victim, least)) = least else {
            return candidate;
        };
        let Some(candidate) = candidate else {
            return Some(victim);
        };
        if saved(entries, candidate) <= least {
            return Some(candidate);
        }
        self.requeue(Place::Main, candidate, entries.weight(candidate));
        Some(victim)
    }

    /// Return the next entry of a queue that wasn't read since its last turn.
    fn unread(&mut self, place: Place, entries: &mut impl Entries) -> Option<u32> {
        let mut first = self.first(place)?;
        for _ in 0..MOST_MOVES {
            if !entries.take_read(first) {
                break;
            }
            self.requeue(place, first, entries.weight(first));
            first = self.first(place)?;
        }
        Some(first)
    }

    /// Move entries from a window that is too large into the main queue, while that has room.
    fn overflow(&mut self, entries: &mut impl Entries, room: Room, incoming: usize) {
        for _ in 0..MOST_OVERFLOW {
            if self.weight_of(Place::Window) + incoming <= room.window {
                return;
            }
            let Some(first) = self.first(Place::Window) else {
                return;
            };
            let weight = entries.weight(first);
            let main = self.weight_of(Place::Main) + weight + room.window.max(incoming);
            if main > room.total {
                return;
            }
            let place = match entries.take_read(first) {
                true => Place::Window,
                false => Place::Main,
            };
            self.requeue(place, first, weight);
        }
    }
}

#[cfg(test)]
impl Queues {
    pub(super) fn entries(&self) -> impl Iterator<Item = u32> {
        [Place::Window, Place::Main]
            .into_iter()
            .flat_map(|place| self.lists.iter(place as usize))
    }
}

fn place(list: usize) -> Place {
    match list {
        0 => Place::Window,
        _ => Place::Main,
    }
}
