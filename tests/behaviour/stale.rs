//! `stale`: past its lifetime an entry is served, while one caller computes it anew.

use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::events_of;
use tracing::Level;

use crate::gate::soon;
use crate::refreshing::{LIFE, Place, Work, on, on_both, until, until_stored};

#[cacheable(key = "rows:<<id>>", ttl = work.life, stale = "10m", skip(work))]
async fn row(work: Work, id: u32) -> u32 {
    work.run().await
}

#[cacheable(key = "rows:<<id>>", ttl = work.life, stale = "10m", skip(work), companions = false)]
fn row_sync(work: Work, id: u32) -> u32 {
    let run = work.run_through();
    if run > 1 {
        work.gate.pass_blocking();
    }
    run
}

#[cacheable(key = "rows:<<id>>", ttl = work.life, skip(work), companions = false)]
async fn row_without_options(work: &Work, id: u32) -> u32 {
    work.run_through()
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(id: u32) {
    let _ = id;
}

#[invalidate(patterns = ["rows:*"])]
async fn update_all() {}

/// The first value, expired.
async fn stale_row(place: &Place) -> Work {
    let work = place.work();
    assert_eq!(row(work.clone(), 1).await, 1);
    place.turns_stale("rows:1").await;
    work
}

#[tokio::test]
async fn all_are_served_at_once_and_one_run_refreshes() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        // The gate is closed: whoever waited for the body would hang here.
        for _ in 0..10 {
            assert_eq!(soon(row(work.clone(), 1)).await, 1);
        }
        work.gate.reached_by(1).await;
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(work.runs.count(), 2);
        let stats = place.cache.stats();
        assert_eq!((stats.stale, stats.fills), (10, 2));
        assert_eq!(stats.misses - stats_of_get(&place.cache), 1);
    })
    .await;
}

/// Misses of explicit `get`s, which count too.
fn stats_of_get(cache: &Cache) -> u64 {
    let stats = cache.stats();
    let sites: u64 = stats.sites.iter().map(|site| site.misses).sum();
    stats.misses - sites
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_the_same_moment_make_one_run() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        let calls: Vec<_> = (0..50)
            .map(|_| tokio::spawn(place.cache.scope(row(work.clone(), 1))))
            .collect();
        for call in calls {
            assert_eq!(soon(call).await.unwrap(), 1);
        }
        work.gate.reached_by(1).await;
        assert_eq!(work.runs.count(), 2);
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(work.runs.count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_make_one_run() {
    let place = Place::redis();
    let other = on(place.server.as_ref().unwrap());
    let work = place.cache.scope(stale_row(&place)).await;
    for cache in [&place.cache, &other, &place.cache, &other] {
        let calls = (0..10).map(|_| tokio::spawn(cache.scope(row(work.clone(), 1))));
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(soon(call).await.unwrap(), 1);
        }
    }
    work.gate.reached_by(1).await;
    work.gate.open();
    until_stored(&other, "rows:1", 2).await;
    assert_eq!(work.runs.count(), 2);
}

#[tokio::test]
async fn past_its_stale_time_it_is_a_miss() {
    #[cacheable(key = "short", ttl = work.life, stale = "100ms", skip(work), companions = false)]
    async fn short(work: Work) -> u32 {
        work.run_through()
    }
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(short(work.clone()).await, 1);
        place.turns_stale("short").await;
        place.pass(Duration::from_millis(100));
        assert_eq!(
            short(work.clone()).await,
            2,
            "it is computed, and waited for"
        );
        assert_eq!(place.cache.stats().stale, 0);
    })
    .await;
}

#[tokio::test]
async fn past_its_stale_time_a_refresh_under_way_is_waited_for() {
    #[cacheable(key = "two", ttl = work.life, stale = "2s", skip(work), companions = false)]
    async fn two(work: Work) -> u32 {
        work.run().await
    }
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(two(work.clone()).await, 1);
        place.turns_stale("two").await;
        assert_eq!(two(work.clone()).await, 1);
        work.gate.reached_by(1).await;
        place.pass(Duration::from_secs(2));
        let waits = crate::gate::begin(&place.cache, two(work.clone())).await;
        assert_eq!(work.runs.count(), 2, "it doesn't compute");
        work.gate.open();
        assert_eq!(soon(waits).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_invalidation_ends_staleness() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        work.gate.open();
        update(1).await;
        assert_eq!(row(work.clone(), 1).await, 2, "by key");
        place.turns_stale("rows:1").await;
        update_all().await;
        assert_eq!(row(work.clone(), 1).await, 3, "by pattern");
        place.turns_stale("rows:1").await;
        place.cache.delete("rows:1").await.unwrap();
        assert_eq!(row(work.clone(), 1).await, 4, "by hand");
        assert_eq!(place.cache.stats().stale, 0);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_from_before_an_invalidation_fills_nothing() {
    on_both(|place| async move {
        for by_pattern in [false, true] {
            place.cache.clear().await.unwrap();
            let work = stale_row(&place).await;
            assert_eq!(row(work.clone(), 1).await, 1);
            work.gate.reached_by(1).await;
            if by_pattern {
                update_all().await;
            } else {
                update(1).await;
            }
            // It begins now, and the other is still under way.
            let fresh = tokio::spawn(place.cache.scope(row(work.clone(), 1)));
            work.gate.reached_by(2).await;
            work.gate.open();
            assert_eq!(
                soon(fresh).await.unwrap(),
                3,
                "neither the stale value nor the refresh's"
            );
            until_stored(&place.cache, "rows:1", 3).await;
            // Both have ended when nobody holds the work any more.
            until("the refresh ends", || async { work.holders() == 1 }).await;
            assert_eq!(place.cache.get::<u32>("rows:1").await.unwrap(), Some(3));
        }
    })
    .await;
}

#[tokio::test]
async fn who_asks_without_the_option_gets_nothing_stale() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        let cache = &place.cache;
        assert_eq!(cache.get::<u32>("rows:1").await.unwrap(), None);
        assert_eq!(cache.get_many::<u32>(["rows:1"]).await.unwrap(), [None]);
        assert!(!cache.exists("rows:1").await.unwrap());
        assert_eq!(cache.ttl("rows:1").await.unwrap(), None);
        assert_eq!(row_without_options(&work, 1).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_function_without_the_option_waits_for_the_refresh() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        assert_eq!(row(work.clone(), 1).await, 1);
        work.gate.reached_by(1).await;
        let waits = {
            let work = work.clone();
            let call = async move { row_without_options(&work, 1).await };
            crate::gate::begin(&place.cache, call).await
        };
        work.gate.open();
        assert_eq!(soon(waits).await.unwrap(), 2);
        assert_eq!(work.runs.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn its_lifetime_is_until_it_turns_stale() {
    on_both(|place| async move {
        let mut work = place.work();
        work.life = Duration::from_secs(60);
        row(work, 1).await;
        let left = place.cache.ttl("rows:1").await.unwrap();
        crate::common::assert_about(left, 60);
        assert!(place.cache.exists("rows:1").await.unwrap());
        assert_eq!(
            place.cache.get_many::<u32>(["rows:1"]).await.unwrap(),
            [Some(1)]
        );
        assert!(place.cache.delete("rows:1").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_refresh_companion_keeps_it_servable() {
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(row_refresh(work.clone(), 1).await, 1);
        place.turns_stale("rows:1").await;
        assert_eq!(
            row(work.clone(), 1).await,
            1,
            "stale, and refreshed by another"
        );
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(row_refresh(work.clone(), 1).await, 3);
        place.turns_stale("rows:1").await;
        assert_eq!(
            row_refresh(work.clone(), 1).await,
            4,
            "in place of a stale one"
        );
        until_stored(&place.cache, "rows:1", 4).await;
    })
    .await;
}

#[tokio::test]
async fn a_sync_function_is_served_too() {
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
fn without_a_runtime_the_refresh_runs_beside_the_caches_thread() {
    let place = Place::redis();
    let work = place.work();
    work.gate.open();
    let key = "rows:1";
    let read = || futures_executor::block_on(place.cache.scope(row(work.clone(), 1)));
    assert_eq!(read(), 1);
    let blocking = place.cache.blocking();
    let wait_for = |value| {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while blocking.get::<u32>(key).unwrap() != Some(value) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(1));
        }
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
async fn the_refresh_runs_in_the_callers_scope() {
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
fn a_stale_value_is_an_event() {
    #[cacheable(key = "seen", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn seen(work: Work) -> u32 {
        work.run_through()
    }
    let events = events_of(Level::DEBUG, || {
        // Its workers know nothing of this thread's subscriber: the refresh brings it along.
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

#[tokio::test]
async fn a_claim_whose_holder_died_is_taken_over() {
    // What a process leaves behind that was killed in the middle of a refresh.
    let place = Place::redis();
    let cache = &place.cache;
    let work = place.work();
    work.gate.open();
    cache.scope(row(work.clone(), 1)).await;
    place.turns_stale("rows:1").await;
    let server = place.server.as_ref().unwrap();
    let mut connection = server.connect();
    // A claim of nobody's, which ends in a minute.
    let left: u64 = redis::cmd("PTTL")
        .arg("quickpost:rows:1")
        .query(&mut connection)
        .unwrap();
    let mut claim = 77_u64.to_le_bytes().to_vec();
    claim.extend((left - 60_000).to_le_bytes());
    let _: u64 = redis::cmd("SETRANGE")
        .arg("quickpost:rows:1")
        .arg(16)
        .arg(claim)
        .query(&mut connection)
        .unwrap();
    assert_eq!(cache.scope(row(work.clone(), 1)).await, 1);
    assert_eq!(work.runs.count(), 1, "the claim stands");
    place.pass(Duration::from_secs(60));
    assert_eq!(cache.scope(row(work.clone(), 1)).await, 1);
    until_stored(cache, "rows:1", 2).await;
}

#[tokio::test]
async fn a_living_holder_renews_its_claim() {
    let place = Place::redis_with(|builder| builder.lease(Duration::from_millis(300)));
    let (cache, work) = (&place.cache, place.work());
    let test = async {
        row(work.clone(), 1).await;
        place.turns_stale("rows:1").await;
        row(work.clone(), 1).await;
        work.gate.reached_by(1).await;
        let mut connection = place.server.as_ref().unwrap().connect();
        let mut claim_end = || -> Vec<u8> {
            let mut read = redis::cmd("GETRANGE");
            read.arg("quickpost:rows:1").arg(24).arg(31);
            read.query(&mut connection).unwrap()
        };
        let first = claim_end();
        assert_ne!(first, [0; 8]);
        // It is counted from the entry's end, so a later one is a smaller number.
        until("it is renewed", || {
            let later = number(&claim_end()) + 150 < number(&first);
            async move { later }
        })
        .await;
        work.gate.open();
        until_stored(cache, "rows:1", 2).await;
    };
    cache.scope(test).await;
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

#[tokio::test]
async fn a_value_that_is_not_stored_ends_what_it_outdates() {
    #[cacheable(key = "gone", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn gone(work: Work) -> Option<u32> {
        match work.run_through() {
            1 => Some(1),
            _ => None,
        }
    }
    #[cacheable(key = "draft", ttl = work.life, stale = "10m", skip(work), unless = |run| *run > 1, companions = false)]
    async fn draft(work: &Work) -> u32 {
        work.run_through()
    }
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(gone(work.clone()).await, Some(1));
        place.turns_stale("gone").await;
        assert_eq!(gone(work.clone()).await, Some(1));
        until("the background finds nothing", || async {
            gone(work.clone()).await.is_none()
        })
        .await;
        let work = place.work();
        assert_eq!(draft(&work).await, 1);
        place.turns_stale("draft").await;
        assert_eq!(draft(&work).await, 2);
        // On Redis the deletion is under way.
        until("nothing stands", || async { draft(&work).await > 2 }).await;
        let waiting = place.cache.stats().stale;
        draft(&work).await;
        assert_eq!(place.cache.stats().stale, waiting);
    })
    .await;
}

#[tokio::test]
async fn many_of_which_some_are_stale() {
    on_both(|place| async move {
        let work = place.work();
        work.gate.open();
        for id in 0..3 {
            row(work.clone(), id).await;
        }
        place.turns_stale("rows:2").await;
        let mut lasting = work.clone();
        lasting.life = Duration::from_secs(60);
        row_refresh(lasting, 1).await;
        place.cache.set("plain", &9_u32, 60).await.unwrap();
        let keys = ["rows:0", "rows:1", "rows:2", "plain", "nothing"];
        let found = place.cache.get_many::<u32>(keys).await.unwrap();
        assert_eq!(found, [None, Some(4), None, Some(9), None]);
    })
    .await;
}
