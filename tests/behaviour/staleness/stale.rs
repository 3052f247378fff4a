//! `stale` (stale-while-revalidate): an expired entry is served while one caller recomputes it.

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

/// Store the first value, and let it turn stale.
pub(crate) async fn stale_row(place: &Place) -> Work {
    let work = place.work();
    assert_eq!(row(work.clone(), 1).await, 1);
    place.turns_stale("rows:1").await;
    work
}

#[tokio::test]
async fn all_callers_get_the_stale_value_while_one_run_refreshes_it() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        // The gate is closed, so a call that waited for the body would hang.
        for _ in 0..10 {
            assert_eq!(soon(row(work.clone(), 1)).await, 1);
        }
        work.gate.reached_by(1).await;
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(work.runs.count(), 2);
        // A fill is counted after the reply of Redis, and can be read shortly before that.
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

/// Return the number of misses of explicit `get`s, which count too.
fn stats_of_get(cache: &Cache) -> u64 {
    let stats = cache.stats();
    let sites: u64 = stats.sites.iter().map(|site| site.misses).sum();
    stats.misses - sites
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_callers_of_a_stale_value_make_one_run() {
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
async fn an_entry_past_its_stale_time_is_a_miss() {
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
            "the call waits for a new value"
        );
        assert_eq!(place.cache.stats().stale, 0);
    })
    .await;
}

#[tokio::test]
async fn past_the_stale_time_a_call_waits_for_the_running_refresh() {
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
        assert_eq!(work.runs.count(), 2, "the call does not run the body");
        work.gate.open();
        assert_eq!(soon(waits).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn operations_and_functions_without_stale_ignore_a_stale_value() {
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
async fn ttl_and_other_operations_end_when_an_entry_turns_stale() {
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
async fn an_entry_of_the_refresh_companion_is_served_stale() {
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(row_refresh(work.clone(), 1).await, 1);
        place.turns_stale("rows:1").await;
        assert_eq!(
            row(work.clone(), 1).await,
            1,
            "the stale value is served during the refresh"
        );
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(row_refresh(work.clone(), 1).await, 3);
        place.turns_stale("rows:1").await;
        assert_eq!(
            row_refresh(work.clone(), 1).await,
            4,
            "the refresh replaces the stale value"
        );
        until_stored(&place.cache, "rows:1", 4).await;
    })
    .await;
}

#[tokio::test]
async fn get_many_returns_fresh_entries_and_no_stale_ones() {
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
fn a_caller_that_read_before_a_refresh_was_stored_does_not_refresh_again() {
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
