//! Flights during which the row is invalidated, set or refreshed: their value isn't stored, and
//! later callers don't join them.

use std::future::Future;
use std::pin::Pin;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Gate, Stores, begin, on_both_stores, soon};
use tokio::task::JoinHandle;

use crate::common::Runs;

#[cacheable(key = "overtaken:<<id>>", skip(gate, runs))]
async fn row(gate: &Gate, runs: &Runs, id: u32) -> u32 {
    let run = runs.next();
    gate.pass().await;
    run
}

/// Begin a call of the row in its own task.
async fn begin_row(cache: &Cache, gate: &Gate, runs: &Runs, id: u32) -> JoinHandle<u32> {
    let (gate, runs) = (gate.clone(), runs.clone());
    begin(cache, async move { row(&gate, &runs, id).await }).await
}

#[invalidate(patterns = ["overtaken:<<id>>:*"])]
async fn write_row(id: u32) {}

type Invalidation<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The ways to invalidate one row.
const WAYS: [&str; 5] = [
    "companion",
    "delete",
    "attribute",
    "delete_pattern",
    "clear",
];

fn invalidate_by<'a>(way: &'a str, cache: &'a Cache) -> Invalidation<'a> {
    Box::pin(async move {
        match way {
            "companion" => {
                let (gate, runs) = (Gate::new(), Runs::default());
                row_invalidate(&gate, &runs, 1).await.unwrap();
            }
            "delete" => drop(cache.delete("overtaken:1").await.unwrap()),
            "attribute" => write_row(1).await,
            "delete_pattern" => {
                cache.delete_pattern("overtaken:?").await.unwrap();
            }
            "clear" => {
                cache.clear().await.unwrap();
            }
            other => panic!("{other}"),
        }
    })
}

#[tokio::test]
async fn the_value_of_an_invalidated_flight_is_not_stored_and_not_joined() {
    let stores = Stores::new();
    for (name, cache) in &stores.caches {
        for way in WAYS {
            cache.scope(invalidated_flight(name, way, cache)).await;
        }
    }
}

async fn invalidated_flight(name: &str, way: &str, cache: &Cache) {
    let (gate, later, runs) = (Gate::new(), Gate::new(), Runs::default());
    let leader = begin_row(cache, &gate, &runs, 1).await;
    let before = begin_row(cache, &gate, &runs, 1).await;
    assert_eq!(runs.count(), 1);
    invalidate_by(way, cache).await;
    let after = begin_row(cache, &later, &runs, 1).await;
    assert_eq!(runs.count(), 2, "{name}, {way}: a later call does not join");
    let with_it = begin_row(cache, &later, &runs, 1).await;
    assert_eq!(
        runs.count(),
        2,
        "{name}, {way}: the second later call joins the first"
    );
    gate.open();
    assert_eq!(
        soon(leader).await.unwrap(),
        1,
        "{name}, {way}: the leader's value"
    );
    assert_eq!(
        soon(before).await.unwrap(),
        1,
        "{name}, {way}: a caller that joined before the invalidation"
    );
    let stored = cache.get::<u32>("overtaken:1").await.unwrap();
    assert_eq!(stored, None, "{name}, {way}: the old value is not stored");
    later.open();
    assert_eq!(soon(after).await.unwrap(), 2, "{name}, {way}");
    assert_eq!(soon(with_it).await.unwrap(), 2, "{name}, {way}");
    let stored = cache.get::<u32>("overtaken:1").await.unwrap();
    assert_eq!(stored, Some(2), "{name}, {way}: the later value is stored");
    cache.clear().await.unwrap();
}

#[tokio::test]
async fn invalidating_another_row_does_not_affect_a_flight() {
    on_both_stores(|cache| async move {
        let (gate, runs) = (Gate::new(), Runs::default());
        let leader = begin_row(&cache, &gate, &runs, 12).await;
        for way in WAYS.into_iter().filter(|way| *way != "clear") {
            invalidate_by(way, &cache).await;
        }
        gate.open();
        assert_eq!(soon(leader).await.unwrap(), 1);
        assert_eq!(cache.get::<u32>("overtaken:12").await.unwrap(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_value_set_during_a_flight_is_not_overwritten() {
    on_both_stores(|cache| async move {
        let (gate, runs) = (Gate::new(), Runs::default());
        let leader = begin_row(&cache, &gate, &runs, 1).await;
        let before = begin_row(&cache, &gate, &runs, 1).await;
        cache.set("overtaken:1", &77u32, 60).await.unwrap();
        assert_eq!(soon(row(&gate, &runs, 1)).await, 77);
        gate.open();
        assert_eq!(soon(leader).await.unwrap(), 1);
        assert!([1, 77].contains(&soon(before).await.unwrap()));
        assert_eq!(soon(row(&gate, &runs, 1)).await, 77);
        assert_eq!(runs.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_value_refreshed_during_a_flight_is_not_overwritten() {
    on_both_stores(|cache| async move {
        let (gate, open, runs) = (Gate::new(), Gate::new(), Runs::default());
        open.open();
        let leader = begin_row(&cache, &gate, &runs, 1).await;
        let before = begin_row(&cache, &gate, &runs, 1).await;
        assert_eq!(soon(row_refresh(&open, &runs, 1)).await, 2);
        assert_eq!(
            soon(row(&open, &runs, 1)).await,
            2,
            "the refreshed value is stored"
        );
        gate.open();
        assert_eq!(soon(leader).await.unwrap(), 1);
        assert_eq!(soon(before).await.unwrap(), 1);
        assert_eq!(cache.get::<u32>("overtaken:1").await.unwrap(), Some(2));
    })
    .await;
}

#[tokio::test]
async fn the_value_of_an_invalidated_refresh_is_not_stored() {
    on_both_stores(|cache| async move {
        for way in WAYS {
            let (gate, open, runs) = (Gate::new(), Gate::new(), Runs::default());
            open.open();
            assert_eq!(soon(row(&open, &runs, 1)).await, 1);
            let refresh = {
                let (gate, runs) = (gate.clone(), runs.clone());
                begin(&cache, async move { row_refresh(&gate, &runs, 1).await }).await
            };
            assert_eq!(
                soon(row(&open, &runs, 1)).await,
                1,
                "the old value stays readable"
            );
            invalidate_by(way, &cache).await;
            assert_eq!(soon(row(&open, &runs, 1)).await, 3, "{way}");
            gate.open();
            assert_eq!(soon(refresh).await.unwrap(), 2, "{way}");
            assert_eq!(
                cache.get::<u32>("overtaken:1").await.unwrap(),
                Some(3),
                "{way}"
            );
            cache.clear().await.unwrap();
        }
    })
    .await;
}

#[cacheable(key = "overtaken:fallible", skip(fail, runs))]
async fn fallible(runs: &Runs, fail: bool) -> Result<u32, u32> {
    let run = runs.next();
    if fail { Err(run) } else { Ok(run) }
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_value_and_the_key_usable() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!(fallible(&runs, false).await, Ok(1));
        assert_eq!(fallible_refresh(&runs, true).await, Err(2));
        assert_eq!(
            fallible(&runs, true).await,
            Ok(1),
            "the value is still cached"
        );
        assert_eq!(fallible_refresh(&runs, false).await, Ok(3));
        assert_eq!(fallible(&runs, true).await, Ok(3));
        cache.clear().await.unwrap();
        assert_eq!(
            fallible_refresh(&runs, true).await,
            Err(4),
            "without an entry"
        );
        assert_eq!(soon(fallible(&runs, false)).await, Ok(5));
    })
    .await;
}
