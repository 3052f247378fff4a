//! `Cache::invalidate_owner`: all entries of one owner leave, and no one else's.

use cache_runtime::{Cache, cacheable};
use tests::{Gate, Runs, on_both_stores};

#[cacheable(key = "file:<<user>>:<<id>>", ttl = 600, owner = user, skip(runs))]
async fn file(user: u32, id: u32, runs: &Runs) -> u32 {
    runs.next()
}

/// The owner isn't a part of the path.
#[cacheable(key = "thumbnail:<<id>>", ttl = 600, owner = user, skip(gate))]
async fn thumbnail(user: u32, id: u32, gate: &Gate) -> u32 {
    let _ = user;
    gate.pass().await
}

#[cacheable(key = "size:<<user>>", ttl = 600, owner = user, stale = "10m", skip(runs))]
async fn size(user: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn all_entries_of_the_owner_leave_and_no_other() {
    on_both_stores(|cache| async move {
        let (runs, gate) = (Runs::default(), Gate::new());
        gate.open();
        for user in 0..3 {
            let calls = async {
                for id in 0..700 {
                    file(user, id, &runs).await;
                }
                thumbnail(user, 1, &gate).await;
                size(user, &runs).await;
            };
            cache.scope(calls).await;
        }
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 702);
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 0);
        for (user, entries) in [(0, 702), (1, 0), (2, 702)] {
            let stats = cache.owner_stats(user).await.unwrap();
            assert_eq!(stats.entries, entries, "{user}");
        }
        let (before, passes) = (runs.count(), gate.count());
        let again = async {
            for user in 0..3 {
                file(user, 1, &runs).await;
                thumbnail(user, 1, &gate).await;
                size(user, &runs).await;
            }
        };
        cache.scope(again).await;
        assert_eq!((runs.count() - before, gate.count() - passes), (2, 1));
    })
    .await;
}

/// As after any invalidation: a value that was being computed isn't stored, and a caller that comes
/// later doesn't wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_computed_before_is_not_served_afterwards() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let (old, its_gate) = (cache.clone(), gate.clone());
        let old = tokio::spawn(async move { old.scope(thumbnail(4, 1, &its_gate)).await });
        gate.reached_by(1).await;
        cache.invalidate_owner(4).await.unwrap();
        let (new, its_gate) = (cache.clone(), gate.clone());
        let new = tokio::spawn(async move { new.scope(thumbnail(4, 1, &its_gate)).await });
        gate.reached_by(2).await;
        gate.open();
        let (old, new) = (old.await.unwrap(), new.await.unwrap());
        assert_ne!(old, new);
        assert_eq!(cache.scope(thumbnail(4, 1, &gate)).await, new);
        assert_eq!(gate.count(), 2);
    })
    .await;
}

/// Each of these removes entries by another way. The account must follow, or the next invalidation
/// of the owner would count them.
#[tokio::test]
async fn entries_that_left_otherwise_are_not_counted() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let fill = |cache: Cache| {
            let runs = &runs;
            async move {
                let calls = async {
                    for id in 0..4 {
                        file(1, id, runs).await;
                    }
                };
                cache.scope(calls).await;
            }
        };
        fill(cache.clone()).await;
        cache.delete_pattern("file:1:*").await.unwrap();
        assert_eq!(cache.owner_stats(1).await.unwrap().entries, 0);
        fill(cache.clone()).await;
        cache.delete("file:1:2").await.unwrap();
        let stats = cache.owner_stats(1).await.unwrap();
        assert_eq!(stats.entries, 3);
        cache
            .scope(async { file_invalidate(1, 0, &runs).await })
            .await
            .unwrap();
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 2);
        fill(cache.clone()).await;
        cache.clear().await.unwrap();
        let stats = cache.owner_stats(1).await.unwrap();
        assert_eq!((stats.entries, stats.bytes), (0, 0));
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 0);
    })
    .await;
}
