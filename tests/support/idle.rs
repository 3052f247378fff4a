//! Detecting that a call waits, without a pause that a busy machine could outlast.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cache_runtime::Cache;
use futures_util::task::AtomicWaker;

/// Number of round trips to the store, without a wake-up of the call in between, after which the
/// call waits for something other than the store. A miss on Redis needs three replies in a row.
const ROUND_TRIPS: u32 = 6;

/// Wake-ups of a future, and which of them a poll has answered.
#[derive(Debug)]
pub(crate) struct Wakes {
    task: AtomicWaker,
    all: AtomicU64,
    answered: AtomicU64,
}

impl Wakes {
    /// Wait until the future is pending and the store's replies no longer wake it.
    pub(crate) async fn until_idle(&self, cache: &Cache) {
        let mut quiet = 0;
        while quiet < ROUND_TRIPS {
            let before = self.all.load(Ordering::SeqCst);
            // Replies arrive in the order of the commands, so a reply that the call waits for comes
            // before this one. While the store is down, this is an error, and calls don't wait.
            let _ = cache.ttl("a barrier").await;
            tokio::task::yield_now().await;
            let idle = self.answered.load(Ordering::SeqCst) == before
                && self.all.load(Ordering::SeqCst) == before;
            quiet = if idle { quiet + 1 } else { 0 };
        }
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.all.fetch_add(1, Ordering::SeqCst);
        self.task.wake();
    }
}

/// A future whose wake-ups are counted.
#[derive(Debug)]
pub(crate) struct Observed<F> {
    future: F,
    wakes: Arc<Wakes>,
    // Made once: the cache compares wakers to tell whether two calls are in one task.
    waker: Waker,
}

impl<F> Observed<F> {
    pub(crate) fn new(future: F) -> (Self, Arc<Wakes>) {
        let wakes = Arc::new(Wakes {
            task: AtomicWaker::new(),
            // The first poll needs no wake-up.
            all: AtomicU64::new(1),
            answered: AtomicU64::new(0),
        });
        let observed = Self {
            future,
            wakes: Arc::clone(&wakes),
            waker: Waker::from(Arc::clone(&wakes)),
        };
        (observed, wakes)
    }
}

impl<F: Future + Unpin> Future for Observed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        this.wakes.task.register(cx.waker());
        // Read before the poll: a wake-up during the poll is not answered by it.
        let answered = this.wakes.all.load(Ordering::SeqCst);
        let outcome = Pin::new(&mut this.future).poll(&mut Context::from_waker(&this.waker));
        this.wakes.answered.store(answered, Ordering::SeqCst);
        outcome
    }
}
