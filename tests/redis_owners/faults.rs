//! Owners while Redis fails.

use cache_runtime::CacheError;
use redis::Commands;
use tests::{Fault, Gate, Proxy, RedisServer, Runs, until};

use crate::{builder, file, fill, thumbnail};

#[tokio::test]
async fn no_read_is_stale_after_an_owners_invalidation_during_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = builder(proxy.url())
        .response_timeout(std::time::Duration::from_millis(500))
        .invalidation_timeout(std::time::Duration::from_millis(500))
        .build()
        .unwrap();
    for fault in [Fault::Refuse, Fault::Silent] {
        let (gate, runs) = (Gate::new(), Runs::default());
        gate.open();
        fill(&cache, 1, 0..2).await;
        cache.scope(thumbnail(1, 1, &gate)).await;
        proxy.set(fault);
        assert!(cache.invalidate_owner(1).await.is_err());
        assert!(server.connect().exists::<_, bool>("app:file:1:0").unwrap());
        proxy.set(Fault::None);
        until("the entries are gone", || async {
            // Until then, reads run uncached.
            cache.scope(thumbnail(1, 1, &gate)).await;
            let before = runs.count();
            cache.scope(file(1, 0, &runs)).await;
            assert!(
                before > 0 || runs.count() == 1,
                "the first read after it is no hit"
            );
            cache.owner_stats(1).await.is_ok()
        })
        .await;
        assert!(gate.count() > 1, "{fault:?}");
    }
}

#[tokio::test]
async fn the_statistics_of_an_owner_fail_without_redis_and_its_calls_are_counted_later() {
    let mut server = RedisServer::start();
    let cache = builder(server.url()).build().unwrap();
    fill(&cache, 1, 0..2).await;
    assert_eq!(cache.owner_stats(1).await.unwrap().misses, 2);
    server.kill();
    fill(&cache, 1, 0..2).await;
    let error = cache.owner_stats(1).await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
    fill(&cache, 1, 0..3).await;
    server.restart();
    until("Redis is back", || async {
        cache.owner_stats(1).await.is_ok()
    })
    .await;
    // The server was empty when it came back.
    assert_eq!(cache.owner_stats(1).await.unwrap().misses, 5);
}
