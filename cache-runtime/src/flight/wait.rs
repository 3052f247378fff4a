use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::{Flight, FlightState, Outcome, Task, nesting};
use crate::sync::{Sleep, sleep, thread};
use crate::value::payload::Payload;

/// What waiting for a flight came to.
pub(crate) enum WaitOutcome {
    /// The flight's value, and the version of the function that computed it.
    Completed(Payload, u32),
    /// The flight failed: look again, and perhaps lead.
    Failed,
    /// Waiting longer is forbidden or can't end: run the body.
    GaveUp,
}

/// How often a waiter looks whether the leader of its own task is polled at all, before it takes it for held.
const LOOKS: u8 = 3;
/// When it looks again after it saw the leader polled; each pause is twice the one before.
const NEXT_LOOKS: Duration = Duration::from_millis(20);

/// Waits for a flight, on any executor.
///
/// Cancel safety: dropping it leaves the flight and the others who wait as they are.
pub(crate) struct Wait {
    flight: Arc<Flight>,
    blocking: bool,
    limit: Duration,
    since: Instant,
    timer: Option<Sleep>,
    place: Option<usize>,
    looks: Looks,
}

impl Wait {
    /// Waits at most `limit`; `blocking` if this thread does nothing else meanwhile.
    pub(crate) fn new(flight: Arc<Flight>, limit: Duration, blocking: bool) -> Self {
        let looks = Looks {
            polls: None,
            count: 0,
            pause: NEXT_LOOKS,
        };
        Self {
            flight,
            blocking,
            limit,
            since: Instant::now(),
            timer: None,
            place: None,
            looks,
        }
    }

    /// Whether the leader can't get on while this caller waits.
    fn would_wait_for_itself(&self, state: &FlightState) -> bool {
        let leader_needs_this_thread = self.blocking
            && self.flight.asynchronous
            && (tokio::runtime::Handle::try_current().is_ok()
                || state.thread == Some(thread::current().id()));
        leader_needs_this_thread || nesting::is_within(&self.flight)
    }

    /// Ends when the limit has passed. Until then, a waiter in its leader's task looks again now and then.
    fn poll_timer(&mut self, in_leaders_task: bool, cx: &mut Context<'_>) -> Poll<WaitOutcome> {
        let (left, pause) = (
            self.limit.saturating_sub(self.since.elapsed()),
            self.looks.pause,
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
        // Where nobody keeps the time, nobody waits.
        if !kept || self.since.elapsed() >= self.limit {
            return Poll::Ready(WaitOutcome::GaveUp);
        }
        self.timer = None;
        self.looks.polls = None;
        self.looks.pause = pause.saturating_mul(2);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A task that holds its own leader without polling it (`select!` over `&mut leader`, then the same call again)
/// would wait for itself. So a waiter in the leader's task wakes the leader and itself and looks, a few times,
/// whether the leader is polled: one in a `join!` is.
struct Looks {
    /// How often the leader had been polled at the last look.
    polls: Option<u64>,
    count: u8,
    pause: Duration,
}

/// What a look comes to.
enum Look {
    /// The leader is in another task.
    Elsewhere,
    /// The leader is polled.
    Polled,
    /// It isn't known yet: the leader is to be woken, and this waiter.
    Ask(Waker),
    Held,
}

impl Looks {
    fn look(&mut self, state: &FlightState, cx: &Context<'_>) -> Look {
        let Some(leader) = &state.leader else {
            return Look::Elsewhere;
        };
        if !leader.will_wake(cx.waker()) && !state.task.is(Task::current()) {
            return Look::Elsewhere;
        }
        let before = self.polls.replace(state.polls);
        if before == Some(state.polls) {
            self.count += 1;
            if self.count >= LOOKS {
                return Look::Held;
            }
        } else {
            self.count = 0;
            if before.is_some() {
                return Look::Polled;
            }
        }
        Look::Ask(leader.clone())
    }
}

impl Future for Wait {
    type Output = WaitOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<WaitOutcome> {
        let this = &mut *self;
        let flight = Arc::clone(&this.flight);
        // Cloned before the lock is taken, and what it replaces is dropped after: wakers are foreign code.
        let waker = cx.waker().clone();
        let mut state = flight.state();
        match &state.landing {
            Some(Outcome::Value(payload, version)) => {
                return Poll::Ready(WaitOutcome::Completed(payload.clone(), *version));
            }
            Some(Outcome::Failed) => return Poll::Ready(WaitOutcome::Failed),
            None => {}
        }
        if this.would_wait_for_itself(&state) {
            return Poll::Ready(WaitOutcome::GaveUp);
        }
        let look = this.looks.look(&state, cx);
        let stale = state.waiting.keep(&mut this.place, waker);
        drop(state);
        drop(stale);
        match look {
            Look::Held => return Poll::Ready(WaitOutcome::GaveUp),
            // The leader first: executors that keep an order poll it first.
            Look::Ask(ref leader) => {
                leader.wake_by_ref();
                cx.waker().wake_by_ref();
            }
            Look::Elsewhere | Look::Polled => {}
        }
        this.poll_timer(!matches!(look, Look::Elsewhere), cx)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = self.flight.state();
        // Completed, the flight has taken the list.
        let left = match state.landing {
            None => state.waiting.leave(place),
            Some(_) => None,
        };
        drop(state);
        drop(left);
    }
}
