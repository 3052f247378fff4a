//! Audits while rows are written: with right invalidations, none of them reports anything.

use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};

use super::support::{Results, Table, on_both, until_settled};

/// Number of rows.
const ROWS: u32 = 20;

#[cacheable(key = "load:rows:<<id>>", audit = 1.0, skip(table), companions = false)]
async fn row(table: Table, id: u32) -> u32 {
    let row = table.row(id);
    // A write may come between reading the row and returning it.
    tokio::task::yield_now().await;
    row
}

#[cacheable(key = "load:sum", audit = 1.0, skip(table), companions = false)]
async fn sum(table: Table) -> u32 {
    let mut sum = 0_u32;
    for id in 0..ROWS {
        sum = sum.wrapping_add(row(table.clone(), id).await);
    }
    sum
}

#[invalidate(patterns = ["load:rows:<<id>>", "load:sum"])]
async fn update(table: &Table, id: u32, value: u32) {
    table.set(id, value);
    // The rows are changed, and the entries aren't removed yet.
    tokio::task::yield_now().await;
}

/// The number of audits: `AUDITS=100000` in the environment, otherwise as many as a few seconds
/// allow.
fn wanted() -> u64 {
    let number = std::env::var("AUDITS").ok();
    number.map_or(1_000, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn audits_report_nothing_while_every_write_invalidates() {
    on_both(|cache| async move {
        let table = Table::default();
        let reader = |table: Table| async move {
            for round in 0_u32.. {
                row(table.clone(), round % ROWS).await;
                if round % 7 == 0 {
                    sum(table.clone()).await;
                }
                tokio::task::yield_now().await;
            }
        };
        let writer = |table: Table, cache: Cache, seed: u32| async move {
            for round in seed.. {
                update(&table, round * 7 % ROWS, round).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                // The pauses of the audits take a twentieth of their time.
                cache.clock().advance(Duration::from_millis(20));
            }
        };
        let mut tasks = tokio::task::JoinSet::new();
        for seed in 0..2 {
            tasks.spawn(cache.scope(writer(table.clone(), cache.clone(), seed * 1_000)));
            tasks.spawn(cache.scope(reader(table.clone())));
        }
        let begun = std::time::Instant::now();
        while Results::of(&cache).sum() < wanted() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(
                begun.elapsed() < Duration::from_secs(3_000),
                "{:?}",
                Results::of(&cache)
            );
        }
        tasks.shutdown().await;
        // Those that are still in doubt.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let results = until_settled(&cache, wanted()).await;
        println!("{results:?} in {:?}, {:?}", begun.elapsed(), cache.audits());
        assert_eq!(
            (results.stale, results.failed),
            (0, 0),
            "{:?}",
            cache.audits()
        );
        assert!(results.ok > results.raced, "{results:?}");
    })
    .await;
}
