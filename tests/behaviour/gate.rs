//! Gates within bodies, so that a test decides when a flight lands.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::Cache;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long anything may take here before it counts as a hang. No test waits for it to pass.
const HANG: Duration = Duration::from_secs(20);

/// A gate that bodies stop at.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    entered: Arc<watch::Sender<u32>>,
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            entered: Arc::new(watch::Sender::new(0)),
            open: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Stops the body until the gate is opened. Gives the body's number, from 1.
    pub(crate) async fn pass(&self) -> u32 {
        let number = self.enter();
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open)
            .await
            .expect("the sender is here");
        number
    }

    /// Like [`pass`](Self::pass), for a blocking body.
    pub(crate) fn pass_blocking(&self) -> u32 {
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

    /// Waits until so many bodies have come.
    pub(crate) async fn reached_by(&self, bodies: u32) {
        tokio::time::timeout(HANG, self.reached_by_untimed(bodies))
            .await
            .expect("the body runs");
    }

    /// The same on an executor other than tokio's.
    pub(crate) async fn reached_by_untimed(&self, bodies: u32) {
        let mut entered = self.entered.subscribe();
        let reached = entered.wait_for(|entered| *entered >= bodies);
        reached.await.expect("the sender is here");
    }

    /// How many bodies have come.
    pub(crate) fn count(&self) -> u32 {
        *self.entered.borrow()
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

/// The future, which must not hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future)
        .await
        .expect("this hangs")
}

/// Begins the call in a task of its own, and comes back when it surely waits for something: in the test's task,
/// a leader that isn't polled would count as held, and nobody would wait for it.
pub(crate) async fn begin<T: Send + 'static>(
    cache: &Cache,
    call: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let mut task = tokio::spawn(cache.scope(call));
    begin_to_wait(&mut task).await;
    task
}

/// The values of calls that were begun, in their order.
pub(crate) async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut values = Vec::new();
    for task in tasks {
        values.push(soon(task).await.expect("it doesn't panic"));
    }
    values
}

/// Polls the future until it surely waits for something: long enough for the replies of a store.
pub(crate) async fn begin_to_wait<F: Future + Unpin>(future: &mut F) {
    let settled = tokio::time::timeout(Duration::from_millis(40), Pin::new(future)).await;
    assert!(settled.is_err(), "it should wait");
}
