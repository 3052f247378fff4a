use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError};

use super::{Flight, Leader, nesting};
use crate::index::Index;
use crate::pattern::{Pattern, Span};
use crate::shim::{FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};

/// The flights that can be joined, by key. What an invalidation matches it finds without looking at the others.
pub(crate) struct Flights {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

/// Some of them.
#[derive(Default)]
struct Shard {
    /// The places of flights by their keys.
    index: Index,
    places: Vec<Option<Arc<Flight>>>,
    /// Places that are empty.
    free: Vec<u32>,
}

/// Where a flight took off. When it is off the table, the place may be another's.
#[derive(Clone, Copy)]
pub(super) struct Place {
    shard: usize,
    place: u32,
}

/// So many places are kept when there is no flight any more: those of a crowd go.
const KEPT: usize = 64;

fn at(places: &[Option<Arc<Flight>>], place: u32) -> Option<&Arc<Flight>> {
    places.get(place as usize)?.as_ref()
}

/// The key at a place that the index knows: none of these is empty.
fn key_at(places: &[Option<Arc<Flight>>], place: u32) -> &str {
    at(places, place).map_or("", |flight| &flight.key)
}

impl Shard {
    fn find(&self, key: &str) -> Option<(u32, &Arc<Flight>)> {
        let key_at = |place| key_at(&self.places, place);
        let place = self.index.find(key.as_bytes(), key_at)?;
        at(&self.places, place).map(|flight| (place, flight))
    }

    /// Puts a flight on the table, where no other of its key is.
    fn put(&mut self, flight: Arc<Flight>) -> u32 {
        let places = &mut self.places;
        let place = self.free.pop().unwrap_or(places.len() as u32);
        self.index
            .insert(&flight.key, place, |place| key_at(places, place));
        match places.get_mut(place as usize) {
            Some(empty) => *empty = Some(flight),
            None => places.push(Some(flight)),
        }
        place
    }

    fn remove_key(&mut self, key: &str) {
        if let Some((place, _)) = self.find(key) {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: u32) {
        // Its leader has it too: so what it holds isn't dropped here, under a lock.
        let Some(flight) = self.places.get_mut(place as usize).and_then(Option::take) else {
            return;
        };
        self.index.remove(&flight.key, place);
        self.free.push(place);
        if self.free.len() == self.places.len() && self.places.len() > KEPT {
            *self = Self::default();
        }
    }

    /// The places of the flights that the pattern matches, all of whose keys lie in the spans.
    fn matching(&self, pattern: &Pattern, spans: &[Span]) -> Vec<u32> {
        let mut matching = Vec::new();
        let key_at = |place| key_at(&self.places, place);
        self.index.visit_spans(spans, key_at, |place| {
            if pattern.matches(key_at(place).as_bytes()) {
                matching.push(place);
            }
        });
        matching
    }
}

/// What a caller makes of the flight that stands at its key.
pub(crate) enum Stance {
    /// It waits for it.
    Join,
    /// It leads another in its place.
    #[cfg(feature = "redis")]
    Replace,
    /// It must look at the store once more to know.
    #[cfg(feature = "redis")]
    LookAgain,
}

/// What a caller that missed does.
pub(crate) enum Boarding<H> {
    /// The entry is there after all.
    Found(H),
    /// Another computes it.
    Join(Arc<Flight>),
    /// The caller is inside that computation itself.
    Nested,
    /// As its stance said.
    #[cfg(feature = "redis")]
    LookAgain,
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
    pub(crate) fn board<H>(
        self: &Arc<Self>,
        key: &Arc<str>,
        asynchronous: bool,
        stance: impl FnOnce(&Flight) -> Stance,
        recheck: impl FnOnce() -> Option<H>,
    ) -> Boarding<H> {
        let number = self.number(key);
        let mut shard = self.lock(number);
        if let Some((_, flight)) = shard.find(key) {
            match stance(flight) {
                Stance::Join if nesting::is_within(flight) => return Boarding::Nested,
                Stance::Join => return Boarding::Join(Arc::clone(flight)),
                #[cfg(feature = "redis")]
                Stance::LookAgain => return Boarding::LookAgain,
                #[cfg(feature = "redis")]
                Stance::Replace => shard.remove_key(key),
            }
        }
        if let Some(found) = recheck() {
            return Boarding::Found(found);
        }
        Boarding::Lead(self.take_off(number, &mut shard, key, asynchronous))
    }

    /// Leads a new flight in place of any other. Who waits for that one still gets its value, but it
    /// can't fill.
    pub(crate) fn supersede(self: &Arc<Self>, key: &Arc<str>, asynchronous: bool) -> Leader {
        let number = self.number(key);
        let mut shard = self.lock(number);
        shard.remove_key(key);
        self.take_off(number, &mut shard, key, asynchronous)
    }

    fn take_off(
        self: &Arc<Self>,
        number: usize,
        shard: &mut Shard,
        key: &Arc<str>,
        asynchronous: bool,
    ) -> Leader {
        let flight = Arc::new(Flight::new(Arc::clone(key), asynchronous));
        let place = Place {
            shard: number,
            place: shard.put(Arc::clone(&flight)),
        };
        Leader::new(Arc::clone(self), flight, place)
    }

    /// Takes the flight off the table and runs `fill` if it still stood there; in one step, so that an
    /// invalidation comes before (and nothing is filled) or after (and finds what was). What `fill` gives, the
    /// entries that it replaced, is given back, so that values aren't dropped under the table's lock.
    pub(super) fn take_down<T>(
        &self,
        flight: &Arc<Flight>,
        Place { shard, place }: Place,
        fill: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut shard = self.lock(shard);
        let standing = at(&shard.places, place);
        let stood = standing.is_some_and(|standing| Arc::ptr_eq(standing, flight));
        // A test leaves the look out, to see that the exploration finds what comes of it.
        #[cfg(all(test, shuttle))]
        let stood = stood || super::explored::fills_blindly();
        if !stood {
            return None;
        }
        shard.remove(place);
        Some(fill())
    }

    /// Runs `act` after the key's flight was taken off the table, before another can take off. `act` must give
    /// back the values that it removes, not drop them: a table's lock is held.
    pub(crate) fn void_key<T>(&self, key: &str, act: impl FnOnce() -> T) -> T {
        let mut shard = self.lock(self.number(key));
        shard.remove_key(key);
        act()
    }

    /// Takes every flight off the table whose key the pattern matches.
    pub(crate) fn void_matching(&self, pattern: &Pattern) {
        let spans = pattern.spans();
        for number in 0..SHARDS {
            let mut shard = self.lock(number);
            for place in shard.matching(pattern, &spans) {
                shard.remove(place);
            }
        }
    }
}
