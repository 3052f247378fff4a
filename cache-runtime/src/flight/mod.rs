//! One computation of a missing entry, and those who wait for it.
//!
//! The caller that finds an entry missing leads; who comes while it flies joins and waits. The table of
//! flights is the lease of the memory store: an invalidation takes the flights that it matches off the
//! table, so that nobody joins them any more, and a flight that is off the table can't fill. A leader's guard
//! ends the flight when the body errs, panics or is dropped, and one of those who wait takes over.

mod leader;
pub(crate) mod nesting;
mod table;
mod wait;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, ThreadId};

use crate::value::payload::Payload;
pub(crate) use leader::Leader;
pub(crate) use table::{Boarding, Flights};
pub(crate) use wait::{Outcome, Wait};

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Landing {
    /// With this value, for everyone who joined.
    Value(Payload),
    /// With an error, a panic, a cancellation, or without the store's leave to fill: those who wait try again.
    Failed,
}

/// A computation in progress.
pub(crate) struct Flight {
    id: u64,
    /// Whether an async caller leads: one that makes no progress while a blocking caller holds its thread.
    asynchronous: bool,
    /// The lease in the store; 0 while there is none.
    #[cfg(feature = "redis")]
    token: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    landing: Option<Landing>,
    /// Who waits, by the place that each was given.
    waiting: Vec<Option<Waker>>,
    /// What the leader was last polled with, where, and how often.
    leader: Option<Waker>,
    thread: Option<ThreadId>,
    polls: u64,
}

impl Flight {
    fn new(asynchronous: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            asynchronous,
            #[cfg(feature = "redis")]
            token: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The lease, once the store has granted it.
    #[cfg(feature = "redis")]
    pub(crate) fn token(&self) -> Option<u64> {
        match self.token.load(Ordering::Acquire) {
            0 => None,
            token => Some(token),
        }
    }

    /// Whether the caller is inside this flight's body.
    #[cfg(feature = "redis")]
    pub(crate) fn is_ours(&self) -> bool {
        nesting::is_within(self)
    }

    /// Nothing panics while this is held, but a poisoned lock would hang callers; the state is valid either way.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn land(&self, landing: Landing) {
        let mut state = self.state();
        if state.landing.is_none() {
            state.landing = Some(landing);
        }
        state.leader = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waker in waiting.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Notes that the leader is being polled.
    fn polled_by(&self, waker: &Waker) {
        let mut state = self.state();
        state.polls += 1;
        state.thread = Some(thread::current().id());
        if !state
            .leader
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            state.leader = Some(waker.clone());
        }
    }
}

#[cfg(test)]
mod tests;
