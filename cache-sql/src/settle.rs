//! Invalidating the same patterns once more, after a time.
//!
//! The timer is a thread of its own, one for the process: a runtime may end before the time is
//! over, and blocking code has none. The thread never waits for Redis, since an invalidation
//! finishes without its caller.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Invalidations};

/// The number of patterns that one batch keeps. A batch with more of them clears the cache.
const BATCH_PATTERNS: usize = 10_000;

/// The number of batches that wait at any time is about this, since one collects the commits of
/// the settle time divided by it.
const BATCHES: u32 = 16;

/// Longest settle time: a year. Of a longer one, such as `Duration::MAX`, the end may be beyond that
/// of the clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Invalidates the patterns of each commit once more, for readers of replicas that lag.
pub(crate) struct Settle {
    after: Duration,
    current: Mutex<Option<Batch>>,
}

/// The patterns of commits that are close together.
struct Batch {
    due: Instant,
    invalidations: Invalidations,
    patterns: usize,
}

impl Settle {
    pub(crate) fn new(after: Duration) -> Self {
        Self {
            after: after.min(LONGEST),
            current: Mutex::new(None),
        }
    }

    /// Invalidate the patterns at the settle time from now, or up to a sixteenth of it later.
    pub(crate) fn schedule(&self, cache: &Cache, patterns: &[String]) {
        let earliest = Instant::now() + self.after;
        let mut current = lock(&self.current);
        let batch = match &mut *current {
            Some(batch) if batch.due >= earliest => batch,
            current => {
                let batch = Batch {
                    due: earliest + self.after / BATCHES,
                    invalidations: cache.invalidations(),
                    patterns: 0,
                };
                Timer::schedule(batch.due, batch.invalidations.clone());
                current.insert(batch)
            }
        };
        batch.add(patterns);
        if batch.due <= Instant::now() {
            // This thread was held up, and the timer may have taken the batch without these.
            drop(batch.invalidations.commit());
        }
    }
}

impl Batch {
    fn add(&mut self, patterns: &[String]) {
        self.patterns += patterns.len();
        if self.patterns > BATCH_PATTERNS {
            // Memory stays bounded: everything, instead of a list without an end.
            self.invalidations.rollback();
            self.invalidations.add("*");
            return;
        }
        for pattern in patterns {
            self.invalidations.add(pattern);
        }
    }
}

/// Invalidate the patterns after this time.
pub(crate) fn invalidate_after(time: Duration, cache: &Cache, patterns: &[String]) {
    let invalidations = cache.invalidations();
    for pattern in patterns {
        invalidations.add(pattern);
    }
    Timer::schedule(Instant::now() + time, invalidations);
}

/// The thread that invalidates when the time has come.
struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The process of the thread. A forked child has none of its parent's threads.
    thread_of: Option<u32>,
    due: BinaryHeap<Due>,
}

struct Due {
    at: Instant,
    invalidations: Invalidations,
}

static TIMER: Timer = Timer {
    state: Mutex::new(State {
        thread_of: None,
        due: BinaryHeap::new(),
    }),
    changed: Condvar::new(),
};

impl Timer {
    fn schedule(at: Instant, invalidations: Invalidations) {
        let mut state = lock(&TIMER.state);
        if state.thread_of != Some(std::process::id()) {
            let named = thread::Builder::new().name("cache-sql-settle".to_owned());
            if let Err(error) = named.spawn(|| TIMER.run()) {
                tracing::error!(
                    target: "cache", op = "settle", %error,
                    "[Cache] SETTLE: the thread for later invalidations can't start: {error}; \
                     readers of a replica that lags may keep the old values until their TTL ends"
                );
                return;
            }
            state.thread_of = Some(std::process::id());
        }
        state.due.push(Due { at, invalidations });
        TIMER.changed.notify_one();
    }

    fn run(&self) {
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let Some(next) = state.due.peek() else {
                let woken = self.changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if next.at > now {
                let wait = next.at - now;
                let woken = self.changed.wait_timeout(state, wait);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = state.due.pop();
            // A subscriber of `tracing` may run within, and schedule from there.
            drop(state);
            // It has begun, and finishes without its caller. Its failure is logged and replayed by
            // the cache.
            drop(due.map(|due| due.invalidations.commit()));
            state = lock(&self.state);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// `BinaryHeap` pops the greatest: the earliest.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}
