//! One computation of a missing entry, and those who wait for it.
//!
//! The caller that finds an entry missing leads; who comes while it flies joins and waits. The table of
//! flights is the lease of the memory store: an invalidation takes the flights that it matches off the
//! table, so that nobody joins them any more, and a flight that is off the table can't fill. A leader's guard
//! ends the flight when the body errs, panics or is dropped, and one of those who wait takes over.
//!
//! No lock here is held while a value or a waker is dropped or woken: both are foreign code, which may call
//! the cache again.

mod leader;
#[cfg(feature = "redis")]
pub(crate) mod leased;
pub(crate) mod nesting;
mod table;
mod task;
mod wait;
mod waiting;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;

#[cfg(feature = "redis")]
use crate::sync::AtomicBool;
use crate::sync::thread::{self, ThreadId};
use crate::sync::{AtomicU64, Mutex, MutexGuard};
use crate::value::payload::Payload;
pub(crate) use leader::Leader;
pub(crate) use nesting::Entered;
use table::Id;
pub(crate) use table::{Flights, JoinOutcome, Stance};
use task::Task;
pub(crate) use wait::{Wait, WaitOutcome};
use waiting::Waiting;

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// With this value, of this version of its function, for everyone who joined.
    Value(Payload, u32),
    /// With an error, a panic, a cancellation, or without the store's leave to fill: those who wait try again.
    Failed,
}

/// What the leader of a computation in progress shares with those who wait for it.
pub(crate) struct Flight {
    id: Id,
    /// Whether an async caller leads: one that makes no progress while a blocking caller holds its thread.
    asynchronous: bool,
    /// The lease that it takes in the store; 0 where it needs none.
    token: AtomicU64,
    /// Whether the store has said that the lease is its own. The body doesn't run before.
    #[cfg(feature = "redis")]
    granted: AtomicBool,
    state: Mutex<FlightState>,
}

struct FlightState {
    landing: Option<Outcome>,
    waiting: Waiting,
    /// What the leader was last polled with, where, and how often.
    leader: Option<Waker>,
    task: Task,
    thread: Option<ThreadId>,
    polls: u64,
}

impl Flight {
    fn new(id: Id, asynchronous: bool) -> Self {
        Self {
            id,
            asynchronous,
            token: AtomicU64::new(0),
            #[cfg(feature = "redis")]
            granted: AtomicBool::new(false),
            state: Mutex::new(FlightState {
                landing: None,
                waiting: Waiting::default(),
                leader: None,
                // Who waits compares tasks once there is a waker to compare, and threads with an async leader's only.
                task: Task::Unknown,
                thread: asynchronous.then(|| thread::current().id()),
                polls: 0,
            }),
        }
    }

    /// The lease that it takes, has, or had.
    pub(crate) fn token(&self) -> Option<u64> {
        match self.token.load(Ordering::Acquire) {
            0 => None,
            token => Some(token),
        }
    }

    /// The lease, once the store has granted it.
    #[cfg(feature = "redis")]
    pub(crate) fn granted(&self) -> Option<u64> {
        if !self.granted.load(Ordering::Acquire) {
            return None;
        }
        self.token()
    }

    /// Nothing panics while this is held, but a poisoned lock would hang callers; the state is valid either way.
    fn state(&self) -> MutexGuard<'_, FlightState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, landing: Outcome) {
        let mut state = self.state();
        if state.landing.is_none() {
            state.landing = Some(landing);
        }
        let leader = state.leader.take();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(leader);
        waiting.wake();
    }

    /// Notes that the task which polled the leader won't poll it again: another will.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        let leader = state.leader.take();
        state.task = Task::Unknown;
        drop(state);
        drop(leader);
    }

    /// Notes that the leader is being polled.
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
// Locks of shuttle's exist in its executions only.
#[cfg(all(test, not(shuttle)))]
mod tests;
