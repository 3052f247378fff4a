//! Helpers that the modules share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::Cache;
use tests::{PATIENCE, RedisServer};

/// Counts the runs of a body. The functions under test take it as a skipped argument.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(Arc<AtomicU32>);

impl Runs {
    /// Count one run and return its number, from 1.
    pub(crate) fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Return the number of runs so far.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Return a cache on the embedded store.
pub(crate) fn memory() -> Cache {
    Cache::builder().prefix("reports").build().unwrap()
}

/// Return a cache on this server.
pub(crate) fn on_redis(server: &RedisServer) -> Cache {
    let builder = Cache::builder().prefix("reports").redis(server.url());
    builder.response_timeout(PATIENCE).build().unwrap()
}

/// Await a future that must not hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("this hangs")
}
