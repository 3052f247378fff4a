//! Bodies that a test holds and releases.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::Cache;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::soon;

/// A gate where bodies wait, so that a test decides when a flight ends. Opening it lets all through.
#[derive(Clone, Debug)]
pub struct Gate {
    entered: Arc<watch::Sender<u32>>,
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// Create a closed gate.
    pub fn new() -> Self {
        Self {
            entered: Arc::new(watch::Sender::new(0)),
            open: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Stop the body until the gate is opened. Return the body's number, from 1.
    pub async fn pass(&self) -> u32 {
        let number = self.enter();
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open)
            .await
            .expect("the sender is here");
        number
    }

    /// Like [`pass`](Self::pass), for a blocking body.
    pub fn pass_blocking(&self) -> u32 {
        futures_executor::block_on(self.pass())
    }

    fn enter(&self) -> u32 {
        let mut number = 0;
        self.entered.send_modify(|entered| {
            *entered += 1;
            number = *entered;
        });
        number
    }

    /// Wait until this number of bodies has reached the gate.
    pub async fn reached_by(&self, bodies: u32) {
        soon(self.reached_by_untimed(bodies)).await;
    }

    /// Wait in the same way, without a time limit and so on any executor.
    pub async fn reached_by_untimed(&self, bodies: u32) {
        let mut entered = self.entered.subscribe();
        let reached = entered.wait_for(|entered| *entered >= bodies);
        reached.await.expect("the sender is here");
    }

    /// Return the number of bodies that have reached the gate.
    pub fn count(&self) -> u32 {
        *self.entered.borrow()
    }

    /// Let all bodies through, from now on.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Begin the call in its own task, and return once it waits for something. In the test's task, a
/// leader that isn't polled would count as held, and no caller would wait for it.
pub async fn begin<T: Send + 'static>(
    cache: &Cache,
    call: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let mut task = tokio::spawn(cache.scope(call));
    begin_to_wait(&mut task).await;
    task
}

/// Await calls that were begun. Return their values in order.
pub async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut values = Vec::new();
    for task in tasks {
        values.push(soon(task).await.expect("it doesn't panic"));
    }
    values
}

/// Poll the future until it waits for something: long enough for the replies of a store.
pub async fn begin_to_wait<F: Future + Unpin>(future: &mut F) {
    // A bound that must not be reached: the future has to be pending still when it passes.
    let settled = tokio::time::timeout(Duration::from_millis(40), Pin::new(future)).await;
    assert!(settled.is_err(), "it should wait");
}
