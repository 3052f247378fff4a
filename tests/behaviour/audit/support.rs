//! Helpers of the tests about audits: a table, and a cache whose pauses a test ends.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::observe::FunctionSnapshot;
use cache_runtime::{Cache, CacheBuilder, Clock};
use tests::{on_both_stores_with, until};

/// The counts of the audits that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Results {
    pub(crate) ok: u64,
    pub(crate) raced: u64,
    pub(crate) stale: u64,
    pub(crate) failed: u64,
}

impl Results {
    pub(crate) fn of(cache: &Cache) -> Self {
        let total: FunctionSnapshot = cache.snapshot().total();
        Self {
            ok: total.audits_ok,
            raced: total.audits_raced,
            stale: total.audits_stale,
            failed: total.audits_failed,
        }
    }

    pub(crate) fn sum(self) -> u64 {
        self.ok + self.raced + self.stale + self.failed
    }
}

/// Wait until this number of audits has ended.
pub(crate) async fn until_ended(cache: &Cache, audits: u64) -> Results {
    until("the audits end", || async {
        Results::of(cache).sum() >= audits
    })
    .await;
    Results::of(cache)
}

/// A table of rows, which a test changes with or without the cache's knowledge.
#[derive(Clone, Default)]
pub(crate) struct Table {
    rows: Arc<Mutex<HashMap<u32, u32>>>,
    pub(crate) runs: crate::common::Runs,
}

impl Table {
    /// Read a row; 0 without one.
    pub(crate) fn row(&self, id: u32) -> u32 {
        self.runs.next();
        self.rows.lock().unwrap().get(&id).copied().unwrap_or(0)
    }

    pub(crate) fn set(&self, id: u32, value: u32) {
        self.rows.lock().unwrap().insert(id, value);
    }
}

/// Configure audits of every hit, whose pauses end when the clock is moved.
pub(crate) fn audited(builder: CacheBuilder, clock: &Clock) -> CacheBuilder {
    builder
        .audit(1.0)
        .audit_limit(u32::MAX)
        .clock(clock.clone())
        .default_ttl(Duration::from_secs(3_600))
}

/// Run the test on both stores, with a manual clock.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Cache) -> F) {
    let clock = Clock::manual();
    on_both_stores_with(|builder| audited(builder, &clock), test).await;
}

/// Let the pauses of the audits that look again end, one after the other, until all have ended.
pub(crate) async fn until_settled(cache: &Cache, audits: u64) -> Results {
    until("the audits end", || async {
        cache.clock().advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(1)).await;
        Results::of(cache).sum() >= audits
    })
    .await;
    Results::of(cache)
}
