//! The primitives that flights and the memory store share between threads: the standard library's,
//! or under `--cfg shuttle` shuttle's, which runs all threads of a test as coroutines on one thread
//! and lets a scheduler choose the next one at each lock and atomic.

/// The standard library's, not `once_cell`'s `Lazy`, which parks a thread that finds another one
/// initializing. That could consume the wake-up of a plain executor, one that only calls `poll` and
/// `park`. `once_cell` serves where only the cache's own thread initializes.
pub(crate) use std::sync::LazyLock;

#[cfg(not(shuttle))]
pub(crate) use real::*;
#[cfg(shuttle)]
pub(crate) use simulated::*;

#[cfg(not(shuttle))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
    pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(crate) use std::{thread, thread_local};

    pub(crate) use foldhash::fast::RandomState;

    pub(crate) use crate::runtime::{Sleep, sleep};

    /// The number of flight tables: different keys seldom contend for one lock.
    pub(crate) const FLIGHT_SHARDS: usize = 16;
}

/// Shuttle's primitives. They don't simulate tokio's tasks (there are none, so a task is identified
/// by its waker alone), real time (it passes, but executions are too short for a limit to end by
/// it), or the memory model (shuttle's atomics are all sequentially consistent).
#[cfg(shuttle)]
mod simulated {
    use std::future::Future;
    use std::ops::Range;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(crate) use shuttle::{thread, thread_local};

    /// Deterministic: otherwise a schedule that failed couldn't be replayed.
    pub(crate) use foldhash::fast::FixedState as RandomState;

    /// More than one, so that a pattern spans several; few, since each is a lock at which a
    /// schedule forks.
    pub(crate) const FLIGHT_SHARDS: usize = 2;

    /// A sleep shorter than this is a pause before another look.
    const PAUSE: Duration = Duration::from_secs(1);
    /// A sleep of this length is a limit that a test has set so that it ends.
    const LIMIT: Range<Duration> = Duration::from_secs(600)..Duration::from_secs(3_600);

    /// End at any moment that the scheduler chooses, if it is a pause or such a limit. Otherwise
    /// never end: a task that isn't woken by other means hangs, which shuttle reports as a
    /// deadlock. A limit returns false, as if the time weren't kept, since no clock says that it
    /// has passed; a waiter gives up in either case.
    pub(crate) fn sleep(time: Duration) -> Sleep {
        let kept = time < PAUSE;
        let ends = kept || LIMIT.contains(&time);
        Sleep {
            ends: ends.then(|| shuttle::future::spawn(async {})),
            kept,
        }
    }

    pub(crate) struct Sleep {
        ends: Option<shuttle::future::JoinHandle<()>>,
        kept: bool,
    }

    impl Future for Sleep {
        type Output = bool;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
            let kept = self.kept;
            match &mut self.ends {
                Some(ends) => Pin::new(ends).poll(cx).map(|_| kept),
                None => Poll::Pending,
            }
        }
    }

    impl Drop for Sleep {
        fn drop(&mut self) {
            if let Some(ends) = &self.ends {
                ends.abort();
            }
        }
    }
}
