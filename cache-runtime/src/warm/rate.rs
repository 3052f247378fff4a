//! A limit of items a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the next item may begin.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<Option<Instant>>);

impl Limiter {
    /// Take the place of one item, or return how long the item has to wait for it.
    pub(super) fn take(&self, rate: u32) -> Result<(), Duration> {
        let mut next = self.next();
        let now = Instant::now();
        match *next {
            Some(at) if at > now => Err(at - now),
            _ => {
                *next = Some(now + pause(rate));
                Ok(())
            }
        }
    }

    /// Give the place of an item back that needed none: it was fresh, so the function's source was
    /// not asked.
    pub(super) fn give_back(&self, rate: u32) {
        let mut next = self.next();
        *next = next.and_then(|at| at.checked_sub(pause(rate)));
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(rate: u32) -> Duration {
    Duration::from_secs(1) / rate.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_waits_for_its_place_and_a_fresh_one_gives_it_back() {
        let limiter = Limiter::default();
        assert_eq!(limiter.take(1), Ok(()));
        let left = limiter.take(1).expect_err("the place is taken");
        assert!(left > Duration::from_millis(500) && left <= Duration::from_secs(1));
        limiter.give_back(1);
        assert_eq!(limiter.take(1), Ok(()));
        assert!(limiter.take(1).is_err());
    }
}
