//! Work that finishes without its caller.

use std::future::Future;
use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

/// The runtime of the task has been shut down.
#[derive(Debug)]
pub(crate) struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the runtime was shut down while a transaction committed")
    }
}

impl std::error::Error for Lost {}

/// Run the future in a task of its own, which goes on if the returned future is dropped after its
/// first poll. Events reach the caller's subscriber, within the caller's span.
///
/// Outside of a runtime the caller runs it, and dropping the caller drops it.
pub(crate) async fn detached<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Lost> {
    let Ok(runtime) = Handle::try_current() else {
        return Ok(future.await);
    };
    let task = runtime.spawn(future.in_current_span().with_current_subscriber());
    task.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => Lost,
    })
}
