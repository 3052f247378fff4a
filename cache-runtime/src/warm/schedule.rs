//! Running a warmer at start and on its interval.
//!
//! A timer on the cache's own thread waits, and each run is a task on the runtime of the caller who
//! gave the warmer to the cache. The timer holds the cache weakly, so it ends with the cache; and it
//! ends with the caller's runtime, which drops its tasks.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::dispatcher::{self, Dispatch};
use tracing::instrument::WithSubscriber as _;

use super::registry::Entry;
use super::report::WarmReport;
use super::run::{Occasion, run};
use crate::core::{Cache, CacheInner};
use crate::error::CacheError;
use crate::runtime::{self, block_on};

/// When to try again if Redis couldn't be asked. During an outage, nothing is sent for it.
const RETRY: Duration = Duration::from_secs(1);

/// Start the timer of a warmer that runs by itself.
pub(super) fn start(cache: &Cache, entry: &Arc<Entry>) -> Result<(), CacheError> {
    let (every, at_start) = (entry.warmer.every, entry.warmer.at_start);
    if !cache.inner().enabled || (every.is_none() && !at_start) {
        return Ok(());
    }
    let callers = Handle::try_current().ok();
    let timer = Timer {
        cache: Arc::downgrade(&cache.inner),
        entry: Arc::downgrade(entry),
        callers: callers.filter(|handle| !runtime::is_own(handle)),
        subscriber: dispatcher::get_default(Clone::clone),
    };
    let first = match (at_start, every) {
        (false, Some(every)) => every,
        _ => Duration::ZERO,
    };
    runtime::spawn(timer.run(first, every)).map(drop)
}

struct Timer {
    cache: Weak<CacheInner>,
    entry: Weak<Entry>,
    /// The runtime for the runs; `None`: a thread beside the cache's own.
    callers: Option<Handle>,
    subscriber: Dispatch,
}

impl Timer {
    async fn run(self, first: Duration, every: Option<Duration>) {
        let mut pause = first;
        loop {
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            let Some(run) = self.begin() else { return };
            let Ok(ended) = run.await else { return };
            pause = match (ended, every) {
                (Ok(_), Some(every)) => every.saturating_sub(begun.elapsed()),
                // Another process runs it, or has run it.
                (Err(CacheError::WarmerBusy { retry_after, .. }), Some(every)) => {
                    retry_after.clamp(Duration::from_millis(1), every)
                }
                (Ok(_) | Err(CacheError::WarmerBusy { .. }), None) => return,
                (Err(_), every) => every.unwrap_or(RETRY).min(RETRY),
            };
        }
    }

    /// Begin a run; `None` if the cache is gone. A run whose runtime has ended is cancelled.
    fn begin(&self) -> Option<JoinHandle<Result<WarmReport, CacheError>>> {
        let cache = Cache {
            inner: self.cache.upgrade()?,
        };
        let entry = self.entry.upgrade()?;
        let run = async move { run(&cache, &entry, Vec::new(), Occasion::Scheduled).await };
        let run = run.with_subscriber(self.subscriber.clone());
        Some(match &self.callers {
            Some(callers) => callers.spawn(run),
            // User code must not block the cache's thread.
            None => Handle::current().spawn_blocking(move || block_on(run)),
        })
    }
}
