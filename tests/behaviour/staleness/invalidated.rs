//! When stale values are no longer served: after an invalidation, and after a newer value that
//! isn't stored.

use cache_runtime::{cacheable, invalidate};

use crate::staleness::stale::{row, stale_row};
use crate::staleness::support::{Work, on_both, until, until_stored};
use tests::soon;

#[invalidate(patterns = ["rows:<<id>>"])]
async fn update(id: u32) {
    let _ = id;
}

#[invalidate(patterns = ["rows:*"])]
async fn update_all() {}

#[tokio::test]
async fn an_invalidated_entry_is_not_served_stale() {
    on_both(|place| async move {
        let work = stale_row(&place).await;
        work.gate.open();
        update(1).await;
        assert_eq!(row(work.clone(), 1).await, 2, "invalidated by key");
        place.turns_stale("rows:1").await;
        update_all().await;
        assert_eq!(row(work.clone(), 1).await, 3, "invalidated by pattern");
        place.turns_stale("rows:1").await;
        place.cache.delete("rows:1").await.unwrap();
        assert_eq!(row(work.clone(), 1).await, 4, "deleted by the handle");
        assert_eq!(place.cache.stats().stale, 0);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_that_began_before_an_invalidation_is_not_stored() {
    on_both(|place| async move {
        for by_pattern in [false, true] {
            place.cache.clear().await.unwrap();
            let work = stale_row(&place).await;
            assert_eq!(row(work.clone(), 1).await, 1);
            work.gate.reached_by(1).await;
            if by_pattern {
                update_all().await;
            } else {
                update(1).await;
            }
            // This call begins while the refresh is running.
            let fresh = tokio::spawn(place.cache.scope(row(work.clone(), 1)));
            work.gate.reached_by(2).await;
            work.gate.open();
            assert_eq!(
                soon(fresh).await.unwrap(),
                3,
                "neither the stale value nor that of the refresh"
            );
            until_stored(&place.cache, "rows:1", 3).await;
            // Both bodies have ended when no other clone of `work` exists.
            until("the refresh ends", || async { work.holders() == 1 }).await;
            assert_eq!(place.cache.get::<u32>("rows:1").await.unwrap(), Some(3));
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_value_that_is_not_stored_removes_the_stale_one() {
    #[cacheable(key = "gone", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn gone(work: Work) -> Option<u32> {
        match work.run_through() {
            1 => Some(1),
            _ => None,
        }
    }
    #[cacheable(key = "draft", ttl = work.life, stale = "10m", skip(work), unless = |run| *run > 1, companions = false)]
    async fn draft(work: &Work) -> u32 {
        work.run_through()
    }
    on_both(|place| async move {
        let work = place.work();
        assert_eq!(gone(work.clone()).await, Some(1));
        place.turns_stale("gone").await;
        assert_eq!(gone(work.clone()).await, Some(1));
        until("the refresh finds no value", || async {
            gone(work.clone()).await.is_none()
        })
        .await;
        let work = place.work();
        assert_eq!(draft(&work).await, 1);
        place.turns_stale("draft").await;
        assert_eq!(draft(&work).await, 2);
        // On Redis, the deletion may still be running.
        until("the stale value is removed", || async {
            draft(&work).await > 2
        })
        .await;
        let waiting = place.cache.stats().stale;
        draft(&work).await;
        assert_eq!(place.cache.stats().stale, waiting);
    })
    .await;
}
