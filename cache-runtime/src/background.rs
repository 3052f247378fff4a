//! The cache's own thread. It runs what must finish without its caller, keeps the time of those who wait, and
//! talks to Redis for callers that have no runtime, or whose runtime may end before the reply.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::error::CacheError;

static HANDLE: OnceCell<Handle> = OnceCell::new();

/// The thread's runtime; the first call starts it. One for the process, since it sleeps most of the time.
fn handle() -> Result<&'static Handle, CacheError> {
    HANDLE.get_or_try_init(|| {
        let failed = |error: std::io::Error| CacheError::Background {
            source: Arc::new(error),
        };
        let mut builder = Builder::new_current_thread();
        builder.enable_time();
        #[cfg(feature = "redis")]
        builder.enable_io();
        let runtime = builder.build().map_err(failed)?;
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("cache-background".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .map_err(failed)?;
        Ok(handle)
    })
}

/// Runs the future to its end on the cache's thread. Dropping the handle doesn't stop it.
pub(crate) fn spawn<F>(future: F) -> Result<JoinHandle<F::Output>, CacheError>
where
    F: Future<Output: Send> + Send + 'static,
{
    Ok(handle()?.spawn(future))
}

/// Ends after the time, on any executor. Ends at once where the thread can't be had: then nobody waits.
pub(crate) fn sleep(time: Duration) -> Sleep {
    Sleep(spawn(async move { tokio::time::sleep(time).await }).ok())
}

/// A pause that the cache's thread keeps.
pub(crate) struct Sleep(Option<JoinHandle<()>>);

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(sleeping) => Pin::new(sleeping).poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(sleeping) = &self.0 {
            sleeping.abort();
        }
    }
}

/// Runs a future on this thread, parking it while there is nothing to do. Unlike a runtime's own, it may be
/// called within any runtime; what it waits for makes progress on the cache's thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal {
        thread: thread::current(),
        raised: AtomicBool::new(true),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        // A flag of its own, since another `block_on` further in may have consumed the thread's unpark token.
        if signal.raised.swap(false, Ordering::Acquire) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        } else {
            thread::park();
        }
    }
}

struct Signal {
    thread: Thread,
    raised: AtomicBool,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.raised.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
