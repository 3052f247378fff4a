//! `Cache::owner_stats`: calls, entries and bytes of one owner.

use cache_runtime::{Cache, cacheable, context};
use tests::{Gate, Runs, all, begin, on_both_stores};

struct Viewer {
    id: u64,
    #[expect(dead_code, reason = "it must not be needed for the key")]
    name: String,
}

impl Viewer {
    fn new(id: u64) -> Self {
        Self {
            id,
            name: format!("viewer {id}"),
        }
    }
}

#[cacheable(key = "report:<<id>>", ttl = 600, owner = viewer.id, skip(runs))]
async fn report(viewer: &Viewer, id: u32, runs: &Runs) -> String {
    runs.next();
    format!("report {id} of {}", viewer.id)
}

#[cacheable(key = "notes:<<owner>>", ttl = 600, owner = owner, skip(runs))]
fn notes(owner: Option<&str>, runs: &Runs) -> u32 {
    let _ = owner;
    runs.next()
}

#[cacheable(key = "feed", ttl = 600, context(user_id), owner = user_id, skip(runs))]
async fn feed(runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(ttl = 600, owner = user, skip(gate))]
async fn slow(user: u32, gate: &Gate) -> u32 {
    let _ = user;
    gate.pass().await
}

async fn calls(cache: &Cache, id: u64) -> (u64, u64, u64) {
    let stats = cache.owner_stats(id).await.unwrap();
    (stats.hits, stats.misses, stats.entries)
}

#[tokio::test]
async fn calls_and_entries_are_counted_for_each_owner() {
    on_both_stores(|cache| async move {
        let (ann, ben, runs) = (Viewer::new(1), Viewer::new(2), Runs::default());
        let all = async {
            for _ in 0..3 {
                report(&ann, 1, &runs).await;
            }
            report(&ann, 2, &runs).await;
            report(&ben, 1, &runs).await;
            report_refresh(&ben, 1, &runs).await;
        };
        cache.scope(all).await;
        assert_eq!(calls(&cache, 1).await, (2, 2, 2));
        assert_eq!(calls(&cache, 2).await, (0, 2, 1));
        assert_eq!(calls(&cache, 3).await, (0, 0, 0));
        let stats = cache.owner_stats(1).await.unwrap();
        assert!((stats.hit_rate - 0.5).abs() < 1e-9);
        assert!(stats.bytes > 2 * "report 1 of 1".len() as u64);
        // The same again: what was asked for isn't counted twice.
        assert_eq!(calls(&cache, 1).await, (2, 2, 2));
        assert_eq!(runs.count(), 4);
    })
    .await;
}

/// The key of `report` doesn't name the viewer, who enters it nevertheless.
#[tokio::test]
async fn owners_never_share_an_entry() {
    on_both_stores(|cache| async move {
        let (ann, ben, runs) = (Viewer::new(1), Viewer::new(2), Runs::default());
        let reports = async { (report(&ann, 1, &runs).await, report(&ben, 1, &runs).await) };
        let (of_ann, of_ben) = cache.scope(reports).await;
        assert_eq!(
            (of_ann.as_str(), of_ben.as_str()),
            ("report 1 of 1", "report 1 of 2")
        );
        assert_ne!(
            report_cache_key(&ann, 1, &runs),
            report_cache_key(&ben, 1, &runs)
        );
    })
    .await;
}

#[tokio::test]
async fn none_and_an_empty_text_are_nobody_and_a_name_is_escaped() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for owner in [None, Some(""), Some("None"), Some("a:b{*}"), Some("None")] {
            cache.scope(async { notes(owner, &runs) }).await;
        }
        assert_eq!(cache.owner_stats("None").await.unwrap().hits, 1);
        assert_eq!(cache.owner_stats("a:b{*}").await.unwrap().misses, 1);
        let nobody: Option<&str> = None;
        for stats in [
            cache.owner_stats("").await.unwrap(),
            cache
                .owner_stats(cache_runtime::optional(&nobody))
                .await
                .unwrap(),
        ] {
            assert_eq!(
                (stats.hits, stats.misses, stats.entries, stats.bytes),
                (0, 0, 0, 0)
            );
        }
        assert_eq!(cache.invalidate_owner("").await.unwrap(), 0);
        assert_eq!(cache.invalidate_owner("a:b{*}").await.unwrap(), 1);
        assert_eq!(cache.invalidate_owner("a:b").await.unwrap(), 0);
        assert_eq!(runs.count(), 4);
    })
    .await;
}

#[tokio::test]
async fn the_owner_can_be_a_value_of_the_context() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for user in ["ann", "ben", "ann"] {
            let call = context::scope([("user_id", user)], feed(&runs));
            cache.scope(call).await;
        }
        // Without the context there is no key, and nobody to count for.
        cache.scope(feed(&runs)).await;
        let ann = cache.owner_stats("ann").await.unwrap();
        assert_eq!((ann.hits, ann.misses, ann.entries), (1, 1, 1));
        assert_eq!(cache.owner_stats("ben").await.unwrap().misses, 1);
        assert_eq!(runs.count(), 3);
    })
    .await;
}

/// A call that another caller's computation answers is a hit of the owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_a_hit() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut tasks = Vec::new();
        for _ in 0..5 {
            let (cache, gate) = (cache.clone(), gate.clone());
            tasks.push(tokio::spawn(
                async move { cache.scope(slow(9, &gate)).await },
            ));
        }
        gate.reached_by(1).await;
        gate.open();
        all(tasks).await;
        let stats = cache.owner_stats(9).await.unwrap();
        assert_eq!((stats.hits, stats.misses, stats.entries), (4, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn expired_entries_are_not_counted() {
    on_both_stores(|cache| async move {
        let (ann, runs) = (Viewer::new(1), Runs::default());
        cache.scope(short(&ann, &runs)).await;
        cache.scope(report(&ann, 1, &runs)).await;
        tests::until("the entry has expired", || async {
            calls(&cache, 1).await.2 == 1
        })
        .await;
        cache.scope(report(&ann, 1, &runs)).await;
        assert_eq!(runs.count(), 2);
    })
    .await;
}

#[cacheable(key = "short:<<viewer.id>>", ttl = "50ms", owner = viewer.id, skip(runs))]
async fn short(viewer: &Viewer, runs: &Runs) -> u32 {
    runs.next()
}

/// Entries of functions without `owner` belong to nobody, also at a key that an owned entry had.
#[tokio::test]
async fn an_explicit_set_takes_an_entry_from_its_owner() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        cache.scope(async { notes(Some("ann"), &runs) }).await;
        assert_eq!(cache.owner_stats("ann").await.unwrap().entries, 1);
        cache.set("notes:ann", &7_u32, 60).await.unwrap();
        let stats = cache.owner_stats("ann").await.unwrap();
        assert_eq!((stats.entries, stats.bytes), (0, 0));
        assert_eq!(cache.invalidate_owner("ann").await.unwrap(), 0);
        assert_eq!(cache.scope(async { notes(Some("ann"), &runs) }).await, 7);
    })
    .await;
}

#[test]
fn the_blocking_handle_does_the_same() {
    let cache = cache_runtime::testing::cache();
    let runs = Runs::default();
    cache.scope_sync(|| notes(Some("ann"), &runs));
    assert_eq!(cache.blocking().owner_stats("ann").unwrap().misses, 1);
    assert_eq!(cache.blocking().invalidate_owner("ann").unwrap(), 1);
    cache.reset_stats();
    assert_eq!(cache.blocking().owner_stats("ann").unwrap().misses, 0);
}

#[tokio::test]
async fn begun_calls_are_dropped_without_a_trace() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let call = begin(&cache, {
            let gate = gate.clone();
            async move { slow(9, &gate).await }
        })
        .await;
        gate.reached_by(1).await;
        call.abort();
        let _ = call.await;
        let stats = cache.owner_stats(9).await.unwrap();
        assert_eq!((stats.entries, stats.bytes), (0, 0));
    })
    .await;
}
