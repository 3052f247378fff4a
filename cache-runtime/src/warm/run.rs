//! One run of a warmer: its lease, its function, its report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::panic::CatchPanic;
use super::registry::Entry;
use super::report::{WarmOutcome, WarmReport};
use super::state::RunState;
use super::{Warm, events};
use crate::clock::unix_millis;
use crate::context::Context;
use crate::core::Cache;
use crate::error::CacheError;
#[cfg(feature = "redis")]
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::{WarmLease, WarmTaken};

/// When to ask again for a warmer that runs in this process. On Redis, the TTL of the lease says it.
const RETRY: Duration = Duration::from_secs(1);

/// Why a run begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Occasion {
    /// At start or on the interval: not within the interval after another run.
    Scheduled,
    Asked,
}

/// Run a warmer, unless it is running.
pub(super) async fn run(
    cache: &Cache,
    entry: &Arc<Entry>,
    args: Vec<String>,
    occasion: Occasion,
) -> Result<WarmReport, CacheError> {
    let warmer = &entry.warmer;
    let warm = Warm {
        concurrency: warmer.concurrency,
        rate: warmer.rate,
        ..Warm::begin(cache, &warmer.name, args)
    };
    let mut begun = Begun::claim(entry, &warm.state, occasion)?;
    if !cache.inner().enabled {
        return Ok(begun.report(WarmOutcome::Disabled, None));
    }
    begun.take_lease(cache, occasion).await?;
    begun.start();
    let run = Arc::clone(&warmer.run);
    // The function is called within: it may panic before its first await, too.
    let running = CatchPanic::new(async move { run(warm).await });
    // Not the values of the request that asks for the run.
    let running = Context::default().scope(running);
    let ended = cache.scope(running).await;
    Ok(begun.finish(ended).await)
}

/// A claimed run of this process. Dropped before its end, the run was dropped.
struct Begun<'e> {
    entry: &'e Entry,
    state: Arc<RunState>,
    since: Instant,
    unix: u64,
    is_underway: bool,
    #[cfg(feature = "redis")]
    lease: Option<WarmLease>,
}

impl<'e> Begun<'e> {
    fn claim(
        entry: &'e Entry,
        state: &Arc<RunState>,
        occasion: Occasion,
    ) -> Result<Self, CacheError> {
        let since = Instant::now();
        let mut local = entry.local();
        let due = local.due.filter(|_| occasion == Occasion::Scheduled);
        let left = due.map(|due| due.saturating_duration_since(since));
        if local.running.is_some() || left.is_some_and(|left| !left.is_zero()) {
            let retry_after = left.filter(|left| !left.is_zero()).unwrap_or(RETRY);
            return Err(busy(entry, retry_after));
        }
        local.running = Some(Arc::clone(state));
        Ok(Self {
            entry,
            state: Arc::clone(state),
            since,
            unix: unix_millis(),
            is_underway: false,
            #[cfg(feature = "redis")]
            lease: None,
        })
    }

    #[cfg(feature = "redis")]
    async fn take_lease(&mut self, cache: &Cache, occasion: Occasion) -> Result<(), CacheError> {
        let Store::Redis(store) = &cache.inner().store else {
            return Ok(());
        };
        let is_patient = occasion == Occasion::Scheduled;
        let (name, lost) = (&self.entry.warmer.name, Arc::clone(&self.state.lost));
        match store.take_warm(name, is_patient, lost).await? {
            WarmTaken::Lease(lease) => self.lease = Some(lease),
            WarmTaken::Held(left) => return Err(busy(self.entry, left)),
        }
        Ok(())
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_async, reason = "memory needs no lease")]
    async fn take_lease(&mut self, _: &Cache, _: Occasion) -> Result<(), CacheError> {
        Ok(())
    }

    fn start(&mut self) {
        self.is_underway = true;
        events::warm_began(&self.state.name, &self.state.args);
    }

    /// `ended`: the function's error, or the message of its panic.
    async fn finish(mut self, ended: Result<Option<String>, String>) -> WarmReport {
        let error = ended.unwrap_or_else(Some);
        let outcome = match self.state.was_stopped() {
            Some(stopped) => stopped,
            None if error.is_some() => WarmOutcome::Failed,
            None => WarmOutcome::Complete,
        };
        let report = self.report(outcome, error);
        // A run of a few arguments isn't the one of the interval.
        let is_whole = outcome == WarmOutcome::Complete && report.args.is_empty();
        let every = self.entry.warmer.every.filter(|_| is_whole);
        {
            let mut local = self.entry.local();
            local.due = every.map(|every| self.since + every).or(local.due);
        }
        self.conclude(&report);
        #[cfg(feature = "redis")]
        if let Some(lease) = self.lease.take() {
            let pause = every.map(|every| every.saturating_sub(self.since.elapsed()));
            lease.give_back(pause).await;
        }
        report
    }

    /// Tell of a run that has begun, once.
    fn conclude(&mut self, report: &WarmReport) {
        if std::mem::take(&mut self.is_underway) {
            events::warm_ended(
                &report.warmer,
                report.outcome,
                &report.counts,
                report.error.as_deref(),
                report.took,
            );
            self.entry.local().last = Some(report.clone());
        }
    }

    fn report(&self, outcome: WarmOutcome, error: Option<String>) -> WarmReport {
        WarmReport {
            warmer: self.state.name.to_string(),
            args: self.state.args.clone(),
            outcome,
            error,
            counts: self.state.counts(),
            began: self.unix,
            took: self.since.elapsed(),
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let report = self.report(WarmOutcome::Dropped, None);
        self.conclude(&report);
        self.entry.local().running = None;
    }
}

fn busy(entry: &Entry, retry_after: Duration) -> CacheError {
    CacheError::WarmerBusy {
        name: entry.warmer.name.to_string(),
        retry_after,
    }
}
