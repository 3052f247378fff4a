//! Helpers that the modules share.

use cache_runtime::Cache;
use tests::{PATIENCE, RedisServer};
pub(crate) use tests::{Runs, soon};

/// Return a cache on the embedded store.
pub(crate) fn memory() -> Cache {
    Cache::builder().prefix("reports").build().unwrap()
}

/// Return a cache on this server.
pub(crate) fn on_redis(server: &RedisServer) -> Cache {
    let builder = Cache::builder().prefix("reports").redis(server.url());
    builder.response_timeout(PATIENCE).build().unwrap()
}
