//! Helpers that the modules share.

use std::time::Duration;

use cache_runtime::Cache;
use serde::{Deserialize, Serialize};
pub(crate) use tests::Runs;
use tests::{PATIENCE, RedisServer};

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

/// Build a cache in memory, for tests whose result is the same on either store.
pub(crate) fn memory() -> Cache {
    Cache::builder().prefix("quickpost").build().unwrap()
}

/// Build a cache on this server.
pub(crate) fn on_redis(server: &RedisServer, prefix: &str) -> Cache {
    let builder = Cache::builder().prefix(prefix).redis(server.url());
    let builder = builder.response_timeout(PATIENCE);
    // Tests look at the keys.
    builder.publish_stats(false).build().unwrap()
}

/// Return the variant: the part of a key after `#`.
pub(crate) fn variant(key: &str) -> Option<&str> {
    key.split_once('#').map(|(_, variant)| variant)
}

/// Assert that an entry was stored just now for this number of seconds.
#[track_caller]
pub(crate) fn assert_about(left: Option<Duration>, seconds: u64) {
    let left = left.expect("the entry is cached");
    let most = Duration::from_secs(seconds);
    let least = most.saturating_sub(Duration::from_secs(10));
    assert!(
        left <= most && left > least,
        "{left:?} is not about {seconds} s"
    );
}
