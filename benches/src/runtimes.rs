//! The runtimes on which calls are measured.

use std::future::Future;

use tokio::runtime::Runtime;

/// Build a runtime of one thread, for memory, which never waits.
pub fn one_thread() -> Runtime {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.expect("the runtime can be built")
}

/// Build a multi-threaded runtime, as services use.
pub fn all_threads() -> Runtime {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.expect("the runtime can be built")
}

/// Run a future as a task of the runtime, as a service runs its requests.
pub fn as_task<F>(runtime: &Runtime, work: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    runtime.block_on(async { tokio::spawn(work).await.expect("the task doesn't panic") })
}
