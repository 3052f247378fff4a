//! What the modules share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::Cache;
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer};

/// Counts how often a body ran. An argument of the functions under test, and skipped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(Arc<AtomicU32>);

impl Runs {
    /// Counts a run, and gives its number from 1.
    pub(crate) fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: u32,
    pub(crate) slug: String,
}

impl Post {
    pub(crate) fn new(id: u32, slug: &str) -> Self {
        Self {
            id,
            slug: slug.to_owned(),
        }
    }
}

/// A cache on memory, for what no store has a part in.
pub(crate) fn memory() -> Cache {
    Cache::builder().prefix("quickpost").build().unwrap()
}

/// A cache on this server.
pub(crate) fn on_redis(server: &RedisServer, prefix: &str) -> Cache {
    let builder = Cache::builder().prefix(prefix).redis(server.url());
    builder.response_timeout(PATIENCE).build().unwrap()
}

/// The part of a key after `#`.
pub(crate) fn variant(key: &str) -> Option<&str> {
    key.split_once('#').map(|(_, variant)| variant)
}

/// Asserts that an entry was stored just now for so many seconds.
#[track_caller]
pub(crate) fn assert_about(left: Option<Duration>, seconds: u64) {
    let left = left.expect("the entry stands");
    let most = Duration::from_secs(seconds);
    let least = most.saturating_sub(Duration::from_secs(10));
    assert!(
        left <= most && left > least,
        "{left:?} is not about {seconds} s"
    );
}
