//! Waiting for another caller's flight.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::{Flight, FlightState, Outcome, Task, nesting};
use crate::entry::payload::Payload;
use crate::sync::{Sleep, sleep, thread};

/// Outcome of waiting for a flight.
pub(crate) enum WaitOutcome {
    /// The flight's value, and the version of the function that computed it.
    Completed(Payload, u32),
    /// The flight failed: read the store again, and lead if the entry is still missing.
    Failed,
    /// Waiting longer is forbidden or can't succeed, or the value is for the leader alone: run the
    /// body.
    GaveUp,
}

/// Number of checks, without progress in between, after which a waiter in the leader's own task
/// assumes that the leader isn't being polled.
const MAX_CHECKS: u8 = 3;
/// Pause before the next check after the leader was seen polled. Each pause is twice the one
/// before.
const NEXT_CHECK: Duration = Duration::from_millis(20);

/// Future that waits for a flight, on any executor.
///
/// Cancel safety: dropping it leaves the flight and the other waiters unchanged.
pub(crate) struct Wait {
    flight: Arc<Flight>,
    blocking: bool,
    limit: Duration,
    since: Instant,
    timer: Option<Sleep>,
    slot: Option<usize>,
    check: LeaderCheck,
}

impl Wait {
    /// Wait for at most `limit`. `blocking` means that the wait occupies this thread.
    pub(crate) fn new(flight: Arc<Flight>, limit: Duration, blocking: bool) -> Self {
        let check = LeaderCheck {
            polls: None,
            count: 0,
            pause: NEXT_CHECK,
        };
        Self {
            flight,
            blocking,
            limit,
            since: Instant::now(),
            timer: None,
            slot: None,
            check,
        }
    }

    /// Return whether the leader can't make progress while this caller waits.
    fn would_wait_for_itself(&self, state: &FlightState) -> bool {
        let leader_needs_this_thread = self.blocking
            && self.flight.asynchronous
            && (tokio::runtime::Handle::try_current().is_ok()
                || state.thread == Some(thread::current().id()));
        leader_needs_this_thread || nesting::is_within(&self.flight)
    }

    /// End the wait once the limit has passed. Until then, a waiter in the leader's task repeats
    /// its check at growing intervals.
    fn poll_timer(&mut self, in_leaders_task: bool, cx: &mut Context<'_>) -> Poll<WaitOutcome> {
        let (left, pause) = (
            self.limit.saturating_sub(self.since.elapsed()),
            self.check.pause,
        );
        let time = if in_leaders_task {
            pause.min(left)
        } else {
            left
        };
        let timer = self.timer.get_or_insert_with(|| sleep(time));
        let Poll::Ready(kept) = Pin::new(timer).poll(cx) else {
            return Poll::Pending;
        };
        // Without a timer the wait could last forever, so give up.
        if !kept || self.since.elapsed() >= self.limit {
            return Poll::Ready(WaitOutcome::GaveUp);
        }
        self.timer = None;
        self.check.polls = None;
        self.check.pause = pause.saturating_mul(2);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Detection of a leader that its own task holds without polling it (`select!` over `&mut leader`,
/// followed by the same call). Waiting for it would deadlock. A waiter in the leader's task
/// therefore wakes the leader and itself, and checks a few times whether the leader is polled. In a
/// `join!` it is.
struct LeaderCheck {
    /// The leader's poll count at the last check.
    polls: Option<u64>,
    count: u8,
    pause: Duration,
}

/// Result of a check.
enum CheckResult {
    /// The leader is in another task.
    Elsewhere,
    /// The leader is polled.
    Polled,
    /// Not known yet: wake the leader and this waiter.
    Ask(Waker),
    /// The leader is in this task and isn't polled.
    NotPolled,
}

impl LeaderCheck {
    fn run(&mut self, state: &FlightState, cx: &Context<'_>) -> CheckResult {
        let Some(leader) = &state.leader else {
            return CheckResult::Elsewhere;
        };
        if !leader.will_wake(cx.waker()) && !state.task.is(Task::current()) {
            return CheckResult::Elsewhere;
        }
        let before = self.polls.replace(state.polls);
        if before == Some(state.polls) {
            self.count += 1;
            if self.count >= MAX_CHECKS {
                return CheckResult::NotPolled;
            }
        } else {
            self.count = 0;
            if before.is_some() {
                return CheckResult::Polled;
            }
        }
        CheckResult::Ask(leader.clone())
    }
}

impl Future for Wait {
    type Output = WaitOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<WaitOutcome> {
        let this = &mut *self;
        let flight = Arc::clone(&this.flight);
        // Clone before locking, and drop the replaced waker after unlocking: wakers are foreign
        // code.
        let waker = cx.waker().clone();
        let mut state = flight.state();
        match &state.outcome {
            Some(Outcome::Value(payload, version)) => {
                return Poll::Ready(WaitOutcome::Completed(payload.clone(), *version));
            }
            Some(Outcome::Failed) => return Poll::Ready(WaitOutcome::Failed),
            Some(Outcome::Unshared) => return Poll::Ready(WaitOutcome::GaveUp),
            None => {}
        }
        if this.would_wait_for_itself(&state) {
            return Poll::Ready(WaitOutcome::GaveUp);
        }
        let result = this.check.run(&state, cx);
        let stale = state.waiting.keep(&mut this.slot, waker);
        drop(state);
        drop(stale);
        match result {
            CheckResult::NotPolled => return Poll::Ready(WaitOutcome::GaveUp),
            // Wake the leader first: executors that keep the order poll it first.
            CheckResult::Ask(ref leader) => {
                leader.wake_by_ref();
                cx.waker().wake_by_ref();
            }
            CheckResult::Elsewhere | CheckResult::Polled => {}
        }
        this.poll_timer(!matches!(result, CheckResult::Elsewhere), cx)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        let mut state = self.flight.state();
        // A completed flight has taken the list.
        let left = match state.outcome {
            None => state.waiting.leave(slot),
            Some(_) => None,
        };
        drop(state);
        drop(left);
    }
}
