//! Runs at start and on an interval.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Warm, WarmOutcome, Warmer, cacheable, warmer};
use tests::{Gate, RedisServer, Runs, on_both_stores, until, until_blocking};

use super::super::common::{memory, on_redis};

#[cacheable(key = "topics:<<id>>")]
async fn topic(id: u32) -> String {
    format!("topic {id}")
}

#[warmer("topics", at_start)]
async fn topics(warm: Warm) {
    warm.each(0..5, topic).await;
}

fn counting(runs: &Runs) -> Warmer {
    let runs = runs.clone();
    Warmer::new("counting", move |_| {
        runs.next();
        async {}
    })
}

#[tokio::test]
async fn a_warmer_runs_at_start_in_the_background() {
    on_both_stores(|cache| async move {
        cache.add_warmer(topics_warmer()).unwrap();
        until("it has run", || async { cache.warmers()[0].last.is_some() }).await;
        let last = cache.warmers().remove(0).last.unwrap();
        assert_eq!(
            (last.outcome, last.counts.computed),
            (WarmOutcome::Complete, 5)
        );
        assert!(cache.exists("topics:4").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_warmer_runs_on_its_interval() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let begun = Instant::now();
        let interval = Duration::from_millis(40);
        cache.add_warmer(counting(&runs).every(interval)).unwrap();
        until("it has run three times", || async { runs.count() >= 3 }).await;
        assert!(
            begun.elapsed() >= 3 * interval,
            "the first comes after an interval"
        );
    })
    .await;
}

#[tokio::test]
async fn all_processes_together_run_a_warmer_once_an_interval() {
    let server = RedisServer::start();
    let caches = [0; 4].map(|_| on_redis(&server, "app"));
    let runs = Runs::default();
    let begun = Instant::now();
    let interval = Duration::from_millis(300);
    for cache in &caches {
        let warmer = counting(&runs).every(interval).at_start(true);
        cache.add_warmer(warmer).unwrap();
    }
    until("it has run four times", || async { runs.count() >= 4 }).await;
    let intervals = begun.elapsed().as_millis() / interval.as_millis();
    // One at the start; and one may have begun between the two readings.
    assert!(
        u128::from(runs.count()) <= intervals + 2,
        "{} in {intervals}",
        runs.count()
    );
}

#[tokio::test]
async fn another_process_goes_on_when_the_one_that_ran_it_is_gone() {
    let server = RedisServer::start();
    let interval = Duration::from_millis(100);
    let (mine, others) = (Runs::default(), Runs::default());
    let first = on_redis(&server, "app");
    let warmer = counting(&mine).every(interval).at_start(true);
    first.add_warmer(warmer).unwrap();
    until("the first has run it", || async { mine.count() >= 1 }).await;
    let second = on_redis(&server, "app");
    second
        .add_warmer(counting(&others).every(interval))
        .unwrap();
    drop(first);
    until("the second goes on", || async { others.count() >= 2 }).await;
}

#[tokio::test]
async fn a_whole_run_by_name_is_that_of_the_interval_and_one_with_arguments_is_not() {
    let server = RedisServer::start();
    let cache = on_redis(&server, "app");
    let runs = Runs::default();
    let hourly = || counting(&runs).every(Duration::from_secs(3_600));
    cache.add_warmer(hourly()).unwrap();
    let mut connection = server.connect();
    let mut marker = || -> (Option<String>, i64) {
        let mut both = redis::pipe();
        both.get("app#warm:counting").pttl("app#warm:counting");
        both.query(&mut connection).unwrap()
    };
    cache.warm("counting", vec!["few".into()]).await.unwrap();
    assert_eq!(marker(), (None, -2));
    cache.warm("counting", vec![]).await.unwrap();
    let (done, left) = marker();
    assert_eq!(done.as_deref(), Some("done"));
    assert!((3_500_000..=3_600_000).contains(&left), "{left}");
    // It doesn't keep anybody from running it by name, and is there again afterwards.
    cache.warm("counting", vec!["few".into()]).await.unwrap();
    let (done, again) = marker();
    assert_eq!(done.as_deref(), Some("done"));
    assert!((3_500_000..=left).contains(&again), "{again}");
    // Another process starts.
    let second = on_redis(&server, "app");
    second.add_warmer(hourly().at_start(true)).unwrap();
    until("it may run it", || async {
        second.warm("counting", vec![]).await.is_ok()
    })
    .await;
    assert_eq!(runs.count(), 4);
    assert!(
        second.warmers()[0]
            .last
            .as_ref()
            .is_some_and(|last| last.args.is_empty())
    );
}

#[tokio::test]
async fn a_failed_run_is_no_reason_to_wait_for_other_processes() {
    let server = RedisServer::start();
    let cache = on_redis(&server, "app");
    let failing = Warmer::new("failing", |_| async { Err::<(), _>("no") });
    cache
        .add_warmer(failing.every(Duration::from_secs(3_600)))
        .unwrap();
    let report = cache.warm("failing", vec![]).await.unwrap();
    assert_eq!(report.outcome, WarmOutcome::Failed);
    let mut connection = server.connect();
    let marked: bool = redis::cmd("EXISTS")
        .arg("app#warm:failing")
        .query(&mut connection)
        .unwrap();
    assert!(!marked);
}

#[tokio::test]
async fn a_warmer_runs_when_redis_is_back_if_it_was_gone_at_the_start() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = on_redis(&server, "app");
    cache.add_warmer(topics_warmer()).unwrap();
    until("Redis was asked", || async {
        cache.health_check().await.is_err()
    })
    .await;
    assert_eq!(cache.warmers()[0].last, None);
    server.restart();
    until("it has run", || async { cache.warmers()[0].last.is_some() }).await;
    assert!(cache.exists("topics:0").await.unwrap());
}

#[tokio::test]
async fn the_timer_and_the_arguments_end_with_the_cache() {
    let cache = memory();
    let (argument, runs) = (Arc::new(()), Runs::default());
    let weak = Arc::downgrade(&argument);
    let warmer = Warmer::new("owner", {
        let runs = runs.clone();
        move |_| {
            let _ = &argument;
            runs.next();
            async {}
        }
    });
    cache
        .add_warmer(warmer.every(Duration::from_millis(5)))
        .unwrap();
    until("it runs", || async { runs.count() >= 2 }).await;
    drop(cache);
    until("its arguments are dropped", || async {
        weak.upgrade().is_none()
    })
    .await;
}

#[test]
fn a_program_without_a_runtime_warms_on_a_thread_of_the_cache() {
    let server = RedisServer::start();
    for cache in [memory(), on_redis(&server, "app")] {
        cache.add_warmer(topics_warmer()).unwrap();
        until_blocking("it has run", || cache.warmers()[0].last.is_some());
        assert!(cache.blocking().exists("topics:4").unwrap());
    }
}

#[test]
fn a_run_is_dropped_with_its_runtime_and_another_one_can_begin() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    let gate = Gate::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    {
        let _entered = runtime.enter();
        let gate = gate.clone();
        let held = Warmer::new("held", move |_| {
            let gate = gate.clone();
            async move {
                gate.pass().await;
            }
        });
        cache.add_warmer(held.at_start(true)).unwrap();
    }
    runtime.block_on(gate.reached_by(1));
    drop(runtime);
    gate.open();
    let last = cache.warmers().remove(0).last.unwrap();
    assert_eq!(last.outcome, WarmOutcome::Dropped);
    let again = tokio::runtime::Runtime::new().unwrap();
    let report = again.block_on(cache.warm("held", vec![])).unwrap();
    assert_eq!(report.outcome, WarmOutcome::Complete);
}
