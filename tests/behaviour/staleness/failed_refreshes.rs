//! Refreshes that fail, panic, or lose their runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::cacheable;

use crate::staleness::support::{Place, Work, on_both, until, until_stored};
use tests::soon;

/// Whether later bodies fail or panic.
#[derive(Clone, Default)]
struct Mood {
    errs: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Mood {
    fn end(&self, run: u32) -> Result<u32, String> {
        assert!(!self.panics.load(Ordering::SeqCst), "a panic of the test");
        if self.errs.load(Ordering::SeqCst) {
            return Err(format!("run {run}"));
        }
        Ok(run)
    }
}

#[cacheable(key = "owned", ttl = work.life, stale = "10m", skip(work, mood), companions = false)]
async fn owned(work: Work, mood: Mood) -> Result<u32, String> {
    mood.end(work.run_through())
}

#[cacheable(key = "borrowed", ttl = work.life, stale = "10m", skip(work, mood), companions = false)]
async fn borrowed(work: &Work, mood: &Mood) -> Result<u32, String> {
    let run = work.run().await;
    mood.end(run)
}

#[tokio::test]
async fn an_error_of_a_background_refresh_reaches_no_caller_and_is_followed_by_a_pause() {
    on_both(|place| async move {
        let (work, mood) = (place.work(), Mood::default());
        assert_eq!(owned(work.clone(), mood.clone()).await, Ok(1));
        place.turns_stale("owned").await;
        mood.errs.store(true, Ordering::SeqCst);
        let first = std::time::Instant::now();
        assert_eq!(owned(work.clone(), mood.clone()).await, Ok(1));
        until("the refresh fails", || async {
            work.holders() == 1 && work.runs.count() == 2
        })
        .await;
        for _ in 0..20 {
            assert_eq!(owned(work.clone(), mood.clone()).await, Ok(1));
        }
        // On Redis, time is real, and the pause of a second may pass during twenty calls.
        if place.server.is_none() || first.elapsed() < Duration::from_millis(900) {
            assert_eq!(work.runs.count(), 2, "no refresh runs during the pause");
        }
        mood.errs.store(false, Ordering::SeqCst);
        place.pass(Duration::from_secs(1));
        until("a refresh runs after the pause", || async {
            owned(work.clone(), mood.clone()).await.unwrap() > 1
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_refreshes_gets_its_own_error() {
    on_both(|place| async move {
        let (work, mood) = (place.work(), Mood::default());
        work.gate.open();
        assert_eq!(borrowed(&work, &mood).await, Ok(1));
        place.turns_stale("borrowed").await;
        mood.errs.store(true, Ordering::SeqCst);
        assert_eq!(borrowed(&work, &mood).await, Err("run 2".to_owned()));
        mood.errs.store(false, Ordering::SeqCst);
        // The claim is released. On Redis, this takes a moment.
        until("the next caller refreshes", || async {
            borrowed(&work, &mood).await == Ok(3)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_refresh_that_panics_releases_its_claim() {
    on_both(|place| async move {
        let (work, mood) = (place.work(), Mood::default());
        assert_eq!(owned(work.clone(), mood.clone()).await, Ok(1));
        place.turns_stale("owned").await;
        mood.panics.store(true, Ordering::SeqCst);
        assert_eq!(owned(work.clone(), mood.clone()).await, Ok(1));
        until("the refresh panics", || async {
            work.holders() == 1 && work.runs.count() == 2
        })
        .await;
        mood.panics.store(false, Ordering::SeqCst);
        until("another caller refreshes", || async {
            owned(work.clone(), mood.clone()).await.unwrap() > 1
        })
        .await;
        assert_eq!(work.runs.count(), 3);
    })
    .await;
}

#[tokio::test]
async fn dropping_a_caller_that_refreshes_releases_its_claim() {
    on_both(|place| async move {
        let (work, mood) = (place.work(), Mood::default());
        assert_eq!(borrowed(&work, &mood).await, Ok(1));
        place.turns_stale("borrowed").await;
        let leaving = {
            let (work, mood) = (work.clone(), mood.clone());
            let call = async move { borrowed(&work, &mood).await };
            tokio::spawn(place.cache.scope(call))
        };
        work.gate.reached_by(1).await;
        assert_eq!(
            soon(borrowed(&work, &mood)).await,
            Ok(1),
            "other callers get the stale value"
        );
        leaving.abort();
        assert!(leaving.await.unwrap_err().is_cancelled());
        work.gate.open();
        until("another caller refreshes", || async {
            borrowed(&work, &mood).await == Ok(3)
        })
        .await;
    })
    .await;
}

#[test]
fn the_end_of_the_runtime_releases_the_claim() {
    #[cacheable(key = "gated", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn gated(work: Work) -> u32 {
        work.run().await
    }
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    for place in [Place::memory(), Place::redis()] {
        let work = place.work();
        let first = runtime();
        first.block_on(place.cache.scope(async {
            assert_eq!(gated(work.clone()).await, 1);
            place.turns_stale("gated").await;
            assert_eq!(gated(work.clone()).await, 1);
            work.gate.reached_by(1).await;
        }));
        drop(first);
        assert_eq!(work.holders(), 1, "the body was dropped with its runtime");
        work.gate.open();
        runtime().block_on(place.cache.scope(async {
            until("another caller refreshes", || async {
                gated(work.clone()).await > 1
            })
            .await;
            until_stored(&place.cache, "gated", 3).await;
        }));
    }
}
