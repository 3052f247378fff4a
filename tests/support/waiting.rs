//! Polling for a condition, with a limit that only a hang reaches.

use std::future::Future;
use std::time::{Duration, Instant};

use cache_runtime::Cache;

/// The longest that a condition may take: a failover of Sentinel is elections and pauses.
const LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(1);

/// Wait until the condition holds. Panic with its name if that takes longer than 90 seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + LIMIT;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Block the thread until the condition holds, like [`until`].
pub fn until_blocking(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(PAUSE);
    }
}

/// Wait until the cache's health check passes, as it does when the probe has found the server.
pub async fn until_well(cache: &Cache) {
    until("the health check passes", || async {
        cache.health_check().await.is_ok()
    })
    .await;
}

/// Await a future that must not hang.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it ends within 20 seconds")
}
