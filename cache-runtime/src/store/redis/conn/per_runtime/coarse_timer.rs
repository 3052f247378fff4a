//! Timeout for reads over a connection of the caller's runtime.
//!
//! A timer for each read costs more than everything else in it, and the caller's runtime may have
//! no timers. So the cache's thread counts beats while reads are in progress, and a read gives up
//! after several of them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use crate::runtime;

/// Number of beats in one response timeout.
const BEATS: u32 = 16;
/// Beat at which a read gives up. At least two whole beats have passed by then.
const PATIENCE: u64 = 3;
/// Number of beats without reads after which the timer stops. Starting it costs a switch between
/// threads.
const IDLE_BEATS: u32 = 64;

pub(crate) struct CoarseTimer {
    beat: Duration,
    count: AtomicU64,
    woken: Notify,
    beating: AtomicBool,
    /// Number of reads that have begun to wait, and number of reads that have ended.
    begun: AtomicU64,
    ended: AtomicU64,
}

impl CoarseTimer {
    pub(crate) fn of(response: Duration) -> Self {
        Self {
            beat: (response / BEATS).max(Duration::from_millis(1)),
            count: AtomicU64::new(0),
            woken: Notify::new(),
            beating: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// Wait for the reply. Return `None` after an eighth of the response timeout, or a little more.
    ///
    /// The reply is polled first each time. A task that is polled late, or whose runtime was busy
    /// elsewhere, therefore finds a reply that has arrived, however late the poll is.
    pub(crate) async fn wait<F: Future + Unpin>(
        self: &Arc<Self>,
        reply: &mut F,
    ) -> Option<F::Output> {
        let since = self.count.load(Ordering::Acquire);
        let mut reply = pin!(reply);
        let mut beat = pin!(self.woken.notified());
        let _waiting = self.enter();
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = reply.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            while beat.as_mut().poll(cx).is_ready() {
                if self.count.load(Ordering::Acquire).wrapping_sub(since) >= PATIENCE {
                    return Poll::Ready(None);
                }
                beat.set(self.woken.notified());
            }
            Poll::Pending
        })
        .await
    }

    /// End the wait of every read that is waiting now.
    pub(crate) fn cancel_all(&self) {
        self.count.fetch_add(PATIENCE, Ordering::AcqRel);
        self.woken.notify_waiters();
    }

    fn enter(self: &Arc<Self>) -> TimerWait<'_> {
        // Sequentially consistent with the check that stops the beat: one of the two sees the
        // other.
        self.begun.fetch_add(1, Ordering::SeqCst);
        if !self.beating.load(Ordering::SeqCst)
            && !self.beating.swap(true, Ordering::SeqCst)
            && runtime::spawn(run(Arc::clone(self))).is_err()
        {
            self.beating.store(false, Ordering::SeqCst);
        }
        TimerWait(self)
    }
}

struct TimerWait<'a>(&'a CoarseTimer);

impl Drop for TimerWait<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

async fn run(timer: Arc<CoarseTimer>) {
    let (mut seen, mut idle) = (0, 0);
    loop {
        tokio::time::sleep(timer.beat).await;
        timer.count.fetch_add(1, Ordering::AcqRel);
        timer.woken.notify_waiters();
        let (ended, begun) = (
            timer.ended.load(Ordering::SeqCst),
            timer.begun.load(Ordering::SeqCst),
        );
        idle = match begun == seen && ended == begun {
            true => idle + 1,
            false => 0,
        };
        seen = begun;
        if idle < IDLE_BEATS {
            continue;
        }
        timer.beating.store(false, Ordering::SeqCst);
        // A read that began meanwhile may have found the timer running.
        let nobody = timer.begun.load(Ordering::SeqCst) == begun;
        if nobody || timer.beating.swap(true, Ordering::SeqCst) {
            return;
        }
        idle = 0;
    }
}
