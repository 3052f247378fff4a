//! Result of a run of a warmer.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Counts of the items of a run.
///
/// ```
/// use cache_runtime::{Cache, Warm, cacheable};
///
/// #[cacheable(key = "posts:<<id>>", skip(text))]
/// async fn post(id: u32, text: &str) -> Option<String> {
///     Some(format!("{text} {id}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cache_runtime::CacheError> {
/// let cache = Cache::builder().build()?;
/// cache.scope(post(1, "post")).await;
/// let counts = Warm::of(&cache).each(1..=3, |id| post(id, "post")).await;
/// assert_eq!((counts.items, counts.fresh, counts.computed), (3, 1, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WarmCounts {
    /// Number of items that are known of: those looked at, and those that the remaining iterators
    /// promise to have. More than `items` while a run goes on, and after one that was stopped.
    pub expected: u64,
    /// Number of items whose calls have ended: the sum of the other four.
    pub items: u64,
    /// Items that ran no body: their entries were fresh, or stale and served by
    /// stale-while-revalidate, or another caller computed them meanwhile.
    pub fresh: u64,
    /// Items for which a body ran and succeeded.
    pub computed: u64,
    /// Items whose body ran without the cache, so that it wasn't stored: `condition` is false, Redis
    /// is out of reach, or the call waited too long for another caller.
    pub uncached: u64,
    /// Items whose call panicked or returned an error.
    pub failed: u64,
}

/// How an item ended.
#[derive(Debug)]
pub(super) enum ItemOutcome {
    Fresh,
    Computed,
    Uncached,
    Failed(String),
}

impl WarmCounts {
    /// Add those of another run.
    pub(super) fn merge(&mut self, other: &Self) {
        self.expected += other.expected;
        self.items += other.items;
        self.fresh += other.fresh;
        self.computed += other.computed;
        self.uncached += other.uncached;
        self.failed += other.failed;
    }

    /// Count an item.
    pub(super) fn add(&mut self, outcome: &ItemOutcome) {
        self.items += 1;
        self.expected = self.expected.max(self.items);
        *match outcome {
            ItemOutcome::Fresh => &mut self.fresh,
            ItemOutcome::Computed => &mut self.computed,
            ItemOutcome::Uncached => &mut self.uncached,
            ItemOutcome::Failed(_) => &mut self.failed,
        } += 1;
    }
}

impl fmt::Display for WarmCounts {
    /// Format them as in `12 items: 9 fresh, 2 computed, 1 failed`; counts of zero are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items;
        match self.expected > items {
            true => write!(f, "{items} of {} items", self.expected)?,
            false => write!(f, "{items} {}", if items == 1 { "item" } else { "items" })?,
        }
        let kinds = [
            (self.fresh, "fresh"),
            (self.computed, "computed"),
            (self.uncached, "not cached"),
            (self.failed, "failed"),
        ];
        let present = kinds.into_iter().filter(|(count, _)| *count > 0);
        for (place, (count, kind)) in present.enumerate() {
            let separator = if place == 0 { ": " } else { ", " };
            write!(f, "{separator}{count} {kind}")?;
        }
        Ok(())
    }
}

/// How a run of a warmer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmOutcome {
    /// The function returned. Items may have failed: see [`WarmCounts::failed`].
    Complete,
    /// The function returned an error or panicked: see [`WarmReport::error`].
    Failed,
    /// Redis was out of reach, so no further items were begun.
    Unavailable,
    /// The lease was lost, since it couldn't be renewed in time, so no further items were begun:
    /// another process may be running the warmer.
    LeaseLost,
    /// The future of the run was dropped.
    Dropped,
    /// Nothing was run, since the cache is [disabled](crate::CacheBuilder::enabled).
    Disabled,
}

impl fmt::Display for WarmOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Unavailable => "stopped: Redis is out of reach",
            Self::LeaseLost => "stopped: the lease was lost",
            Self::Dropped => "stopped: dropped",
            Self::Disabled => "not run: the cache is disabled",
        })
    }
}

/// Report of one run of a warmer. Returned by [`Cache::warm`](crate::Cache::warm).
///
/// As JSON, the counts are beside the other fields, and the duration is in seconds:
///
/// ```
/// use cache_runtime::{Cache, Warmer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = Cache::builder().build()?;
/// cache.add_warmer(Warmer::new("nothing", |_| async {}))?;
/// let report = cache.warm("nothing", vec!["now".to_owned()]).await?;
/// let json = serde_json::to_value(&report)?;
/// assert_eq!(json["warmer"], "nothing");
/// assert_eq!(json["args"][0], "now");
/// assert_eq!((&json["outcome"], &json["items"]), (&"complete".into(), &0.into()));
/// assert!(json["seconds"].is_f64());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WarmReport {
    /// The warmer's name.
    pub warmer: String,
    /// The arguments of the run.
    pub args: Vec<String>,
    /// How the run ended.
    pub outcome: WarmOutcome,
    /// The error that the function returned, as its `Debug` shows it, or the message of its panic.
    pub error: Option<String>,
    /// The counts of its items.
    #[serde(flatten)]
    pub counts: WarmCounts,
    /// When the run began, in milliseconds since the Unix epoch.
    pub began: u64,
    /// How long the run took. Serialized in seconds, as `seconds`.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

fn seconds_or_none<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(to)
}

/// A warmer of a cache, and its runs in this process. Returned by
/// [`Cache::warmers`](crate::Cache::warmers).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WarmerInfo {
    /// The warmer's name.
    pub name: String,
    /// The first paragraph of the function's documentation; empty if it has none.
    pub description: String,
    /// The interval between the begins of its runs, if it runs on an interval. Serialized in
    /// seconds.
    #[serde(serialize_with = "seconds_or_none")]
    pub every: Option<Duration>,
    /// Whether it runs when it is given to the cache.
    pub at_start: bool,
    /// The number of items that are computed at a time.
    pub concurrency: usize,
    /// The number of items a second that may be computed, if it is limited.
    pub rate: Option<u32>,
    /// The counts of the run that is under way in this process.
    pub running: Option<WarmCounts>,
    /// The last run of this process that has ended. Other processes may have run it since.
    pub last: Option<WarmReport>,
}
