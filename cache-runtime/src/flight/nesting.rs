//! The flights whose bodies this thread is running right now. A call that would wait for one of
//! them would wait for itself, so it runs the body instead.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Flight;
use super::id::FlightId;
use crate::sync::thread_local;

/// A flight, whose table slot its leader owns meanwhile, and its lease if it has one.
type Running = (FlightId, Option<u64>);

thread_local! {
    static WITHIN: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

fn any(wanted: impl Fn(&Running) -> bool) -> bool {
    WITHIN
        .try_with(|within| within.borrow().iter().any(wanted))
        .unwrap_or(false)
}

/// Return whether the caller is inside this flight's body.
pub(super) fn is_within(flight: &Flight) -> bool {
    any(|(id, _)| *id == flight.id)
}

/// Return whether the caller is inside the body that this lease is for, even if another flight has
/// replaced its own in the table.
#[cfg(feature = "redis")]
pub(crate) fn holds(token: u64) -> bool {
    any(|(_, lease)| *lease == Some(token))
}

/// The flights around a computation that continues in a task of its own. Calls in that task must
/// not wait for them, since they may wait for it.
pub(crate) struct EnclosingFlights(Vec<Running>);

impl EnclosingFlights {
    /// Return the flights whose bodies this thread is running.
    pub(crate) fn current() -> Self {
        Self(
            WITHIN
                .try_with(|within| within.borrow().clone())
                .unwrap_or_default(),
        )
    }

    /// Mark these flights as running on this thread while the closure runs.
    pub(crate) fn run<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered: Vec<EnteredFlight> = self
            .0
            .iter()
            .map(|(id, lease)| enter(*id, *lease))
            .collect();
        run()
    }
}

/// Mark the flight as running on this thread until the guard is dropped.
pub(super) fn enter(flight: FlightId, lease: Option<u64>) -> EnteredFlight {
    let running = (flight, lease);
    let entered = WITHIN
        .try_with(|within| within.borrow_mut().push(running))
        .is_ok();
    EnteredFlight { entered }
}

/// Guard that unmarks a flight. Guards are dropped in the reverse order of entering, also on a
/// panic.
pub(crate) struct EnteredFlight {
    entered: bool,
}

impl Drop for EnteredFlight {
    fn drop(&mut self) {
        if self.entered {
            let _ = WITHIN.try_with(|within| within.borrow_mut().pop());
        }
    }
}

pin_project! {
    /// A leader's async body. It is marked as running while it is polled and while it is dropped,
    /// since the values it owns may call the cache from their `Drop`.
    pub(crate) struct Within<F> {
        flight: Arc<Flight>,
        #[pin]
        body: Option<F>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter(this.flight.id, this.flight.token());
            this.body.set(None);
        }
    }
}

impl<F> Within<F> {
    pub(super) fn new(flight: Arc<Flight>, body: F) -> Self {
        Self {
            flight,
            body: Some(body),
        }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.flight.polled_by(cx.waker());
        let _entered = enter(this.flight.id, this.flight.token());
        match this.body.as_pin_mut() {
            Some(body) => body.poll(cx),
            None => unreachable!("the body is taken only on drop"),
        }
    }
}
