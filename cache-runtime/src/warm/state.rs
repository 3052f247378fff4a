//! The state of one run, which all clones of its [`Warm`](super::Warm) share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::events;
use super::rate::Limiter;
use super::report::{ItemOutcome, WarmCounts, WarmOutcome};
use crate::core::Cache;
use crate::store::Store;

/// Number of failed items of one run that are logged.
const LOGGED: u64 = 10;

/// The state of one run.
pub(super) struct RunState {
    pub(super) cache: Cache,
    /// The warmer's name, or the occasion of a run that has none.
    pub(super) name: Arc<str>,
    pub(super) args: Vec<String>,
    pub(super) limiter: Limiter,
    /// Set by the renewal of the lease, once the lease is lost.
    pub(super) lost: Arc<AtomicBool>,
    /// Why no further items are begun.
    stop: OnceLock<WarmOutcome>,
    counts: Mutex<WarmCounts>,
}

impl RunState {
    pub(super) fn new(cache: &Cache, name: &str, args: Vec<String>) -> Self {
        Self {
            cache: cache.clone(),
            name: name.into(),
            args,
            limiter: Limiter::default(),
            lost: Arc::default(),
            stop: OnceLock::new(),
            counts: Mutex::default(),
        }
    }

    /// Return why no further items are begun. What has stopped a run once stops it for good: half
    /// a list that is warmed later would be of no use.
    pub(super) fn stopped(&self) -> Option<WarmOutcome> {
        if self.stop.get().is_none()
            && let Some(cause) = self.cause_to_stop()
        {
            let _ = self.stop.set(cause);
        }
        self.stop.get().copied()
    }

    /// Return why the run was stopped, without looking whether it should be.
    pub(super) fn was_stopped(&self) -> Option<WarmOutcome> {
        self.stop.get().copied()
    }

    fn cause_to_stop(&self) -> Option<WarmOutcome> {
        if self.lost.load(Ordering::Acquire) {
            return Some(WarmOutcome::LeaseLost);
        }
        if !self.cache.inner().enabled {
            return Some(WarmOutcome::Disabled);
        }
        is_out_of_reach(&self.cache).then_some(WarmOutcome::Unavailable)
    }

    pub(super) fn expect(&self, items: u64) {
        self.counted().expected += items;
    }

    /// Count an item. `number`: its place among the items, for the log.
    pub(super) fn ended(&self, number: u64, outcome: ItemOutcome) {
        let failed_before = {
            let mut counts = self.counted();
            counts.add(&outcome);
            counts.failed - u64::from(matches!(outcome, ItemOutcome::Failed(_)))
        };
        if let ItemOutcome::Failed(reason) = outcome
            && failed_before < LOGGED
        {
            events::warm_item_failed(&self.name, number, &reason);
        }
    }

    pub(super) fn counts(&self) -> WarmCounts {
        *self.counted()
    }

    fn counted(&self) -> MutexGuard<'_, WarmCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the cache's store is known to be down.
pub(super) fn is_out_of_reach(cache: &Cache) -> bool {
    match &cache.inner().store {
        Store::Memory(_) => false,
        #[cfg(feature = "redis")]
        Store::Redis(store) => store.is_down(),
    }
}
