//! `context(user_id)`: values of the current request in keys and patterns.

use std::time::Duration;

use cache_runtime::context;
use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Runs, events_of, on_both_stores, until};
use tracing::Level;

use crate::common::memory;

fn user() -> String {
    context::get("user_id").unwrap_or_else(|| "nobody".to_owned())
}

#[cacheable(
    key = "profiles:<<user_id>>:<<tab>>",
    context(user_id),
    skip(runs),
    ttl = 60
)]
async fn profile(tab: &str, runs: &Runs) -> String {
    format!("{tab} of {}, run {}", user(), runs.next())
}

#[cacheable(key = "feeds:<<tab>>", context(user_id, locale), skip(runs), ttl = 60)]
fn feed(tab: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(
    key = "drafts:<<user_id.len()>>:<<id>>",
    context(user_id),
    condition = user_id != "guest",
    ttl = Duration::from_secs(user_id.len() as u64 * 100),
    skip(runs)
)]
fn draft(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "items:<<user_id>>:<<id>>", context(user_id), each = ids, skip(runs))]
fn items(ids: &[u32], runs: &Runs) -> Vec<String> {
    runs.next();
    let user = user();
    ids.iter().map(|id| format!("{id} of {user}")).collect()
}

#[cacheable(context(user_id), skip(runs))]
fn keyless(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["profiles:<<user_id>>:*"], context(user_id))]
async fn rename() {}

#[invalidate(patterns = ["profiles:<<result.clone() + user_id>>:*"], context(user_id))]
fn rename_by_result() -> String {
    String::new()
}

#[cacheable(key = "badges:<<user_id>>", context(user_id), companions = false)]
fn badge() -> u32 {
    1
}

#[invalidate(patterns = ["badges:<<user_id>>"], context(user_id))]
fn grant() {}

async fn of<F: Future>(user: &str, future: F) -> F::Output {
    context::scope([("user_id", user)], future).await
}

fn of_sync<T>(user: &str, run: impl FnOnce() -> T) -> T {
    context::scope_sync([("user_id", user)], run)
}

#[tokio::test]
async fn each_user_has_an_entry_of_their_own() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let calls = async {
            for _ in 0..2 {
                assert_eq!(of("ada", profile("a", &runs)).await, "a of ada, run 1");
            }
            assert_eq!(of("bob", profile("a", &runs)).await, "a of bob, run 2");
            // A value with the characters of a path.
            assert_eq!(of("a:*", profile("a", &runs)).await, "a of a:*, run 3");
            assert!(cache.exists("profiles:a%3A%2A:a").await.unwrap());
            assert_eq!(of("ada", profile("a", &runs)).await, "a of ada, run 1");
        };
        cache.scope(calls).await;
    })
    .await;
}

#[test]
fn a_name_that_the_template_does_not_use_is_hashed() {
    let (cache, runs) = (memory(), Runs::default());
    let read = |user: &str, locale: &str| {
        let values = [("user_id", user), ("locale", locale)];
        context::scope_sync(values, || feed("a", &runs))
    };
    cache.scope_sync(|| {
        assert_eq!(read("ada", "en"), 1);
        assert_eq!(read("ada", "de"), 2);
        assert_eq!(read("bob", "en"), 3);
        assert_eq!(read("ada", "en"), 1);
        assert_eq!(of_sync("ada", || keyless(1, &runs)), 4);
        assert_eq!(of_sync("bob", || keyless(1, &runs)), 5);
        assert_eq!(of_sync("ada", || keyless(1, &runs)), 4);
    });
}

#[test]
fn conditions_and_ttls_see_the_value() {
    let (cache, runs) = (memory(), Runs::default());
    cache.scope_sync(|| {
        assert_eq!(of_sync("guest", || draft(1, &runs)), 1);
        assert_eq!(of_sync("guest", || draft(1, &runs)), 2);
        assert_eq!(of_sync("ada", || draft(1, &runs)), 3);
        assert_eq!(of_sync("ada", || draft(1, &runs)), 3);
    });
    let left = cache.blocking().ttl("drafts:3:1").unwrap();
    assert!(left > Some(Duration::from_secs(290)), "{left:?}");
}

#[test]
fn items_have_entries_for_each_user() {
    let (cache, runs) = (memory(), Runs::default());
    cache.scope_sync(|| {
        assert_eq!(
            of_sync("ada", || items(&[1, 2], &runs)),
            ["1 of ada", "2 of ada"]
        );
        assert_eq!(of_sync("bob", || items(&[2], &runs)), ["2 of bob"]);
        assert_eq!(of_sync("ada", || items(&[2], &runs)), ["2 of ada"]);
    });
    assert_eq!(runs.count(), 2);
}

#[test]
fn without_the_context_a_read_runs_uncached_and_says_so_once() {
    let (cache, runs) = (memory(), Runs::default());
    let logged = events_of(Level::WARN, || {
        cache.scope_sync(|| {
            for run in 1..=3 {
                assert_eq!(feed("a", &runs), run);
            }
            let only_one = || feed("a", &runs);
            assert_eq!(context::scope_sync([("user_id", "ada")], only_one), 4);
        });
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    assert_eq!(warning.function, "feed");
    for part in [
        "`user_id`",
        "`ContextLayer`",
        "`context::scope`",
        "isn't cached",
    ] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
    assert_eq!(cache.stats().entries, 0);
}

#[tokio::test]
async fn a_write_removes_the_entries_of_its_user_only() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let calls = async {
            for user in ["ada", "bob"] {
                of(user, profile("a", &runs)).await;
            }
            of("ada", rename()).await;
            assert!(!cache.exists("profiles:ada:a").await.unwrap());
            assert!(cache.exists("profiles:bob:a").await.unwrap());
            of_sync("bob", rename_by_result);
            assert!(!cache.exists("profiles:bob:a").await.unwrap());
        };
        cache.scope(calls).await;
    })
    .await;
}

#[test]
fn a_write_without_the_context_removes_the_entries_of_all_users_and_says_so_once() {
    let cache = memory();
    let logged = events_of(Level::WARN, || {
        cache.scope_sync(|| {
            for _ in 0..2 {
                of_sync("ada", badge);
                of_sync("bob", badge);
                assert_eq!(cache.stats().entries, 2);
                grant();
                assert_eq!(cache.stats().entries, 0);
            }
        });
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    assert_eq!(warning.function, "grant");
    assert!(warning.message.contains("`user_id`"), "{warning:?}");
}

#[tokio::test]
async fn companions_take_the_value_from_the_context() {
    let (cache, runs) = (memory(), Runs::default());
    let calls = async {
        of("ada", profile("a", &runs)).await;
        assert_eq!(profile_cache_path("a", &runs), "");
        let path = async { profile_cache_path("a", &runs) };
        assert_eq!(of("ada", path).await, "profiles:ada:a");
        assert!(!of("bob", profile_invalidate("a", &runs)).await.unwrap());
        assert!(of("ada", profile_invalidate("a", &runs)).await.unwrap());
        let refreshed = of("ada", profile_refresh("a", &runs)).await;
        assert_eq!(refreshed, "a of ada, run 2");
        assert_eq!(of("ada", profile("a", &runs)).await, "a of ada, run 2");
    };
    cache.scope(calls).await;
}

#[tokio::test]
async fn a_spawned_task_loses_the_context_unless_it_takes_it_along() {
    let (cache, runs) = (memory(), Runs::default());
    let spawned = async {
        let read = |runs: Runs| async move { profile("a", &runs).await };
        let lost = tokio::spawn(cache.scope(read(runs.clone())));
        assert_eq!(lost.await.unwrap(), "a of nobody, run 1");
        let here = context::current();
        let kept = tokio::spawn(here.scope(cache.scope(read(runs.clone()))));
        assert_eq!(kept.await.unwrap(), "a of ada, run 2");
    };
    of("ada", spawned).await;
    assert!(cache.exists("profiles:ada:a").await.unwrap());
}

#[cacheable(
    key = "scores:<<user_id>>",
    context(user_id),
    ttl = 60,
    stale = 600,
    skip(runs)
)]
async fn score(runs: Runs) -> String {
    format!("{}, run {}", user(), runs.next())
}

#[cacheable(
    key = "ranks:<<user_id>>",
    context(user_id),
    ttl = 60,
    stale = 600,
    refresh = "background",
    skip(runs)
)]
fn rank(runs: Runs) -> String {
    format!("{}, run {}", user(), runs.next())
}

#[tokio::test]
async fn a_background_refresh_carries_the_context() {
    let cache = cache_runtime::testing::cache();
    let (scores, ranks) = (Runs::default(), Runs::default());
    let calls = async {
        assert_eq!(score(scores.clone()).await, "ada, run 1");
        assert_eq!(rank(ranks.clone()), "ada, run 1");
        cache.clock().advance(Duration::from_secs(61));
        assert_eq!(score(scores.clone()).await, "ada, run 1");
        assert_eq!(rank(ranks.clone()), "ada, run 1");
        for key in ["scores:ada", "ranks:ada"] {
            let refreshed = "ada, run 2".to_owned();
            until("the refresh stores its value", async || {
                cache.get(key).await.unwrap() == Some(refreshed.clone())
            })
            .await;
        }
    };
    cache.scope(of("ada", calls)).await;
}

#[test]
fn an_event_shows_the_values() {
    #[cacheable(
        key = "shown:<<user_id>>",
        context(user_id, locale),
        debug,
        companions = false
    )]
    fn shown(id: u32) -> u32 {
        id
    }
    let cache: Cache = memory();
    let logged = events_of(Level::INFO, || {
        let values = [("user_id", "ada"), ("locale", "de")];
        cache.scope_sync(|| context::scope_sync(values, || shown(7)));
    });
    let call = logged.iter().find(|event| event.op == "call");
    let message = &call.expect("the call is logged").message;
    for part in ["user_id", "ada", "locale", "de", "7"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}
