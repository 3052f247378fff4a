//! The cache's own thread. It runs what must finish without its caller, keeps the time of those who wait, and
//! talks to Redis for callers that have no runtime, or whose runtime may end before the reply.

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
#[cfg(feature = "redis")]
use tracing::instrument::{Instrument, WithSubscriber};

use crate::error::CacheError;

/// The thread of this process, behind those of the processes that it was forked from. A forked child has none of its parent's
/// threads, so it starts one of its own: what it gave to the parent's would never run.
static THREADS: [Started; 8] = [const { Started::new() }; 8];

/// The thread of one process.
struct Started {
    /// Held while it is started.
    starting: Mutex<()>,
    /// The process and its thread's runtime.
    runtime: OnceLock<(u32, Handle)>,
}

impl Started {
    const fn new() -> Self {
        Self {
            starting: Mutex::new(()),
            runtime: OnceLock::new(),
        }
    }
}

/// What a thread is to the cache.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// A caller's.
    Caller,
    /// A caller's, which does nothing else while it waits for the cache.
    CallerBlocked,
    /// The cache's own.
    Own,
    /// The cache's own, while foreign code on it (a value's `Drop`, a subscriber of `tracing`) blocks. What it
    /// would wait for runs on this very thread.
    OwnBlocked,
}

thread_local! {
    static ROLE: Cell<Role> = const { Cell::new(Role::Caller) };
}

fn role() -> Role {
    ROLE.try_with(Cell::get).unwrap_or(Role::Caller)
}

/// Whether this is a caller's thread that isn't in [`block_on`]: what its runtime is to run, it can run.
#[cfg(feature = "redis")]
pub(crate) fn is_free_caller() -> bool {
    role() == Role::Caller
}

/// The thread's runtime; the first call starts it. One for the process, since it sleeps most of the time.
///
/// Callers wait for the start at a mutex: what parks its thread while it waits would swallow the wake-up of a
/// plain executor, one that does nothing but `poll` and `park`.
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
        source: Arc::from(Box::from("this process is forked too many times over")),
    })
}

/// Whether this is the thread's runtime.
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

/// Runs the future to its end on the cache's thread. Dropping the handle doesn't stop it, nor does the error
/// that a caller gets who would block that thread with waiting.
pub(crate) fn spawn<F>(future: F) -> Result<JoinHandle<F::Output>, CacheError>
where
    F: Future<Output: Send> + Send + 'static,
{
    let underway = handle()?.spawn(future);
    if role() == Role::OwnBlocked {
        return Err(CacheError::Background {
            source: Arc::from(Box::from("the caller blocks that thread itself")),
        });
    }
    Ok(underway)
}

/// Like [`spawn`]. What the future tells `tracing` reaches the caller's subscriber, within the caller's span, as it does
/// where nothing runs in the background.
#[cfg(feature = "redis")]
pub(crate) fn spawn_telling<F>(future: F) -> Result<JoinHandle<F::Output>, CacheError>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn(future.in_current_span().with_current_subscriber())
}

/// Ends after the time, on any executor, with true; at once and with false where the thread can't be had.
pub(crate) fn sleep(time: Duration) -> Sleep {
    Sleep(spawn(async move { tokio::time::sleep(time).await }).ok())
}

/// A pause that the cache's thread keeps.
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
            // The handle first: it holds the waker of someone who left, and ending the task would wake it.
            let pause = sleeping.abort_handle();
            drop(sleeping);
            pause.abort();
        }
    }
}

/// Runs a future on this thread, parking it while there is nothing to do. Unlike a runtime's own, it may be
/// called within any runtime; what it waits for makes progress on the cache's thread.
///
/// The future is polled outside tokio's budget: within a task that has used its up, tokio's futures would ask
/// to be polled again for ever, since a blocked task never gets a new one.
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
        // A flag of its own, since another `block_on` further in may have consumed the thread's unpark token.
        if signal.raised.swap(false, Ordering::AcqRel) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                if parked {
                    // It may have been the wake-up of an executor further out that ended a pause here.
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
        // Gone with the thread's end, when nobody asks any more.
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
