use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use super::{Flight, Leader, nesting};
use crate::pattern::{Pattern, Span};
use crate::shim::{FLIGHT_SHARDS as SHARDS, Mutex, MutexGuard, RandomState};

type Shard = BTreeSet<Standing>;

/// A flight on the table, in the order of keys.
struct Standing(Arc<Flight>);

impl Borrow<str> for Standing {
    fn borrow(&self) -> &str {
        &self.0.key
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Standing {}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

/// The flights that can be joined, by key. Ordered, so that an invalidation finds those it matches without
/// looking at the others.
pub(crate) struct Flights {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
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

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
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
        let mut shard = self.shard(key);
        if let Some(Standing(flight)) = shard.get::<str>(key) {
            match stance(flight) {
                Stance::Join if nesting::is_within(flight) => return Boarding::Nested,
                Stance::Join => return Boarding::Join(Arc::clone(flight)),
                #[cfg(feature = "redis")]
                Stance::LookAgain => return Boarding::LookAgain,
                #[cfg(feature = "redis")]
                Stance::Replace => {}
            }
        }
        if let Some(found) = recheck() {
            return Boarding::Found(found);
        }
        Boarding::Lead(self.take_off(&mut shard, key, asynchronous))
    }

    /// Leads a new flight in place of any other. Who waits for that one still gets its value, but it
    /// can't fill.
    pub(crate) fn supersede(self: &Arc<Self>, key: &Arc<str>, asynchronous: bool) -> Leader {
        let mut shard = self.shard(key);
        self.take_off(&mut shard, key, asynchronous)
    }

    fn take_off(self: &Arc<Self>, shard: &mut Shard, key: &Arc<str>, asynchronous: bool) -> Leader {
        let flight = Arc::new(Flight::new(Arc::clone(key), asynchronous));
        shard.replace(Standing(Arc::clone(&flight)));
        Leader::new(Arc::clone(self), flight)
    }

    /// Takes the flight off the table and runs `fill` if it still stood there; in one step, so that an
    /// invalidation comes before (and nothing is filled) or after (and finds what was). What `fill` gives, the
    /// entries that it replaced, is given back, so that values aren't dropped under the table's lock.
    pub(super) fn take_down<T>(&self, flight: &Arc<Flight>, fill: impl FnOnce() -> T) -> Option<T> {
        let mut shard = self.shard(&flight.key);
        let stood = shard
            .get::<str>(&flight.key)
            .is_some_and(|Standing(standing)| Arc::ptr_eq(standing, flight));
        // A test leaves the look out, to see that the exploration finds what comes of it.
        #[cfg(all(test, shuttle))]
        let stood = stood || super::explored::fills_blindly();
        if !stood {
            return None;
        }
        shard.remove::<str>(&flight.key);
        Some(fill())
    }

    /// Runs `act` after the key's flight was taken off the table, before another can take off. `act` must give
    /// back the values that it removes, not drop them: a table's lock is held.
    pub(crate) fn void_key<T>(&self, key: &str, act: impl FnOnce() -> T) -> T {
        let mut shard = self.shard(key);
        shard.remove(key);
        act()
    }

    /// Takes every flight off the table whose key the pattern matches.
    pub(crate) fn void_matching(&self, pattern: &Pattern) {
        let spans = pattern.spans();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if shard.is_empty() {
                continue;
            }
            for span in &spans {
                for key in keys_in(&shard, span, pattern) {
                    shard.remove::<str>(&key);
                }
            }
        }
    }
}

fn keys_in(shard: &Shard, span: &Span, pattern: &Pattern) -> Vec<Arc<str>> {
    let (start, prefix) = match span {
        Span::Exact(key) | Span::Prefix(key) => (key.as_slice(), matches!(span, Span::Prefix(_))),
    };
    // A pattern that isn't text where a key must be matches none.
    let Ok(start) = std::str::from_utf8(start) else {
        return Vec::new();
    };
    shard
        .range::<str, _>((Bound::Included(start), Bound::Unbounded))
        .map(|Standing(flight)| &flight.key)
        .take_while(|key| {
            if prefix {
                key.starts_with(start)
            } else {
                ***key == *start
            }
        })
        .filter(|key| pattern.matches(key.as_bytes()))
        .cloned()
        .collect()
}
