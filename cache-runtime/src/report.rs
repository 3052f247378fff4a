//! Reports of what cached calls did: [`Cache::traced`](crate::Cache::traced).
//!
//! Calls note what they do where they emit their events. A recorder is current on a thread while a
//! traced future is polled there, and events are made only if some recorder exists in the process,
//! so calls cost the same as ever otherwise.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use serde::Serialize;

/// Number of open recorders in this process.
static OPEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The calls of the innermost traced future or closure, while it runs.
    static CALLS: RefCell<Option<Vec<Record>>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<CallReport>> = const { RefCell::new(None) };
}

/// How a cached call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CallOutcome {
    /// From the store: memory, or Redis.
    Hit,
    /// From the near cache in front of Redis.
    Near,
    /// With an expired value that was still usable.
    Stale,
    /// By another caller's computation.
    Wait,
    /// By the body, since no usable entry was found.
    Miss,
    /// By the body, without the cache: the cache is disabled or out of reach, the function's
    /// `condition` is false, or the call waited too long.
    Bypass,
}

impl CallOutcome {
    /// Return whether the call was answered without running its body.
    ///
    /// ```
    /// use cache_runtime::CallOutcome;
    ///
    /// assert!(CallOutcome::Near.is_hit());
    /// assert!(!CallOutcome::Miss.is_hit());
    /// ```
    pub fn is_hit(self) -> bool {
        !matches!(self, Self::Miss | Self::Bypass)
    }
}

/// Format it as the value of an `X-Cache` header: `HIT`, `NEAR`, `STALE`, `WAIT`, `MISS` or
/// `BYPASS`.
impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hit => "HIT",
            Self::Near => "NEAR",
            Self::Stale => "STALE",
            Self::Wait => "WAIT",
            Self::Miss => "MISS",
            Self::Bypass => "BYPASS",
        })
    }
}

/// Report of a cached call. Returned by [`Cache::traced`](crate::Cache::traced).
///
/// As text it is the value of an `X-Cache` header, [`outcome`](Self::outcome) in capitals.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallReport {
    /// How the call was answered; [`CallOutcome::Bypass`] if there was no cached call.
    pub outcome: CallOutcome,
    /// The full key, `<prefix>:<path>[#<variant>]`; empty if no key was made.
    pub key: String,
    /// How long ago the value was stored. Known if the function has a fixed TTL without `jitter`.
    /// Serialized as seconds.
    #[serde(serialize_with = "seconds")]
    pub age: Option<Duration>,
    /// How long the entry will still be fresh, as the store says after the future has completed;
    /// `None` if it isn't cached, and in [`others`](Self::others). Serialized as seconds.
    #[serde(serialize_with = "seconds")]
    pub ttl_left: Option<Duration>,
    /// The other cached calls of the same future, in the order in which they began; at most 999.
    pub others: Vec<Self>,
}

impl CallReport {
    /// Return the report of this thread's last [`Cache::traced_sync`](crate::Cache::traced_sync).
    ///
    /// ```
    /// use cache_runtime::{Cache, CallReport, cacheable};
    ///
    /// #[cacheable(key = "answer")]
    /// fn answer() -> u32 {
    ///     42
    /// }
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(CallReport::last(), None);
    /// cache.traced_sync(answer);
    /// assert_eq!(CallReport::last().unwrap().to_string(), "MISS");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn last() -> Option<Self> {
        LAST.try_with(|last| last.borrow().clone()).ok().flatten()
    }

    pub(crate) fn remember(&self) {
        let _ = LAST.try_with(|last| last.replace(Some(self.clone())));
    }
}

impl fmt::Display for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcome.fmt(f)
    }
}

fn seconds<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(to)
}

/// Number of calls that a report holds at most.
const MAX_CALLS: usize = 1_000;

/// A call, as far as it is known.
#[derive(Clone)]
pub(crate) struct Record {
    key: String,
    /// `None` until it is known. A call that bypasses the cache says nothing.
    outcome: Option<CallOutcome>,
    /// The fixed TTL of its function.
    ttl: Option<Duration>,
}

impl Record {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Build the call's report, with what the store says of its entry now.
    pub(crate) fn into_report(self, ttl_left: Option<Duration>) -> CallReport {
        let age = self
            .ttl
            .zip(ttl_left)
            .map(|(ttl, left)| ttl.saturating_sub(left));
        CallReport {
            outcome: self.outcome.unwrap_or(CallOutcome::Bypass),
            key: self.key,
            age,
            ttl_left,
            others: Vec::new(),
        }
    }
}

/// Return the report of a future without a cached call.
pub(crate) fn none() -> CallReport {
    CallReport {
        outcome: CallOutcome::Bypass,
        key: String::new(),
        age: None,
        ttl_left: None,
        others: Vec::new(),
    }
}

/// Return whether calls are recorded, perhaps on another thread.
#[inline]
pub(crate) fn is_open() -> bool {
    OPEN.load(Ordering::Relaxed) != 0
}

/// Note a call whose key is rendered. `ttl`: the fixed TTL of its function.
pub(crate) fn began(key: &str, ttl: Option<Duration>) {
    note(|calls| push(calls, key, None, ttl));
}

/// Note how a call of this key was answered: the first of those that have no outcome yet.
pub(crate) fn ended(key: &str, outcome: CallOutcome) {
    note(|calls| {
        let open = |call: &&mut Record| call.key == key && call.outcome.is_none();
        match calls.iter_mut().find(open) {
            Some(call) => call.outcome = Some(outcome),
            // An explicit operation, which has no event of its beginning.
            None => push(calls, key, Some(outcome), None),
        }
    });
}

fn push(calls: &mut Vec<Record>, key: &str, outcome: Option<CallOutcome>, ttl: Option<Duration>) {
    if calls.len() < MAX_CALLS {
        calls.push(Record {
            key: key.to_owned(),
            outcome,
            ttl,
        });
    }
}

fn note(note: impl FnOnce(&mut Vec<Record>)) {
    if is_open() {
        let _ = CALLS.try_with(|calls| calls.borrow_mut().as_mut().map(note));
    }
}

/// Counts an open recorder until it is dropped.
pub(crate) struct Open(());

impl Open {
    pub(crate) fn new() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes some calls the current ones of this thread, and restores the outer ones when dropped, also
/// by a panic.
struct Entered<'r> {
    own: &'r mut Vec<Record>,
    outer: Option<Vec<Record>>,
}

impl<'r> Entered<'r> {
    fn new(own: &'r mut Vec<Record>) -> Self {
        let calls = std::mem::take(own);
        let outer = CALLS.try_with(|current| current.replace(Some(calls)));
        Self {
            own,
            outer: outer.ok().flatten(),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        if let Ok(Some(calls)) = CALLS.try_with(|current| current.replace(outer)) {
            *self.own = calls;
        }
    }
}

pin_project! {
    /// A future whose calls are recorded.
    pub(crate) struct Recorded<F> {
        open: Open,
        calls: Vec<Record>,
        #[pin]
        future: F,
    }
}

/// Record the calls of a future.
pub(crate) fn record<F: Future>(future: F) -> Recorded<F> {
    Recorded {
        open: Open::new(),
        calls: Vec::new(),
        future,
    }
}

impl<F: Future> Future for Recorded<F> {
    type Output = (F::Output, Vec<Record>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = Entered::new(this.calls);
        let polled = this.future.poll(cx);
        drop(entered);
        polled.map(|output| (output, std::mem::take(this.calls)))
    }
}

/// Record the calls of a closure.
pub(crate) fn record_sync<T>(run: impl FnOnce() -> T) -> (T, Vec<Record>) {
    let _open = Open::new();
    let mut calls = Vec::new();
    let entered = Entered::new(&mut calls);
    let output = run();
    drop(entered);
    (output, calls)
}
