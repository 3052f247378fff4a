//! A count of the computations in one future. Only slow paths count, so it costs a hit nothing.
//!
//! Warming tells by it whether an item was fresh. Reports ([`crate::report`]) hold more, but while
//! one is open, every hit of the process formats its key.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    /// The tally of the innermost counted future, while it is polled here.
    static CURRENT: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// Outcomes of the calls of one future, without hits.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Number of values that were computed.
    pub(crate) computed: u64,
    /// Number of calls that ran their body without the cache.
    pub(crate) uncached: u64,
    /// The first call whose body returned an error: its function and key.
    pub(crate) failed: Option<(&'static str, String)>,
}

/// Note that a value is computed.
pub(crate) fn computed() {
    note(|tally| tally.computed += 1);
}

/// Note that a body runs without the cache.
pub(crate) fn uncached() {
    note(|tally| tally.uncached += 1);
}

/// Note that the body of a call returned an error.
pub(crate) fn failed(function: &'static str, key: impl FnOnce() -> String) {
    note(|tally| {
        tally.failed.get_or_insert_with(|| (function, key()));
    });
}

fn note(note: impl FnOnce(&mut Tally)) {
    let _ = CURRENT.try_with(|current| current.borrow_mut().as_mut().map(note));
}

/// Makes a tally the current one of this thread, and restores the outer one when dropped, also by a
/// panic.
struct Entered<'t> {
    own: &'t mut Tally,
    outer: Option<Tally>,
}

impl<'t> Entered<'t> {
    fn new(own: &'t mut Tally) -> Self {
        let tally = std::mem::take(own);
        let outer = CURRENT.try_with(|current| current.replace(Some(tally)));
        Self {
            own,
            outer: outer.ok().flatten(),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        if let Ok(Some(tally)) = CURRENT.try_with(|current| current.replace(outer)) {
            *self.own = tally;
        }
    }
}

/// Run a closure, and add what its calls do to the tally.
pub(crate) fn tallied_sync<T>(tally: &mut Tally, run: impl FnOnce() -> T) -> T {
    let _entered = Entered::new(tally);
    run()
}

pin_project! {
    /// A future whose calls are counted.
    pub(crate) struct Tallied<F> {
        tally: Tally,
        #[pin]
        future: F,
    }
}

impl<F> Tallied<F> {
    /// Go on with this tally.
    pub(crate) fn new(tally: Tally, future: F) -> Self {
        Self { tally, future }
    }
}

impl<F: Future> Future for Tallied<F> {
    type Output = (F::Output, Tally);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = Entered::new(this.tally);
        let polled = this.future.poll(cx);
        drop(entered);
        polled.map(|output| (output, std::mem::take(this.tally)))
    }
}
