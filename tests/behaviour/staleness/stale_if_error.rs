//! `stale_if_error`: the expired value instead of an error, and a pause before the next try.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::cacheable;

use crate::staleness::support::{Place, Work, on, on_both, until, until_stored};
use tests::soon;

/// Whether the body errs: the number of the run either way.
#[derive(Clone, Default)]
struct Broken(Arc<AtomicBool>);

impl Broken {
    fn end(&self, run: u32) -> Result<u32, u32> {
        if self.0.load(Ordering::SeqCst) {
            return Err(run);
        }
        Ok(run)
    }

    fn breaks(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_repaired(&self) {
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
        broken.breaks();
        let began = Instant::now();
        assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
        assert_eq!(work.runs.count(), 2, "it was tried");
        for _ in 0..20 {
            assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
        }
        // On Redis the second of the pause passes while a slow machine counts to twenty.
        if place.server.is_none() || began.elapsed() < Duration::from_millis(900) {
            assert_eq!(work.runs.count(), 2, "nobody tries in the pause");
            let stats = place.cache.stats();
            assert_eq!((stats.stale, stats.fills), (21, 1));
        }
        place.pass(Duration::from_secs(1));
        until("it is tried after the pause", || async {
            assert_eq!(row(work.clone(), broken.clone()).await, Ok(1));
            work.runs.count() >= 3
        })
        .await;
        broken.is_repaired();
        place.pass(Duration::from_secs(1));
        until("it is fresh again", || async {
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
async fn one_caller_tries_and_all_share_the_outcome() {
    on_both(|place| async move {
        for errs in [true, false] {
            place.cache.clear().await.unwrap();
            let (work, broken) = expired_row(&place).await;
            if errs {
                broken.breaks();
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
            assert_eq!(work.runs.count(), 2, "one has tried, errs: {errs}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_try_once() {
    let place = Place::redis();
    let other = on(place.server.as_ref().unwrap());
    let (work, broken) = place.cache.scope(expired_row(&place)).await;
    broken.breaks();
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
async fn what_was_invalidated_meanwhile_is_not_served() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        broken.breaks();
        let call = row(work.clone(), broken.clone());
        let tries = tests::begin(&place.cache, call).await;
        work.gate.reached_by(1).await;
        assert!(row_invalidate(work.clone(), broken.clone()).await.unwrap());
        work.gate.open();
        assert_eq!(
            soon(tries).await.unwrap(),
            Err(2),
            "what was deleted is served to nobody"
        );
        assert_eq!(row(work.clone(), broken.clone()).await, Err(3));
    })
    .await;
}

#[tokio::test]
async fn past_its_time_the_error_is_the_callers() {
    #[cacheable(key = "short", ttl = work.life, stale_if_error = "100ms", skip(work, broken), companions = false)]
    async fn short(work: &Work, broken: &Broken) -> Result<u32, u32> {
        broken.end(work.run_through())
    }
    on_both(|place| async move {
        let (work, broken) = (place.work(), Broken::default());
        assert_eq!(short(&work, &broken).await, Ok(1));
        place.turns_stale("short").await;
        place.pass(Duration::from_millis(100));
        broken.breaks();
        assert_eq!(short(&work, &broken).await, Err(2));
    })
    .await;
}

#[tokio::test]
async fn a_sync_function_keeps_it_too() {
    on_both(|place| async move {
        let (work, broken) = expired_row(&place).await;
        broken.breaks();
        let cache = place.cache.clone();
        let call = {
            let (work, broken) = (work.clone(), broken.clone());
            move || cache.scope_sync(|| [row_sync(&work, &broken), row_sync(&work, &broken)])
        };
        let values = tokio::task::spawn_blocking(call).await.unwrap();
        assert_eq!(values, [Ok(1), Ok(1)]);
        broken.is_repaired();
        place.pass(Duration::from_secs(1));
        until("it is fresh again", || async {
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
async fn with_both_the_caller_that_pays_is_spared_the_error() {
    on_both(|place| async move {
        let (work, broken) = (place.work(), Broken::default());
        work.gate.open();
        assert_eq!(both(&work, &broken).await, Ok(1));
        place.turns_stale("both").await;
        broken.breaks();
        assert_eq!(both(&work, &broken).await, Ok(1));
        assert_eq!(work.runs.count(), 2);
        broken.is_repaired();
        place.pass(Duration::from_secs(1));
        until("it is fresh again", || async {
            both(&work, &broken).await.unwrap() > 1
        })
        .await;
        until_stored(&place.cache, "both", work.runs.count()).await;
    })
    .await;
}
