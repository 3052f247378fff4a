//! The cache's own thread. It runs work that must finish without its caller, keeps the timers of
//! waiting callers, and talks to Redis for callers that have no runtime, or whose runtime may end
//! before the reply.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tracing::instrument::{Instrument, WithSubscriber};

use crate::error::CacheError;

/// The thread of this process, after those of the processes that it was forked from. A forked child
/// has none of its parent's threads, so it starts its own: work given to the parent's thread would
/// never run.
static THREADS: [ProcessThread; 8] = [const { ProcessThread::new() }; 8];

/// The thread of one process.
struct ProcessThread {
    /// Held while the thread starts.
    starting: Mutex<()>,
    /// The process ID and its thread's runtime.
    runtime: OnceLock<(u32, Handle)>,
}

impl ProcessThread {
    const fn new() -> Self {
        Self {
            starting: Mutex::new(()),
            runtime: OnceLock::new(),
        }
    }
}

/// The role of a thread.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// A caller's thread.
    Caller,
    /// A caller's thread, blocked while it waits for the cache.
    CallerBlocked,
    /// The cache's own thread.
    Own,
    /// The cache's own thread, while user code on it (a value's `Drop`, a subscriber of `tracing`)
    /// blocks. The work that it would wait for runs on this very thread.
    OwnBlocked,
}

thread_local! {
    static ROLE: Cell<Role> = const { Cell::new(Role::Caller) };
}

fn role() -> Role {
    ROLE.try_with(Cell::get).unwrap_or(Role::Caller)
}

/// Whether this is a caller's thread outside [`block_on`], so that its runtime can make progress.
#[cfg(feature = "redis")]
pub(crate) fn is_free_caller() -> bool {
    role() == Role::Caller
}

/// Return the thread's runtime; the first call starts it. There is one for the process, since it
/// sleeps most of the time.
///
/// Callers wait for the start at a mutex. A primitive that parks its thread could consume the
/// wake-up of a plain executor, one that only calls `poll` and `park`.
pub(crate) fn handle() -> Result<&'static Handle, CacheError> {
    let process = std::process::id();
    for started in &THREADS {
        if let Some((of, handle)) = started.runtime.get() {
            if *of == process {
                return Ok(handle);
            }
            continue;
        }
        let _starting = started
            .starting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if started.runtime.get().is_none() {
            let handle = start()?;
            return Ok(&started.runtime.get_or_init(|| (process, handle)).1);
        }
        // Another caller of this process has started it.
        if let Some((of, handle)) = started.runtime.get()
            && *of == process
        {
            return Ok(handle);
        }
    }
    Err(CacheError::Background {
        source: Arc::from(Box::from("this process has been forked too many times")),
    })
}

/// Whether this is the runtime of the cache's thread.
pub(crate) fn is_own(other: &Handle) -> bool {
    let mut runtimes = THREADS.iter().filter_map(|started| started.runtime.get());
    runtimes.any(|(_, own)| own.id() == other.id())
}

fn start() -> Result<Handle, CacheError> {
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
        .spawn(move || {
            ROLE.set(Role::Own);
            runtime.block_on(std::future::pending::<()>());
        })
        .map_err(failed)?;
    Ok(handle)
}

/// Run the future to its end on the cache's thread. Dropping the handle doesn't stop it. A caller
/// on the cache's own thread, which would block that thread by waiting, gets an error, and the
/// future runs all the same.
pub(crate) fn spawn<F>(future: F) -> Result<JoinHandle<F::Output>, CacheError>
where
    F: Future<Output: Send> + Send + 'static,
{
    let underway = handle()?.spawn(future);
    if role() == Role::OwnBlocked {
        return Err(CacheError::Background {
            source: Arc::from(Box::from("the caller runs on that thread and blocks it")),
        });
    }
    Ok(underway)
}

/// Like [`spawn`]. The future's `tracing` events reach the caller's subscriber, within the caller's
/// span, as they do without a background thread.
pub(crate) fn spawn_telling<F>(future: F) -> Result<JoinHandle<F::Output>, CacheError>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn(future.in_current_span().with_current_subscriber())
}

/// Complete after the time, on any executor, with true; at once and with false if the thread isn't
/// available.
pub(crate) fn sleep(time: Duration) -> Sleep {
    Sleep(spawn(async move { tokio::time::sleep(time).await }).ok())
}

/// A timer on the cache's thread.
pub(crate) struct Sleep(Option<JoinHandle<()>>);

impl Future for Sleep {
    type Output = bool;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        match &mut self.0 {
            Some(sleeping) => Pin::new(sleeping).poll(cx).map(|_| true),
            None => Poll::Ready(false),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(sleeping) = self.0.take() {
            // The handle first: it holds the waker of a caller that left, and aborting the task
            // would wake it.
            let pause = sleeping.abort_handle();
            drop(sleeping);
            pause.abort();
        }
    }
}

/// Run a future on this thread, parking the thread while the future is pending. Unlike a runtime's
/// own `block_on`, it may be called within any runtime; the work that it waits for makes progress
/// on the cache's thread.
///
/// The future is polled outside tokio's budget: within a task whose budget is used up, tokio's
/// futures would ask to be polled again for ever, since a blocked task never gets a new budget.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let _blocked = Blocked::new();
    let signal = Arc::new(Signal {
        thread: thread::current(),
        raised: AtomicBool::new(true),
    });
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(tokio::task::unconstrained(future));
    let mut parked = false;
    loop {
        // A separate flag, since a nested `block_on` may have consumed the thread's unpark token.
        if signal.raised.swap(false, Ordering::AcqRel) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                if parked {
                    // The wake-up that ended a pause here may have been meant for an outer
                    // executor.
                    signal.thread.unpark();
                }
                return output;
            }
        } else {
            parked = true;
            thread::park();
        }
    }
}

/// Marks the thread as blocked until dropped.
struct Blocked(Role);

impl Blocked {
    fn new() -> Self {
        let before = role();
        let blocked = match before {
            Role::Own | Role::OwnBlocked => Role::OwnBlocked,
            Role::Caller | Role::CallerBlocked => Role::CallerBlocked,
        };
        // The thread-local is gone when the thread ends, and is no longer read then.
        let _ = ROLE.try_with(|role| role.set(blocked));
        Self(before)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = ROLE.try_with(|role| role.set(self.0));
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
        self.raised.swap(true, Ordering::AcqRel);
        self.thread.unpark();
    }
}
