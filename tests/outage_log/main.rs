//! Log lines of an outage. The cache's own thread writes them, so the subscriber has to be that of
//! the process, and this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Fault, Proxy, RedisServer, keep_operator_log, operator_log, until_well};
use tokio::sync::Notify;
use tracing::Level;

fn logged() -> Vec<(Level, String)> {
    std::mem::take(&mut *operator_log())
}

#[cacheable(key = "rows:<<id>>")]
async fn row(id: u32) -> u32 {
    id
}

#[cacheable(key = "slow:<<id>>", skip(gate))]
async fn slow_row(gate: &(Notify, Notify), id: u32) -> u32 {
    gate.0.notify_one();
    gate.1.notified().await;
    id
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update_row(id: u32) -> u32 {
    id
}

/// Use everything that can notice an outage: reads, writes and explicit operations.
async fn use_it(cache: &Cache) {
    for id in 0..50 {
        assert_eq!(cache.scope(row(id)).await, id);
        assert_eq!(cache.scope(update_row(id)).await, id);
    }
    let _ = cache.set("rows:1", &1, 60).await;
    let _ = cache.get::<u32>("rows:1").await;
    let _ = cache.health_check().await;
}

#[tokio::test]
async fn an_outage_and_its_end_are_each_logged_once() {
    keep_operator_log();
    let server = RedisServer::start_with(&["--requirepass", "sesame"]);
    let proxy = Proxy::before(server.port());
    let url = proxy.url().replace("redis://", "redis://:sesame@");
    let cache = Cache::builder().prefix("app").redis(url).build().unwrap();
    use_it(&cache).await;
    assert_eq!(logged(), [], "nothing is logged without an outage");
    for (id, fault) in (0..).zip([Fault::Refuse, Fault::Silent, Fault::Corrupt]) {
        let gate = (Notify::new(), Notify::new());
        let outage = async {
            gate.0.notified().await;
            proxy.set(fault);
            gate.1.notify_one();
        };
        tokio::join!(cache.scope(slow_row(&gate, id)), outage);
        use_it(&cache).await;
        let (levels, lines): (Vec<Level>, Vec<String>) = logged().into_iter().unzip();
        assert_eq!(levels, [Level::WARN], "{fault:?}: {lines:?}");
        assert!(lines[0].contains("Redis is down"), "{lines:?}");
        assert!(!lines[0].contains("sesame"), "{lines:?}");

        proxy.set(Fault::None);
        until_well(&cache).await;
        use_it(&cache).await;
        let (levels, lines): (Vec<Level>, Vec<String>) = logged().into_iter().unzip();
        assert_eq!(levels, [Level::INFO], "{fault:?}: {lines:?}");
        assert!(lines[0].contains("Redis is back"), "{lines:?}");
    }
}
