//! A bounded set of keys that forgets each after a while.
//!
//! For keys whose responses lately couldn't be stored ("hit-for-miss" of Varnish). Callers that wait
//! for a response that turns out to be for one client only have waited in vain. So the callers of
//! such a key don't wait: one of them still leads, and stores its response if that one can be
//! stored, while the others run the handler at once.
//!
//! And for URLs of which a variant was stored: a miss of another variant is a `vary-miss`.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Largest number of keys of one route.
const MOST: usize = 4096;

#[derive(Debug)]
pub(crate) struct RecentKeys {
    /// How long a key is remembered.
    remembered: Duration,
    hasher: RandomState,
    /// The time at which each key is forgotten, by the hash of the key.
    until: Mutex<HashMap<u64, Instant>>,
    /// Number of keys. Most routes have none, and look no further.
    count: AtomicUsize,
}

impl RecentKeys {
    pub(crate) fn new(remembered: Duration) -> Self {
        Self {
            remembered,
            hasher: RandomState::new(),
            until: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    /// Return the number that stands for a key.
    pub(crate) fn id(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Remember a key. Two keys of one number only wait less than they could.
    pub(crate) fn remember(&self, id: u64) {
        let now = Instant::now();
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= MOST {
            until.retain(|_, until| *until > now);
        }
        if until.len() < MOST {
            until.insert(id, now + self.remembered);
        }
        self.count.store(until.len(), Ordering::Relaxed);
    }

    /// Forget a key.
    pub(crate) fn forget(&self, id: u64) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.remove(&id);
        self.count.store(until.len(), Ordering::Relaxed);
    }

    /// Whether a key is remembered.
    pub(crate) fn contains(&self, id: u64) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&id).is_some_and(|until| *until > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_until_it_is_forgotten() {
        let keys = RecentKeys::new(Duration::from_secs(10));
        let (one, other) = (keys.id("a"), keys.id("b"));
        assert_ne!(one, other);
        assert!(!keys.contains(one));
        keys.remember(one);
        assert!(keys.contains(one) && !keys.contains(other));
        keys.forget(one);
        assert!(!keys.contains(one));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let keys = RecentKeys::new(Duration::from_secs(10));
        for id in 0..2 * MOST as u64 {
            keys.remember(id);
        }
        assert_eq!(keys.count.load(Ordering::Relaxed), MOST);
        assert!(keys.contains(1));
    }
}
