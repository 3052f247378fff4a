//! `Cache::watch`: changes as they happen.

use std::time::Duration;

use cache_runtime::{Cache, Change, ChangeKind, Clock, Watch, cacheable};
use tests::{on_both_stores, soon};

#[cacheable(key = "watched:<<id>>:row", ttl = 600)]
async fn row(id: u32) -> u32 {
    id
}

/// Return the next change, whatever is computed meanwhile.
async fn next(watch: &mut Watch) -> Change {
    loop {
        let change = soon(watch.next()).await.expect("the cache exists");
        if change.kind != ChangeKind::Computing {
            return change;
        }
    }
}

async fn next_kind(watch: &mut Watch) -> (ChangeKind, Option<String>) {
    let change = next(watch).await;
    (change.kind, change.path)
}

fn of(kind: ChangeKind, path: &str) -> (ChangeKind, Option<String>) {
    (kind, Some(path.to_owned()))
}

#[tokio::test]
async fn fills_and_removals_of_what_the_pattern_matches_are_told_in_their_order() {
    on_both_stores(|cache| async move {
        let mut watch = cache.watch("watched:1:*").await.unwrap();
        row(10).await;
        row(1).await;
        let filled = next(&mut watch).await;
        assert_eq!(filled.kind, ChangeKind::Filled);
        assert_eq!(filled.key.as_deref(), Some("quickpost:watched:1:row"));
        assert!(filled.bytes.is_some_and(|bytes| bytes > 0), "{filled:?}");
        let ttl = filled.ttl.unwrap().as_secs();
        assert!((598..=600).contains(&ttl), "{filled:?}");
        cache.delete_pattern("watched:*").await.unwrap();
        let removed = next_kind(&mut watch).await;
        assert_eq!(removed, of(ChangeKind::Removed, "watched:1:row"));
        cache.set("watched:1", &1, 60).await.unwrap();
        let filled = next_kind(&mut watch).await;
        assert_eq!(filled, of(ChangeKind::Filled, "watched:1"));
        assert!(cache.delete("watched:1").await.unwrap());
        let removed = next_kind(&mut watch).await;
        assert_eq!(removed, of(ChangeKind::Removed, "watched:1"));
    })
    .await;
}

#[tokio::test]
async fn hits_are_not_told() {
    on_both_stores(|cache| async move {
        row(7).await;
        let mut watch = cache.watch("*").await.unwrap();
        row(7).await;
        cache.set("last", &1, 60).await.unwrap();
        let first = next_kind(&mut watch).await;
        assert_eq!(first, of(ChangeKind::Filled, "last"));
    })
    .await;
}

#[tokio::test]
async fn a_watch_ends_with_its_cache() {
    let cache = Cache::builder().build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    cache.set("a", &1, 60).await.unwrap();
    let waiting = tokio::spawn(async move {
        let first = watch.next().await.map(|change| change.kind);
        (first, watch.next().await)
    });
    drop(cache);
    let (first, end) = soon(waiting).await.unwrap();
    assert_eq!((first, end), (Some(ChangeKind::Filled), None));
}

#[tokio::test]
async fn memory_tells_expiries_and_evictions() {
    let clock = Clock::manual();
    let builder = Cache::builder().memory_capacity(4 << 10);
    let cache = builder.clock(clock.clone()).build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    cache.set("brief", &1, 1).await.unwrap();
    clock.advance(Duration::from_secs(2));
    cache.set("brief", &2, 60).await.unwrap();
    let kinds = [
        next_kind(&mut watch).await,
        next_kind(&mut watch).await,
        next_kind(&mut watch).await,
    ];
    let brief = |kind| of(kind, "brief");
    use ChangeKind::{Evicted, Expired, Filled};
    assert_eq!(kinds, [brief(Filled), brief(Expired), brief(Filled)]);
    for number in 0..20 {
        let large = vec![0_u8; 1_000];
        cache
            .set(&format!("large:{number}"), &large, 60)
            .await
            .unwrap();
    }
    let mut evicted = 0;
    while let Ok(Some(change)) = tokio::time::timeout(Duration::from_millis(50), watch.next()).await
    {
        evicted += u64::from(change.kind == Evicted);
    }
    assert_eq!(evicted, cache.store_stats().await.unwrap().evictions);
    assert!(evicted > 10);
}

#[tokio::test]
async fn a_slow_watcher_is_told_how_many_changes_it_has_missed() {
    let cache = Cache::builder().build().unwrap();
    let mut watch = cache.watch("*").await.unwrap();
    for number in 0..10_000 {
        cache.set("a", &number, 60).await.unwrap();
    }
    let (mut told, mut lost) = (0, 0);
    drop(cache);
    while let Some(change) = watch.next().await {
        match change.kind {
            ChangeKind::Lost => lost += change.lost.unwrap(),
            _ => told += 1,
        }
    }
    assert_eq!(told + lost, 10_000);
    assert!(lost > 0);
}
