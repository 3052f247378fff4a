//! Ctrl-C.

use tokio::sync::oneshot;

/// Return a future that ends when the process is interrupted (`SIGINT`).
///
/// The signal is waited for on a thread of its own: the caller's runtime may have no driver for
/// signals, and `cachectl` may be one command of a larger program.
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    let (tell, told) = oneshot::channel();
    let waiting = std::thread::Builder::new()
        .name("cachectl-signals".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build();
            if let Ok(runtime) = runtime
                && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
            {
                let _ = tell.send(());
            }
        });
    async move {
        // Without the thread, the signal ends the process as it does by default.
        if waiting.is_err() || told.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
