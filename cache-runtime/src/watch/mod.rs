//! Changes of entries, as they happen: the type of a change, its way to the watcher, and the list of
//! watchers that the memory store tells.

mod feed;
mod watchers;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

pub(crate) use feed::Feed;
pub(crate) use watchers::Watchers;

/// A change, from [`Watch::next`].
///
/// Times are serialized as seconds; `at` as those since 1970.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// When this process learned of it.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
    /// Kind of change.
    pub kind: ChangeKind,
    /// The key, with the prefix. `None` for a change that isn't one of an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The path: the key without prefix and variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes that are stored now, header included; in memory, those of the value. `None` where
    /// nothing is stored, or on Redis if the user may not run `STRLEN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The TTL of a filled entry. `None` if it never expires, and for any other change.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_seconds"
    )]
    pub ttl: Option<Duration>,
    /// Number of changes that weren't told, of [`ChangeKind::Lost`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// The cause, of [`ChangeKind::Interrupted`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Kind of a [`Change`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// An entry was stored.
    Filled,
    /// A caller computes the entry, or refreshes it. Only told on Redis.
    Computing,
    /// A computation ended and stored nothing: it failed, its value can't be stored, its process
    /// died, or the entry was invalidated meanwhile. Only told on Redis.
    Abandoned,
    /// An entry was invalidated or deleted. On Redis, also: evicted by the server, or expired if it
    /// was stored before the watch began.
    Removed,
    /// An entry expired. In memory, it is told when the entry leaves, which may be much later.
    Expired,
    /// An entry was evicted to make room. Only told in memory; see [`Removed`](Self::Removed).
    Evicted,
    /// Something that is no entry of this release was stored at a key of the cache.
    Unknown,
    /// The server was flushed: all entries are gone.
    Flushed,
    /// More changes happened than were taken, and [`Change::lost`] of them aren't told.
    Lost,
    /// The connection to Redis ended. Changes aren't told until [`Resumed`](Self::Resumed).
    Interrupted,
    /// Changes are told again. Those since [`Interrupted`](Self::Interrupted) aren't known.
    Resumed,
}

impl ChangeKind {
    /// Return the name, as in JSON.
    ///
    /// ```
    /// use cache_runtime::ChangeKind;
    ///
    /// assert_eq!(ChangeKind::Filled.as_str(), "filled");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Computing => "computing",
            Self::Abandoned => "abandoned",
            Self::Removed => "removed",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Unknown => "unknown",
            Self::Flushed => "flushed",
            Self::Lost => "lost",
            Self::Interrupted => "interrupted",
            Self::Resumed => "resumed",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Change {
    fn of_kind(kind: ChangeKind) -> Self {
        Self {
            at: SystemTime::now(),
            kind,
            key: None,
            path: None,
            bytes: None,
            ttl: None,
            lost: None,
            cause: None,
        }
    }
}

/// The changes of a cache's entries, as they happen. Created by
/// [`Cache::watch`](crate::Cache::watch). Dropping it ends the watch, and its connections.
#[must_use = "dropping it ends the watch"]
pub struct Watch {
    feed: Arc<Feed>,
    /// The task that reads from Redis.
    task: Option<tokio::task::AbortHandle>,
}

impl Watch {
    pub(crate) fn new(feed: Arc<Feed>, task: Option<tokio::task::AbortHandle>) -> Self {
        Self { feed, task }
    }

    /// Wait for the next change. Returns `None` once the cache is gone, when all of its handles have
    /// been dropped.
    ///
    /// Some thousand changes are kept for a watcher that is slow. If there are more, it is told how
    /// many were [lost](ChangeKind::Lost).
    ///
    /// ```
    /// use cache_runtime::{Cache, ChangeKind};
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let mut watch = cache.watch("*").await?;
    /// cache.set("answer", &42, 60).await?;
    /// drop(cache);
    /// while let Some(change) = watch.next().await {
    ///     assert_eq!(change.kind, ChangeKind::Filled);
    /// }
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// A dropped call takes no change.
    pub async fn next(&mut self) -> Option<Change> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Poll for the next change, for an implementation of a stream or body.
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use cache_runtime::{Cache, ChangeKind};
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let mut watch = cache.watch("*").await?;
    /// cache.set("answer", &42, 60).await?;
    /// let change = poll_fn(|cx| watch.poll_next(cx)).await.expect("the cache exists");
    /// assert_eq!(change.kind, ChangeKind::Filled);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.feed.poll_next(cx)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        // Now, and not when the last one who tells it lets go: that may be under a lock of the
        // store, where dropping a waker could run foreign code.
        self.feed.abandon();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

fn unix_seconds<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Whole milliseconds, which a float holds exactly enough to be read back.
    to.serialize_f64(since.as_millis() as f64 / 1e3)
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn optional_seconds<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_f64(time.as_secs_f64()),
        None => to.serialize_none(),
    }
}
