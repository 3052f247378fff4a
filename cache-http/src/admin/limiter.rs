//! The limit of failures: a token bucket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Failures that may occur at once.
const BURST: f64 = 20.0;
/// Failures per second that may occur after them.
const RATE: f64 = 1.0;

/// Counts failures, and tells when there are too many.
pub(super) struct Limiter {
    bucket: Mutex<Bucket>,
    failures: AtomicU64,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Limiter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            bucket: Mutex::new(Bucket {
                left: BURST,
                at: now,
            }),
            failures: AtomicU64::new(0),
        }
    }

    /// Set one failure aside, before the request is looked at: concurrent guesses are limited as
    /// well. `None` if there are too many already.
    pub(super) fn attempt(&self, now: Instant) -> Option<Attempt<'_>> {
        let mut bucket = self.lock();
        let seconds = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + seconds * RATE).min(BURST);
        bucket.at = bucket.at.max(now);
        if bucket.left < 1.0 {
            return None;
        }
        bucket.left -= 1.0;
        Some(Attempt {
            limiter: self,
            has_failed: false,
        })
    }

    /// Return the number of failures.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        // No code panics while it has the lock.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose rights are being found out. If it is dropped, the failure that was set aside is
/// given back: a caller who doesn't wait for the answer learns nothing.
pub(super) struct Attempt<'a> {
    limiter: &'a Limiter,
    has_failed: bool,
}

impl Attempt<'_> {
    /// Count a failure, and return the number so far.
    pub(super) fn fail(mut self) -> u64 {
        self.has_failed = true;
        self.limiter.failures.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.has_failed {
            let mut bucket = self.limiter.lock();
            bucket.left = (bucket.left + 1.0).min(BURST);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fail(limiter: &Limiter, now: Instant) -> bool {
        limiter.attempt(now).map(Attempt::fail).is_some()
    }

    #[test]
    fn failures_are_limited_and_one_per_second_comes_back() {
        let start = Instant::now();
        let limiter = Limiter::new(start);
        for _ in 0..20 {
            assert!(fail(&limiter, start));
        }
        assert!(!fail(&limiter, start));
        assert!(!fail(&limiter, start + Duration::from_millis(900)));
        let later = start + Duration::from_secs(2);
        assert!(fail(&limiter, later) && fail(&limiter, later) && !fail(&limiter, later));
        assert_eq!(limiter.failures(), 22);
    }

    #[test]
    fn a_success_takes_nothing_from_the_limit_and_attempts_at_once_do() {
        let now = Instant::now();
        let limiter = Limiter::new(now);
        for _ in 0..100 {
            assert!(limiter.attempt(now).is_some());
        }
        let attempts: Vec<_> = (0..20).map(|_| limiter.attempt(now)).collect();
        assert!(attempts.iter().all(Option::is_some));
        assert!(limiter.attempt(now).is_none());
        drop(attempts);
        assert!(limiter.attempt(now).is_some());
        assert_eq!(limiter.failures(), 0);
    }
}
