//! Runs by name, their reports and their leases.

use std::time::Duration;

use cache_runtime::{Cache, CacheError, Warm, WarmOutcome, Warmer, cacheable, context, warmer};
use tests::{Gate, RedisServer, events_of, on_both_stores, on_both_stores_with, soon};
use tracing::Level;

use super::super::common::{memory, on_redis};

#[cacheable(key = "topics:<<id>>")]
async fn topic(id: u32) -> String {
    format!("topic {id}")
}

/// The topics of the
/// front page.
///
/// More of it.
#[warmer("topics", concurrency = 2)]
async fn topics(warm: Warm, most: u32) -> Result<(), std::num::ParseIntError> {
    if warm.args().is_empty() {
        warm.each(0..most, topic).await;
        return Ok(());
    }
    for text in warm.args() {
        let id: u32 = text.parse()?;
        warm.each([id], topic).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_warmer_runs_by_its_name_and_reports() {
    on_both_stores(|cache| async move {
        cache.add_warmer(topics_warmer(5)).unwrap();
        let report = cache.warm("topics", vec![]).await.unwrap();
        assert_eq!(
            (&*report.warmer, report.outcome),
            ("topics", WarmOutcome::Complete)
        );
        assert_eq!((report.counts.items, report.counts.computed), (5, 5));
        let few = vec!["3".to_owned(), "7".to_owned()];
        let report = cache.warm("topics", few.clone()).await.unwrap();
        assert_eq!((report.counts.fresh, report.counts.computed), (1, 1));
        assert_eq!((&report.args, &report.error), (&few, &None));
        assert!(report.took > Duration::ZERO && report.began > 1_700_000_000_000);

        let info = cache.warmers().remove(0);
        assert_eq!(info.name, "topics");
        assert_eq!(info.description, "The topics of the front page.");
        assert_eq!(
            (info.concurrency, info.every, info.at_start),
            (2, None, false)
        );
        assert_eq!((info.running, info.last), (None, Some(report)));
    })
    .await;
}

#[tokio::test]
async fn an_error_and_a_panic_are_reported_and_the_warmer_can_run_again() {
    on_both_stores(|cache| async move {
        cache.add_warmer(topics_warmer(5)).unwrap();
        let panicking = Warmer::new("panicking", |warm: Warm| async move {
            warm.each([1], topic).await;
            let items = warm.counts().items;
            assert_eq!(items, 0, "it goes on");
        });
        cache.add_warmer(panicking).unwrap();
        let wrong = vec!["1".to_owned(), "one".to_owned(), "2".to_owned()];
        let report = cache.warm("topics", wrong).await.unwrap();
        assert_eq!(report.outcome, WarmOutcome::Failed);
        assert_eq!(
            report.error.as_deref(),
            Some("ParseIntError { kind: InvalidDigit }")
        );
        assert_eq!(report.counts.computed, 1);
        for _ in 0..2 {
            let report = cache.warm("panicking", vec![]).await.unwrap();
            assert_eq!(report.outcome, WarmOutcome::Failed);
            let error = report.error.unwrap();
            assert!(
                error.starts_with("panicked: ") && error.contains("it goes on"),
                "{error}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn mistakes_of_names_and_options_are_refused() {
    let cache = memory();
    let warmer = |name: &'static str| Warmer::new(name, |_| async {});
    cache.add_warmer(warmer("popular")).unwrap();
    let refused = |warmer| cache.add_warmer(warmer).unwrap_err().to_string();
    assert!(refused(warmer("popular")).contains("has a warmer \"popular\" already"));
    assert!(refused(warmer("")).contains("the name \"\" is invalid"));
    assert!(refused(warmer("a b")).contains("A-Z"));
    assert!(refused(warmer("zero").concurrency(0)).contains("`concurrency`"));
    assert!(refused(warmer("zero").rate(0)).contains("`rate`"));
    assert!(refused(warmer("zero").every(Duration::ZERO)).contains("`every`"));
    assert_eq!(cache.warmers().len(), 1);
    let unknown = cache.warm("latest", vec![]).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no warmer \"latest\"; the cache has popular"
    );
    let unknown = memory().warm("latest", vec![]).await.unwrap_err();
    assert!(
        unknown.to_string().contains("`Cache::add_warmer`"),
        "{unknown}"
    );
}

fn gated(gate: &Gate) -> Warmer {
    let gate = gate.clone();
    Warmer::new("gated", move |_| {
        let gate = gate.clone();
        async move {
            gate.pass().await;
        }
    })
}

#[tokio::test]
async fn one_run_at_a_time_also_of_two_caches_on_one_redis() {
    let server = RedisServer::start();
    let memory = memory();
    let of_two = (on_redis(&server, "app"), on_redis(&server, "app"));
    for (first, second) in [(memory.clone(), memory), of_two] {
        let gate = Gate::new();
        first.add_warmer(gated(&gate)).unwrap();
        let _ = second.add_warmer(gated(&gate));
        let running = tokio::spawn({
            let first = first.clone();
            async move { first.warm("gated", vec![]).await.unwrap() }
        });
        gate.reached_by(1).await;
        assert!(first.warmers()[0].running.is_some());
        for cache in [&first, &second] {
            let busy = cache.warm("gated", vec!["x".into()]).await.unwrap_err();
            assert!(matches!(busy, CacheError::WarmerBusy { .. }), "{busy}");
        }
        gate.open();
        assert_eq!(soon(running).await.unwrap().outcome, WarmOutcome::Complete);
        second.warm("gated", vec![]).await.unwrap();
        assert_eq!(gate.count(), 2);
    }
    let mut connection = server.connect();
    let left: bool = redis::cmd("EXISTS")
        .arg("app#warm:gated")
        .query(&mut connection)
        .unwrap();
    assert!(!left, "the lease was given back");
}

#[tokio::test]
async fn a_dropped_run_gives_its_lease_back_and_is_the_last_run() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        cache.add_warmer(gated(&gate)).unwrap();
        tokio::select! {
            biased;
            _ = cache.warm("gated", vec![]) => panic!("the gate is closed"),
            () = gate.reached_by(1) => {}
        }
        let info = cache.warmers().remove(0);
        assert!(info.running.is_none());
        assert_eq!(info.last.unwrap().outcome, WarmOutcome::Dropped);
        gate.open();
        // The cache's thread gives the lease back.
        tests::until("the warmer can run", || async {
            cache.warm("gated", vec![]).await.is_ok()
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_lease_is_renewed_while_the_run_goes_on() {
    let server = RedisServer::start();
    let builder = || Cache::builder().prefix("app").redis(server.url());
    let builder = || builder().lease_ttl(Duration::from_millis(300));
    let (first, second) = (builder().build().unwrap(), builder().build().unwrap());
    let gate = Gate::new();
    first.add_warmer(gated(&gate)).unwrap();
    second.add_warmer(gated(&gate)).unwrap();
    let running = tokio::spawn({
        let first = first.clone();
        async move { first.warm("gated", vec![]).await.unwrap() }
    });
    gate.reached_by(1).await;
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        let busy = second.warm("gated", vec![]).await.unwrap_err();
        assert!(matches!(busy, CacheError::WarmerBusy { .. }), "{busy}");
        // Real time: leases expire by the server's clock.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    gate.open();
    assert_eq!(soon(running).await.unwrap().outcome, WarmOutcome::Complete);
}

#[tokio::test]
async fn a_lost_lease_ends_the_run() {
    let server = RedisServer::start();
    let builder = Cache::builder().prefix("app").redis(server.url());
    let cache = builder
        .lease_ttl(Duration::from_millis(100))
        .build()
        .unwrap();
    let endless = Warmer::new("endless", |warm: Warm| async move {
        let slow = |id: u32| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            id
        };
        warm.each(0.., slow).await;
    });
    cache.add_warmer(endless).unwrap();
    let mut connection = server.connect();
    let steal = async {
        tests::until("it runs", || async { cache.warmers()[0].running.is_some() }).await;
        tests::until("its lease is there", || {
            let replaced: Option<String> = redis::cmd("SET")
                .arg("app#warm:endless")
                .arg(&["another", "XX", "PX", "60000"])
                .query(&mut connection)
                .unwrap();
            async move { replaced.is_some() }
        })
        .await;
    };
    let (report, ()) = tokio::join!(soon(cache.warm("endless", vec![])), steal);
    let report = report.unwrap();
    assert_eq!(report.outcome, WarmOutcome::LeaseLost);
    assert!(report.counts.expected > report.counts.items || report.counts.items > 0);
    let of_another: String = redis::cmd("GET")
        .arg("app#warm:endless")
        .query(&mut connection)
        .unwrap();
    assert_eq!(of_another, "another", "only the own lease is given back");
}

#[tokio::test]
async fn a_run_stops_when_redis_is_gone() {
    let mut server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("app")
        .redis(server.url())
        .build()
        .unwrap();
    let gate = Gate::new();
    let warmer = Warmer::new("rows", {
        let gate = gate.clone();
        move |warm: Warm| {
            let gate = gate.clone();
            async move {
                warm.each(0..3, topic).await;
                gate.pass().await;
                warm.each(3..100_000, topic).await;
            }
        }
    });
    cache.add_warmer(warmer).unwrap();
    let dying = async {
        gate.reached_by(1).await;
        server.kill();
        gate.open();
    };
    let (report, ()) = tokio::join!(soon(cache.warm("rows", vec![])), dying);
    let report = report.unwrap();
    assert_eq!(report.outcome, WarmOutcome::Unavailable);
    assert_eq!(report.counts.computed, 3, "{report:?}");
    assert!(report.counts.items < 1_000, "{report:?}");
    assert_eq!(report.counts.expected, 100_000);
    let unavailable = cache.warm("rows", vec![]).await.unwrap_err();
    assert!(
        matches!(unavailable, CacheError::Unavailable { .. }),
        "{unavailable}"
    );
}

#[tokio::test]
async fn a_run_has_no_context_of_the_caller_who_asks_for_it() {
    on_both_stores(|cache| async move {
        let warmer = Warmer::new("whose", |_| async {
            match context::get("user_id") {
                Some(user) => Err(user),
                None => Ok(()),
            }
        });
        cache.add_warmer(warmer).unwrap();
        let run = context::scope([("user_id", 42)], cache.warm("whose", vec![]));
        assert_eq!(run.await.unwrap().error, None);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_cache_runs_no_warmer() {
    on_both_stores_with(
        |builder| builder.enabled(false),
        |cache| async move {
            cache.add_warmer(topics_warmer(5).at_start(true)).unwrap();
            let report = cache.warm("topics", vec![]).await.unwrap();
            assert_eq!(
                (report.outcome, report.counts.items),
                (WarmOutcome::Disabled, 0)
            );
        },
    )
    .await;
}

#[test]
fn a_run_is_logged_at_its_beginning_and_end() {
    let cache = memory();
    cache.add_warmer(topics_warmer(3)).unwrap();
    let events = events_of(Level::INFO, || {
        futures_executor::block_on(cache.warm("topics", vec![])).unwrap();
        futures_executor::block_on(cache.warm("topics", vec!["x".to_owned()])).unwrap();
    });
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let text = event.message.split(" in ").collect::<Vec<_>>();
            (event.level.as_str(), &*event.op, text[0].to_owned())
        })
        .collect();
    let line = |level, text: &str| (level, "warm", format!("[Cache] WARM: topics {text}"));
    let expected = [
        line("INFO", "begins"),
        line("INFO", "complete"),
        line("INFO", "begins with 1 arguments"),
        line("WARN", "failed"),
    ];
    assert_eq!(told, expected);
    assert!(
        events[1].message.ends_with("s: 3 items: 3 computed"),
        "{events:?}"
    );
    assert!(events[3].message.contains("InvalidDigit"), "{events:?}");
}

#[tokio::test]
async fn a_report_and_a_warmer_are_json() {
    let cache = memory();
    cache.add_warmer(topics_warmer(3).rate(10_000)).unwrap();
    let report = cache.warm("topics", vec!["1".to_owned()]).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let fields: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "args", "began", "computed", "error", "expected", "failed", "fresh", "items", "outcome",
        "seconds", "uncached", "warmer",
    ];
    let mut sorted = fields.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let json = serde_json::to_value(&cache.warmers()[0]).unwrap();
    assert_eq!(json["name"], "topics");
    assert_eq!(json["last"]["outcome"], "complete");
    assert_eq!(
        (&json["every"], &json["rate"]),
        (&serde_json::Value::Null, &10_000.into())
    );
}
