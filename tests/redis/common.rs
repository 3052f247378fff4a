//! What these tests wait for.

use std::future::Future;
use std::time::{Duration, Instant};

use cache_runtime::Cache;

/// Waits until the condition holds, which it must within half a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

/// Waits until the cache's probe has found the server well.
pub(crate) async fn until_well(cache: &Cache) {
    until("the probe notices", || async {
        cache.health_check().await.is_ok()
    })
    .await;
}
