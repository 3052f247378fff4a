use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use super::{Flight, Landing, State, nesting};
use crate::background::{self, Sleep};
use crate::value::payload::Payload;

/// What waiting for a flight came to.
pub(crate) enum Outcome {
    /// The flight's value.
    Landed(Payload),
    /// The flight failed: look again, and perhaps lead.
    Failed,
    /// Waiting longer is forbidden or can't end: run the body.
    GaveUp,
}

/// How often a waiter looks whether the leader of its own task is polled at all, before it takes it for held.
const LOOKS: u8 = 3;

/// Waits for a flight, on any executor.
///
/// Cancel safety: dropping it leaves the flight and the others who wait as they are.
pub(crate) struct Wait {
    flight: Arc<Flight>,
    blocking: bool,
    limit: Duration,
    timer: Option<Sleep>,
    place: Option<usize>,
    looks: u8,
    polls_seen: Option<u64>,
}

impl Wait {
    /// Waits at most `limit`; `blocking` if this thread does nothing else meanwhile.
    pub(crate) fn new(flight: Arc<Flight>, limit: Duration, blocking: bool) -> Self {
        Self {
            flight,
            blocking,
            limit,
            timer: None,
            place: None,
            looks: 0,
            polls_seen: None,
        }
    }

    /// Whether the leader can't get on while this caller waits.
    fn would_wait_for_itself(&self, state: &State) -> bool {
        let leader_needs_this_thread = self.blocking
            && self.flight.asynchronous
            && (tokio::runtime::Handle::try_current().is_ok()
                || state.thread == Some(thread::current().id()));
        leader_needs_this_thread || nesting::is_within(&self.flight)
    }
}

/// A task that holds its own leader without polling it (`select!` over `&mut leader`, then the same call again)
/// would wait for itself. Such a leader was last polled with the waker that polls this waiter; but so is one
/// in a `join!`. So look a few times: a `join!` polls both each time.
fn looks_held(
    state: &State,
    cx: &Context<'_>,
    looks: &mut u8,
    polls_seen: &mut Option<u64>,
) -> bool {
    if !state
        .leader
        .as_ref()
        .is_some_and(|leader| leader.will_wake(cx.waker()))
    {
        return false;
    }
    let first_look = polls_seen.is_none();
    if *polls_seen == Some(state.polls) {
        *looks += 1;
    } else {
        *looks = 0;
        *polls_seen = Some(state.polls);
    }
    if first_look || *looks > 0 {
        cx.waker().wake_by_ref();
    }
    *looks >= LOOKS
}

impl Future for Wait {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let flight = Arc::clone(&this.flight);
        let mut state = flight.state();
        match &state.landing {
            Some(Landing::Value(payload)) => return Poll::Ready(Outcome::Landed(payload.clone())),
            Some(Landing::Failed) => return Poll::Ready(Outcome::Failed),
            None => {}
        }
        if this.would_wait_for_itself(&state)
            || looks_held(&state, cx, &mut this.looks, &mut this.polls_seen)
        {
            return Poll::Ready(Outcome::GaveUp);
        }
        match this.place {
            Some(place) => state.waiting[place] = Some(cx.waker().clone()),
            None => {
                this.place = Some(state.waiting.len());
                state.waiting.push(Some(cx.waker().clone()));
            }
        }
        drop(state);
        let timer = this
            .timer
            .get_or_insert_with(|| background::sleep(this.limit));
        Pin::new(timer).poll(cx).map(|()| Outcome::GaveUp)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            // The flight may have landed meanwhile and taken the list.
            if let Some(waiting) = self.flight.state().waiting.get_mut(place) {
                *waiting = None;
            }
        }
    }
}
