//! Where a background refresh runs, and with which cache and subscriber.

use cache_runtime::cacheable;
use tests::{events_of, soon};
use tracing::Level;

use crate::staleness::stale::row;
use crate::staleness::support::{LIFE, Place, Work, on_both, until_stored};

#[cacheable(key = "rows:<<id>>", ttl = work.life, stale = "10m", skip(work), companions = false)]
fn row_sync(work: Work, id: u32) -> u32 {
    let run = work.run_through();
    if run > 1 {
        work.gate.pass_blocking();
    }
    run
}

#[tokio::test]
async fn a_sync_function_is_served_stale_and_refreshed() {
    on_both(|place| async move {
        let work = place.work();
        let cache = place.cache.clone();
        let call = |work: Work| {
            let cache = cache.clone();
            tokio::task::spawn_blocking(move || cache.scope_sync(|| row_sync(work, 1)))
        };
        assert_eq!(call(work.clone()).await.unwrap(), 1);
        place.turns_stale("rows:1").await;
        for _ in 0..3 {
            assert_eq!(soon(call(work.clone())).await.unwrap(), 1);
        }
        work.gate.reached_by(1).await;
        assert_eq!(work.runs.count(), 2);
        work.gate.open();
        until_stored(&cache, "rows:1", 2).await;
    })
    .await;
}

#[test]
fn without_a_runtime_the_refresh_runs_in_the_background() {
    let place = Place::redis();
    let work = place.work();
    work.gate.open();
    let key = "rows:1";
    let read = || futures_executor::block_on(place.cache.scope(row(work.clone(), 1)));
    assert_eq!(read(), 1);
    let blocking = place.cache.blocking();
    let wait_for = |value| {
        tests::until_blocking("the refresh is stored", || {
            blocking.get::<u32>(key).unwrap() == Some(value)
        });
    };
    place.pass(LIFE);
    assert_eq!(read(), 1);
    wait_for(2);
    place.pass(LIFE);
    let from_a_thread = || place.cache.scope_sync(|| row_sync(work.clone(), 1));
    assert_eq!(from_a_thread(), 2);
    wait_for(3);
}

#[cacheable(key = "outer", ttl = work.life, stale = "10m", skip(work), companions = false)]
async fn outer(work: Work) -> u32 {
    inner().await;
    work.run_through()
}

#[cacheable(key = "inner", companions = false)]
async fn inner() -> u32 {
    7
}

#[tokio::test]
async fn a_refresh_uses_its_callers_cache() {
    on_both(|place| async move {
        let work = place.work();
        outer(work.clone()).await;
        place.turns_stale("outer").await;
        place.cache.delete("inner").await.unwrap();
        assert_eq!(outer(work.clone()).await, 1);
        until_stored(&place.cache, "outer", 2).await;
        assert_eq!(place.cache.get::<u32>("inner").await.unwrap(), Some(7));
    })
    .await;
}

#[test]
fn a_stale_hit_is_logged_and_so_is_its_refresh() {
    #[cacheable(key = "seen", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn seen(work: Work) -> u32 {
        work.run_through()
    }
    let events = events_of(Level::DEBUG, || {
        // The workers don't have this thread's subscriber, so the refresh has to carry it.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let place = Place::memory();
            let work = place.work();
            let cache = place.cache.clone();
            let test = async {
                seen(work.clone()).await;
                place.turns_stale("seen").await;
                seen(work.clone()).await;
                until_stored(&place.cache, "seen", 2).await;
            };
            cache.scope(test).await;
        });
    });
    let ops: Vec<&str> = events.iter().map(|event| &*event.op).collect();
    assert_eq!(ops, ["call", "miss", "set", "call", "stale", "set"]);
    let stale = &events[4];
    assert_eq!(stale.message, "[Cache] STALE: quickpost:seen");
    assert_eq!(stale.function, "seen");
}
