//! `stale`: past its lifetime an entry is served, while one caller computes it anew.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};

use crate::staleness::support::{LIFE, Place, Work, on_both, until, until_stored};
use tests::soon;

#[cacheable(key = "rows:<<id>>", ttl = work.life, stale = "10m", skip(work))]
pub(crate) async fn row(work: Work, id: u32) -> u32 {
    work.run().await
}

#[cacheable(key = "rows:<<id>>", ttl = work.life, skip(work), companions = false)]
async fn row_without_options(work: &Work, id: u32) -> u32 {
    work.run_through()
}

/// The first value, expired.
pub(crate) async fn stale_row(place: &Place) -> Work {
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
        // A fill is counted when Redis has answered, and seen a moment before.
        until("the fill is counted", || async {
            place.cache.stats().fills == 2
        })
        .await;
        let stats = place.cache.stats();
        assert_eq!(stats.stale, 10);
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
        let waits = tests::begin(&place.cache, two(work.clone())).await;
        assert_eq!(work.runs.count(), 2, "it doesn't compute");
        work.gate.open();
        assert_eq!(soon(waits).await.unwrap(), 2);
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
            tests::begin(&place.cache, call).await
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

#[test]
fn who_looked_before_a_refresh_landed_makes_no_second_one() {
    #[cacheable(key = "raced", ttl = work.life, stale = "10m", skip(work), companions = false)]
    fn raced(work: &Work) -> u32 {
        work.run_through()
    }
    let place = Place::memory();
    let work = place.work();
    let callers = 4;
    place.cache.scope_sync(|| raced(&work));
    for round in 2..2_000 {
        place.pass(LIFE);
        let start = std::sync::Barrier::new(callers);
        std::thread::scope(|threads| {
            for _ in 0..callers {
                threads.spawn(|| {
                    start.wait();
                    place.cache.scope_sync(|| raced(&work));
                });
            }
        });
        assert_eq!(work.runs.count(), round);
    }
}
