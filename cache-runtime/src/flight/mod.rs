//! Single-flight: one computation of a missing entry, shared by all callers of its key.
//!
//! The caller that finds an entry missing becomes the leader; callers that arrive during the flight
//! join and wait. For the memory store the table of flights takes the role of a lease: an
//! invalidation removes the matching flights from the table. A removed flight accepts no further
//! callers and can't fill. The leader's guard ends the flight when the body returns an error,
//! panics or is dropped, and one of the waiters takes over.
//!
//! No lock of this module is held while a value or a waker is dropped or woken: both are foreign
//! code, which may call the cache again.

mod id;
mod leader;
#[cfg(feature = "redis")]
pub(crate) mod leased;
pub(crate) mod nesting;
mod table;
mod task;
mod wait;
mod wakers;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::entry::payload::Payload;
#[cfg(feature = "redis")]
use crate::sync::AtomicBool;
use crate::sync::thread::{self, ThreadId};
use crate::sync::{AtomicU64, Mutex, MutexGuard};
use id::FlightId;
pub(crate) use leader::Leader;
pub(crate) use nesting::EnteredFlight;
pub(crate) use table::{Flights, JoinOutcome, Stance};
use task::Task;
pub(crate) use wait::{Wait, WaitOutcome};
use wakers::Wakers;

/// Outcome of a flight.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// A value, and the version of the function that computed it, for every caller that joined.
    Value(Payload, u32),
    /// An error, a panic, a cancellation, or a lease that the store refused: the waiters retry.
    Failed,
    /// A value for the leader alone: each waiter computes its own, without the cache.
    Unshared,
}

/// State that the leader of a computation shares with its waiters.
pub(crate) struct Flight {
    id: FlightId,
    /// Whether the leader is async: then it makes no progress while a blocking caller holds its
    /// thread.
    asynchronous: bool,
    /// The lease requested from the store; 0 if none is needed.
    token: AtomicU64,
    /// Whether the store has granted the lease. The body runs only after that.
    #[cfg(feature = "redis")]
    granted: AtomicBool,
    state: Mutex<FlightState>,
}

struct FlightState {
    outcome: Option<Outcome>,
    waiting: Wakers,
    /// The waker of the leader's last poll. The next three fields are that poll's task and thread,
    /// and the number of polls.
    leader: Option<Waker>,
    task: Task,
    thread: Option<ThreadId>,
    polls: u64,
}

impl Flight {
    fn new(id: FlightId, asynchronous: bool) -> Self {
        Self {
            id,
            asynchronous,
            token: AtomicU64::new(0),
            #[cfg(feature = "redis")]
            granted: AtomicBool::new(false),
            state: Mutex::new(FlightState {
                outcome: None,
                waiting: Wakers::default(),
                leader: None,
                // The task is compared only once there is a waker to compare; the thread only for
                // an async leader.
                task: Task::Unknown,
                thread: asynchronous.then(|| thread::current().id()),
                polls: 0,
            }),
        }
    }

    /// Return the lease that this flight requested, holds, or held.
    pub(crate) fn token(&self) -> Option<u64> {
        match self.token.load(Ordering::Acquire) {
            0 => None,
            token => Some(token),
        }
    }

    /// Return the lease once the store has granted it.
    #[cfg(feature = "redis")]
    pub(crate) fn granted(&self) -> Option<u64> {
        if !self.granted.load(Ordering::Acquire) {
            return None;
        }
        self.token()
    }

    /// Lock the state. No code panics while holding this lock, but a poisoned one would hang
    /// callers, and the state is valid either way.
    fn state(&self) -> MutexGuard<'_, FlightState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, outcome: Outcome) {
        let mut state = self.state();
        if state.outcome.is_none() {
            state.outcome = Some(outcome);
        }
        let leader = state.leader.take();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(leader);
        waiting.wake();
    }

    /// Record that another task will poll the leader from now on.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        let leader = state.leader.take();
        state.task = Task::Unknown;
        drop(state);
        drop(leader);
    }

    /// Record that the leader is being polled.
    fn polled_by(&self, waker: &Waker) {
        let task = Task::current();
        let mut state = self.state();
        state.polls += 1;
        state.task = task;
        state.thread = Some(thread::current().id());
        let known = state
            .leader
            .as_ref()
            .is_some_and(|known| known.will_wake(waker));
        drop(state);
        if !known {
            let fresh = waker.clone();
            let stale = self.state().leader.replace(fresh);
            drop(stale);
        }
    }
}

#[cfg(all(test, shuttle))]
mod explored;
// Shuttle's locks work only inside its executions.
#[cfg(all(test, not(shuttle)))]
mod tests;
