//! Users who log in.

use cache_runtime::{Cache, Warm, cacheable, context};
use tests::{Gate, RedisServer, Runs, events_of, on_both_stores, on_both_stores_with, until};
use tracing::Level;

#[cacheable(
    key = "feeds:<<user_id>>:<<tenant>>:<<page>>",
    context(user_id, tenant)
)]
async fn feed(page: u32) -> String {
    format!("page {page}")
}

/// Begin a run for the user that waits at the gate.
fn held(warm: &Warm, user: u32, gate: &Gate) -> bool {
    let gate = gate.clone();
    warm.for_user_with(user, move |_| async move {
        gate.pass().await;
    })
}

async fn until_runs(cache: &Cache, runs: u64) {
    until("the runs have ended", || async {
        cache.user_warming().runs == runs
    })
    .await;
}

#[tokio::test]
async fn a_users_entries_are_computed_in_the_background_and_are_the_users() {
    on_both_stores(|cache| async move {
        let login = async {
            assert!(Warm::current().for_user(42, (1..=3).map(feed)));
        };
        context::scope([("tenant", "acme"), ("user_id", "anon")], login).await;
        until_runs(&cache, 1).await;
        for page in 1..=3 {
            let path = format!("feeds:42:acme:{page}");
            assert!(cache.exists(&path).await.unwrap(), "{path}");
        }
        let warming = cache.user_warming();
        assert_eq!((warming.active, warming.refused), (0, 0));
        assert_eq!((warming.counts.items, warming.counts.computed), (3, 3));
    })
    .await;
}

#[tokio::test]
async fn a_user_has_one_run_at_a_time() {
    on_both_stores(|cache| async move {
        let (warm, gate) = (Warm::of(&cache), Gate::new());
        assert!(held(&warm, 1, &gate));
        assert!(!held(&warm, 1, &gate));
        assert!(held(&warm, 2, &gate));
        gate.reached_by(2).await;
        let warming = cache.user_warming();
        assert_eq!((warming.active, warming.refused, warming.runs), (2, 1, 0));
        gate.open();
        until_runs(&cache, 2).await;
        assert!(held(&warm, 1, &gate));
        until_runs(&cache, 3).await;
    })
    .await;
}

#[tokio::test]
async fn four_users_have_their_turn_and_more_wait_up_to_a_limit() {
    on_both_stores(|cache| async move {
        let (warm, gate) = (Warm::of(&cache), Gate::new());
        for user in 0..260 {
            assert!(held(&warm, user, &gate), "{user}");
        }
        assert!(!held(&warm, 260, &gate));
        gate.reached_by(4).await;
        let warming = cache.user_warming();
        assert_eq!((warming.active, warming.refused), (260, 1));
        assert_eq!(gate.count(), 4);
        gate.open();
        until_runs(&cache, 260).await;
        assert_eq!(gate.count(), 260);
    })
    .await;
}

#[tokio::test]
async fn errors_and_panics_are_not_the_callers() {
    #[cacheable(key = "broken:<<id>>")]
    async fn broken(id: u32) -> Result<u32, String> {
        match id {
            0 => Err("no".to_owned()),
            _ => panic!("worse"),
        }
    }
    on_both_stores(|cache| async move {
        let warm = Warm::of(&cache);
        assert!(warm.for_user(1, (0..2).map(broken)));
        assert!(warm.for_user_with(2, |_| async { Err::<(), _>("not found") }));
        let items = std::iter::from_fn(|| -> Option<std::future::Ready<()>> {
            panic!("of the iterator");
        });
        assert!(warm.for_user(3, items));
        until_runs(&cache, 3).await;
        assert_eq!(cache.user_warming().counts.failed, 2);
        assert!(warm.for_user(3, [feed(1)]));
        until_runs(&cache, 4).await;
    })
    .await;
}

#[test]
fn the_end_of_a_run_is_logged_to_the_callers_subscriber() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    let events = events_of(Level::DEBUG, || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async {
            let warm = Warm::of(&cache);
            warm.for_user_with(7, |_| async { Err::<(), _>("not found") });
            until_runs(&cache, 1).await;
            warm.for_user(8, [std::future::ready(())]);
            until_runs(&cache, 2).await;
        });
    });
    let told: Vec<_> = events.iter().filter(|event| event.op == "warm").collect();
    assert_eq!(told.len(), 2, "{events:?}");
    assert_eq!(told[0].level, "WARN");
    assert!(told[0].message.contains("user 7 failed") && told[0].message.contains("not found"));
    assert_eq!(told[1].level, "DEBUG");
    assert!(told[1].message.contains("user 8 complete"), "{told:?}");
}

#[tokio::test]
async fn nothing_is_run_while_redis_is_gone() {
    let mut server = RedisServer::start();
    let cache = Cache::builder().prefix("app").redis(server.url());
    let cache = cache.build().unwrap();
    server.kill();
    cache.get::<u32>("any").await.unwrap_err();
    let runs = Runs::default();
    let counted = runs.clone();
    let warmed = Warm::of(&cache).for_user_with(1, move |_| async move {
        counted.next();
    });
    assert!(!warmed);
    assert_eq!((runs.count(), cache.user_warming().refused), (0, 1));
}

#[tokio::test]
async fn nothing_is_run_on_a_disabled_cache() {
    on_both_stores_with(
        |builder| builder.enabled(false),
        |cache| async move {
            assert!(!Warm::of(&cache).for_user(1, [feed(1)]));
            assert_eq!(cache.user_warming().refused, 1);
        },
    )
    .await;
}

#[test]
fn a_runtime_that_ends_takes_its_runs_along_and_leaves_room_for_others() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    let gate = Gate::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let warm = Warm::of(&cache);
        for user in 0..10 {
            assert!(held(&warm, user, &gate));
        }
        gate.reached_by(4).await;
    });
    drop(runtime);
    tests::until_blocking("their places are free", || cache.user_warming().active == 0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        gate.open();
        assert!(held(&Warm::of(&cache), 0, &gate));
        until_runs(&cache, 11).await;
    });
}

#[test]
fn a_program_without_a_runtime_warms_on_a_thread_of_the_cache() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    assert!(Warm::of(&cache).for_user(7, [std::future::ready(1)]));
    tests::until_blocking("the run has ended", || cache.user_warming().runs == 1);
    assert_eq!(cache.user_warming().counts.items, 1);
}
