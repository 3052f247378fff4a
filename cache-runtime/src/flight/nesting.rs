//! Which flights' bodies this thread is running right now. A call that would wait for one of them would wait
//! for itself; it runs the body instead.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Flight;

thread_local! {
    static WITHIN: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Whether the caller is inside this flight's body.
pub(super) fn is_within(flight: &Flight) -> bool {
    WITHIN
        .try_with(|within| within.borrow().contains(&flight.id))
        .unwrap_or(false)
}

/// Marks the flight as running on this thread until dropped.
pub(crate) fn enter(flight: &Flight) -> Entered {
    let entered = WITHIN
        .try_with(|within| within.borrow_mut().push(flight.id))
        .is_ok();
    Entered { entered }
}

/// Dropped in the reverse order of entering, also when the body panics.
pub(crate) struct Entered {
    entered: bool,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if self.entered {
            let _ = WITHIN.try_with(|within| within.borrow_mut().pop());
        }
    }
}

pin_project! {
    /// A leader's async body: marked as running whenever it is polled.
    pub(crate) struct Within<F> {
        flight: Arc<Flight>,
        #[pin]
        body: F,
    }
}

impl<F> Within<F> {
    pub(crate) fn new(flight: Arc<Flight>, body: F) -> Self {
        Self { flight, body }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.flight.polled_by(cx.waker());
        let _entered = enter(this.flight);
        this.body.poll(cx)
    }
}
