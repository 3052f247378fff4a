use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock, PoisonError};

use super::{Flight, Leader, nesting};
use crate::pattern::{Pattern, Span};
use crate::store::memory::trie::Index;
use crate::sync::{FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};

/// The flights that can be joined, by key. What an invalidation matches it finds without looking at the others.
pub(crate) struct Flights {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

/// Some of them.
#[derive(Default)]
struct Shard {
    /// The places of the flights that stand, by their keys.
    index: Index,
    seats: Vec<Option<Seat>>,
    /// Places that are nobody's.
    free: Vec<u32>,
}

/// What the table knows of a flight. Its place is its leader's until it ends, also when an invalidation has taken the flight
/// off the table: so the leader finds there who waits, and nobody else's flight.
pub(super) struct Seat {
    pub(super) key: Arc<str>,
    /// Whether it is on the table.
    pub(super) stands: bool,
    /// What its leader shares with those who wait. Where a blocking caller leads, nobody needs it until somebody waits, and
    /// mostly nobody does; an async leader notes there that it is polled.
    pub(super) flight: Option<Arc<Flight>>,
}

/// A leader's place.
#[derive(Clone, Copy)]
pub(super) struct Place {
    shard: usize,
    seat: u32,
}

/// What tells a flight from all others of the process that haven't ended: whose table it is, and its place there.
pub(super) type Id = (usize, usize, u32);

/// So many places are kept when there is no flight any more: those of a crowd go.
const KEPT: usize = 64;

/// The key at a place that the index knows: each of these is taken.
fn key_at(seats: &[Option<Seat>], seat: u32) -> &[u8] {
    let seat = seats.get(seat as usize).and_then(Option::as_ref);
    seat.map_or(&[], |seat| seat.key.as_bytes())
}

impl Shard {
    fn find(&self, key: &str) -> Option<u32> {
        let key_at = |seat| key_at(&self.seats, seat);
        self.index.find(key.as_bytes(), key_at)
    }

    /// Puts a flight on the table, where no other of its key stands.
    fn put(&mut self, seat: Seat) -> u32 {
        let seats = &mut self.seats;
        let place = self.free.pop().unwrap_or(seats.len() as u32);
        self.index
            .insert(seat.key.as_bytes(), place, |place| key_at(seats, place));
        match seats.get_mut(place as usize) {
            Some(empty) => *empty = Some(seat),
            None => seats.push(Some(seat)),
        }
        place
    }

    /// Takes a flight off the table.
    fn remove(&mut self, seat: u32) {
        if let Some(Some(taken)) = self.seats.get_mut(seat as usize)
            && taken.stands
        {
            taken.stands = false;
            self.index.remove(taken.key.as_bytes(), seat);
        }
    }

    fn remove_key(&mut self, key: &str) {
        if let Some(seat) = self.find(key) {
            self.remove(seat);
        }
    }

    /// Gives up a place.
    fn vacate(&mut self, place: u32) -> Option<Seat> {
        let seat = self.seats.get_mut(place as usize)?.take()?;
        if seat.stands {
            self.index.remove(seat.key.as_bytes(), place);
        }
        self.free.push(place);
        if self.free.len() == self.seats.len() && self.seats.len() > KEPT {
            *self = Self::default();
        }
        Some(seat)
    }

    /// The places of the flights that the pattern matches, all of whose keys lie in the spans.
    fn matching(&self, pattern: &Pattern, spans: &[Span]) -> Vec<u32> {
        let mut matching = Vec::new();
        let key_at = |seat| key_at(&self.seats, seat);
        self.index.visit_spans(spans, key_at, |seat| {
            if pattern.matches(key_at(seat)) {
                matching.push(seat);
            }
        });
        matching
    }
}

/// A part of the table, locked.
pub(super) struct Held<'a>(
    #[expect(dead_code, reason = "it is there to be dropped")] MutexGuard<'a, Shard>,
);

/// What a caller makes of the flight that stands at its key.
pub(crate) enum Stance {
    /// It waits for it.
    Join,
    /// It leads another in its place.
    #[cfg(feature = "redis")]
    Replace,
    /// It must look at the store once more to know.
    #[cfg(feature = "redis")]
    Retry,
}

/// What a caller that missed does.
pub(crate) enum JoinOutcome<H> {
    /// The entry is there after all.
    Found(H),
    /// Another computes it.
    Join(Arc<Flight>),
    /// The caller is inside that computation itself.
    Nested,
    /// As its stance said.
    #[cfg(feature = "redis")]
    Retry,
    /// The caller computes it.
    Lead(Leader),
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::default(),
        }
    }

    fn number(&self, key: &str) -> usize {
        self.hasher.hash_one(key) as usize % SHARDS
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the key's flight if `stance` says so, else leads a new one in its place. `recheck` looks at the
    /// store under the table's lock: whoever landed before has stored before, so a miss there is one.
    pub(crate) fn join_or_lead<H>(
        self: &Arc<Self>,
        key: &Arc<str>,
        asynchronous: bool,
        stance: impl FnOnce(&Flight) -> Stance,
        recheck: impl FnOnce() -> Option<H>,
    ) -> JoinOutcome<H> {
        let shard = self.number(key);
        let mut held = self.lock(shard);
        if let Some(seat) = held.find(key)
            && let Some(flight) = self.shared_in(&mut held, Place { shard, seat })
        {
            match stance(&flight) {
                Stance::Join if nesting::is_within(&flight) => return JoinOutcome::Nested,
                Stance::Join => return JoinOutcome::Join(flight),
                #[cfg(feature = "redis")]
                Stance::Retry => return JoinOutcome::Retry,
                #[cfg(feature = "redis")]
                Stance::Replace => held.remove(seat),
            }
        }
        if let Some(found) = recheck() {
            return JoinOutcome::Found(found);
        }
        JoinOutcome::Lead(self.take_place(shard, &mut held, key, asynchronous))
    }

    /// Leads a new flight in place of any other. Who waits for that one still gets its value, but it
    /// can't fill.
    pub(crate) fn supersede(self: &Arc<Self>, key: &Arc<str>, asynchronous: bool) -> Leader {
        let shard = self.number(key);
        let mut held = self.lock(shard);
        held.remove_key(key);
        self.take_place(shard, &mut held, key, asynchronous)
    }

    fn take_place(
        self: &Arc<Self>,
        shard: usize,
        held: &mut Shard,
        key: &Arc<str>,
        asynchronous: bool,
    ) -> Leader {
        let seat = held.put(Seat {
            key: Arc::clone(key),
            stands: true,
            flight: None,
        });
        let place = Place { shard, seat };
        let flight = OnceLock::new();
        if asynchronous {
            let shared = Arc::new(Flight::new(self.id(place), true));
            if let Some(Some(seat)) = held.seats.get_mut(seat as usize) {
                seat.flight = Some(Arc::clone(&shared));
            }
            let _ = flight.set(shared);
        }
        Leader::new(Arc::clone(self), flight, place)
    }

    pub(super) fn id(&self, Place { shard, seat }: Place) -> Id {
        (std::ptr::from_ref(self).addr(), shard, seat)
    }

    /// What a leader shares with those who wait.
    pub(super) fn shared(&self, place: Place) -> Option<Arc<Flight>> {
        self.shared_in(&mut self.lock(place.shard), place)
    }

    /// An async leader's is there from the beginning.
    fn shared_in(&self, held: &mut Shard, place: Place) -> Option<Arc<Flight>> {
        let seat = held.seats.get_mut(place.seat as usize)?.as_mut()?;
        let flight = seat
            .flight
            .get_or_insert_with(|| Arc::new(Flight::new(self.id(place), false)));
        Some(Arc::clone(flight))
    }

    /// Gives up a leader's place, and takes the flight off the table. As long as what is held is held, nobody leads or
    /// invalidates: whoever fills meanwhile, since the flight stood, does so in one step with the look. An invalidation comes
    /// before (and nothing is filled) or after (and finds what was).
    pub(super) fn vacate(&self, Place { shard, seat }: Place) -> (Held<'_>, Option<Seat>) {
        let mut held = self.lock(shard);
        let seat = held.vacate(seat);
        (Held(held), seat)
    }

    /// Runs `act` after the key's flight was taken off the table, before another can take off. `act` must give
    /// back the values that it removes, not drop them: a table's lock is held.
    pub(crate) fn invalidate_key<T>(&self, key: &str, act: impl FnOnce() -> T) -> T {
        let mut held = self.lock(self.number(key));
        held.remove_key(key);
        act()
    }

    /// Takes every flight off the table whose key the pattern matches.
    pub(crate) fn invalidate_matching(&self, pattern: &Pattern) {
        let spans = pattern.spans();
        for shard in 0..SHARDS {
            let mut held = self.lock(shard);
            for seat in held.matching(pattern, &spans) {
                held.remove(seat);
            }
        }
    }
}
