//! `stale_if_error`: an expired value is served instead of an error, and a pause follows before the
//! next run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::cacheable;

use crate::staleness::support::{Place, Work, on, on_both, until, until_stored};
use tests::soon;

/// Whether the body fails. It returns the number of its run in either case.
#[derive(Clone, Default)]
struct Broken(Arc<AtomicBool>);

impl Broken {
    fn end(&self, run: u32) -> Result<u32, u32> {
        if self.0.load(Ordering::SeqCst) {
            return Err(run);
        }
        Ok(run)
    }

    fn break_it(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn repair(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cacheable(key = "row", ttl = work.life, stale_if_error = "1h", skip(work, broken))]
async fn row(work: Work, broken: Broken) -> Result<u32, u32> {
    broken.end(work.run().await)
}

#[cacheable(key = "row", ttl = work.life, stale_if_error = "1h", skip(work, broken), companions = false)]
fn row_sync(work: &Work, broken: &Broken) -> Result<u32, u32> {
    broken.end(work.run_through())
}

async fn expired_row(place: &Place) -> (Work, Broken) {
    let (work, broken) = (place.work(), Broken::default());
    assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
    place.turns_stale("row").await;
    (work, broken)
}

#[tokio::test]
async fn the_expired_value_is_served_instead_of_an_error() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        work.gate.open();
        broken.break_it();
        let began = Instant::now();
        assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
        assert_eq!(work.runs.count(), 2, "the body ran");
        for _ in 0..20 {
            assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
        }
        // On Redis, time is real, and the pause of a second may pass during twenty calls.
        if place.server.is_none() || began.elapsed() < Duration::from_millis(900) {
            assert_eq!(work.runs.count(), 2, "no body runs during the pause");
            let stats = place.cache.stats();
            assert_eq!((stats.stale, stats.fills), (21, 1));
        }
        place.pass(Duration::from_secs(1));
        until("a body runs after the pause", || async {
            assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
            work.runs.count() >= 3
        })
        .await;
        broken.repair();
        place.pass(Duration::from_secs(1));
        until("a fresh value is stored", || async {
            row(work.clone(), broken.clone()).await.unwrap() > 3
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn callers_wait_for_a_body_that_succeeds() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        work.gate.open();
        assert_eq!(row(work.clone(), broken.clone()).await, Ok(2));
        assert_eq!(place.cache.get::<u32>("row").await.unwrap(), Some(2));
        assert_eq!(place.cache.stats().stale, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_callers_share_the_outcome_of_one_run() {
    on_both(|place| async move {
        for errs in [true, false] {
            place.cache.clear().await.unwrap();
            let (work, broken) = expired_row(&place).await;
            if errs {
                broken.break_it();
            }
            let mut calls = Vec::new();
            for _ in 0..5 {
                let call = row(work.clone(), broken.clone());
                calls.push(tests::begin(&place.cache, call).await);
            }
            work.gate.open();
            for value in tests::all(calls).await {
                assert_eq!(value, Ok(if errs { 1 } else { 2 }));
            }
            assert_eq!(work.runs.count(), 2, "one run, failing: {errs}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_two_processes_share_one_failing_run() {
    let place = Place::redis();
    let other = on(place.server.as_ref().unwrap());
    let (work, broken) = place.cache.scope(expired_row(&place)).await;
    broken.break_it();
    let tries = tests::begin(&place.cache, row(work.clone(), broken.clone())).await;
    work.gate.reached_by(1).await;
    let waits = tests::begin(&other, row(work.clone(), broken.clone())).await;
    let began = Instant::now();
    work.gate.open();
    assert_eq!(soon(tries).await.unwrap(), Ok(1));
    assert_eq!(soon(waits).await.unwrap(), Ok(1));
    if began.elapsed() < Duration::from_millis(900) {
        assert_eq!(work.runs.count(), 2);
    }
}

#[tokio::test]
async fn an_expired_value_invalidated_during_the_body_is_not_served() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        broken.break_it();
        let call = row(work.clone(), broken.clone());
        let tries = tests::begin(&place.cache, call).await;
        work.gate.reached_by(1).await;
        assert!(row_invalidate(work.clone(), broken.clone()).await.unwrap());
        work.gate.open();
        assert_eq!(
            soon(tries).await.unwrap(),
            Err(2),
            "a deleted value is not served"
        );
        assert_eq!(row(work.clone(), broken.clone()).await, Err(3));
    })
    .await;
}

#[tokio::test]
async fn past_the_stale_time_the_caller_gets_the_error() {
    #[cacheable(key = "short", ttl = work.life, stale_if_error = "100ms", skip(work, broken), companions = false)]
    async fn short(work: &Work, broken: &Broken) -> Result<u32, u32> {
        broken.end(work.run_through())
    }
    on_both(|place| async move {
        let (work, broken) = (place.work(), Broken::default());
        assert_eq!(short(&work, &broken).await, Ok(1));
        place.turns_stale("short").await;
        place.pass(Duration::from_millis(100));
        broken.break_it();
        assert_eq!(short(&work, &broken).await, Err(2));
    })
    .await;
}

#[tokio::test]
async fn a_sync_function_serves_the_expired_value() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        broken.break_it();
        let cache = place.cache.clone();
        let call = {
            let (work, broken) = (work.clone(), broken.clone());
            move || cache.scope_sync(|| [row_sync(&work, &broken), row_sync(&work, &broken)])
        };
        let values = tokio::task::spawn_blocking(call).await.unwrap();
        assert_eq!(values, [Ok(1), Ok(1)]);
        broken.repair();
        place.pass(Duration::from_secs(1));
        until("a fresh value is stored", || async {
            let (work, broken, cache) = (work.clone(), broken.clone(), place.cache.clone());
            let call = move || cache.scope_sync(|| row_sync(&work, &broken));
            tokio::task::spawn_blocking(call).await.unwrap().unwrap() > 1
        })
        .await;
    })
    .await;
}

#[cacheable(key = "both", ttl = work.life, stale = "10m", stale_if_error = "1h", skip(work, broken), companions = false)]
async fn both(work: &Work, broken: &Broken) -> Result<u32, u32> {
    broken.end(work.run().await)
}

#[tokio::test]
async fn with_stale_and_stale_if_error_a_refreshing_caller_gets_the_expired_value() {
    on_both(|place| async move {
        let (work, broken) = (place.work(), Broken::default());
        work.gate.open();
        assert_eq!(both(&work, &broken).await, Ok(1));
        place.turns_stale("both").await;
        broken.break_it();
        assert_eq!(both(&work, &broken).await, Ok(1));
        assert_eq!(work.runs.count(), 2);
        broken.repair();
        place.pass(Duration::from_secs(1));
        until("a fresh value is stored", || async {
            both(&work, &broken).await.unwrap() > 1
        })
        .await;
        until_stored(&place.cache, "both", work.runs.count()).await;
    })
    .await;
}
