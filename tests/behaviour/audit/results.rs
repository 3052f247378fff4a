//! Results of audits: stale, raced and equal entries.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheError, cacheable, invalidate};
use serde::{Deserialize, Serialize};
use tests::{Gate, events_of, on_both_stores_with, until};
use tracing::Level;

use super::support::{Results, Table, on_both, until_ended, until_settled};

#[cacheable(key = "audited:rows:<<id>>", audit, skip(table), companions = false)]
async fn row(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[invalidate(patterns = ["audited:rows:<<id>>:*"])]
async fn update_row(table: &Table, id: u32, value: u32) {
    table.set(id, value);
}

#[cacheable(
    key = "audited:lonely:<<id>>",
    audit = 1.0,
    skip(table),
    companions = false
)]
async fn lonely(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[tokio::test]
async fn an_entry_with_the_value_of_its_body_is_ok() {
    on_both(|cache| async move {
        let table = Table::default();
        table.set(1, 7);
        assert_eq!(row(table.clone(), 1).await, 7);
        assert_eq!(
            Results::of(&cache),
            Results::default(),
            "a miss isn't audited"
        );
        assert_eq!(row(table.clone(), 1).await, 7);
        let results = until_ended(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                ok: 1,
                ..Results::default()
            }
        );
        assert_eq!(table.runs.count(), 2);
        let total = cache.snapshot().total();
        assert_eq!(
            (total.hits, total.misses, total.fills),
            (1, 1, 1),
            "it fills nothing"
        );
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_changed_past_the_cache_is_found() {
    on_both(|cache| async move {
        let table = Table::default();
        row(table.clone(), 1).await;
        table.set(1, 8);
        assert_eq!(row(table.clone(), 1).await, 0);
        let results = until_settled(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                stale: 1,
                ..Results::default()
            }
        );
        let found = cache.audits();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, "quickpost:audited:rows:1");
        assert_eq!(found[0].template, "audited:rows:<<id>>");
        assert_eq!(found[0].function, concat!(module_path!(), "::row"));
        let writes = &found[0].writes;
        let expected = concat!(module_path!(), "::update_row");
        assert!(writes.iter().any(|write| write == expected), "{writes:?}");
        assert!(found[0].found > 1_700_000_000_000);
        assert_eq!(cache.snapshot().audits, found);
        assert_eq!(cache.diagnose().await.unwrap().audits, found);
        assert_eq!(row(table.clone(), 1).await, 0, "the entry stays");
        // It is known, so no further audit looks at it.
        let runs = table.runs.count();
        for _ in 0..20 {
            row(table.clone(), 1).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(table.runs.count(), runs);
        // Another entry of the key is another matter.
        update_row(&table, 1, 9).await;
        assert_eq!(row(table.clone(), 1).await, 9);
        row(table.clone(), 1).await;
        assert_eq!(until_ended(&cache, 2).await.ok, 1);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_changed_past_the_cache_is_found_within_fifteen_seconds() {
    // By the real clock, on both stores at once.
    let find = |cache: Cache| async move {
        let table = Table::default();
        row(table.clone(), 1).await;
        table.set(1, 8);
        let begun = Instant::now();
        row(table.clone(), 1).await;
        until("it is found", || async { !cache.audits().is_empty() }).await;
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_secs(10),
            "a write has ten seconds to remove it: {took:?}"
        );
        assert!(took < Duration::from_secs(15), "{took:?}");
        let age = cache.audits()[0].age;
        assert!(
            age >= Duration::from_secs(9) && age < Duration::from_secs(16),
            "{age:?}"
        );
    };
    let stores = tests::Stores::with(|builder| builder.audit(1.0));
    let finds = stores
        .caches
        .iter()
        .map(|(_, cache)| cache.scope(find(cache.clone())));
    for found in finds.map(|find| tokio::spawn(find)).collect::<Vec<_>>() {
        found.await.unwrap();
    }
}

#[tokio::test]
async fn an_entry_that_is_invalidated_meanwhile_has_raced() {
    on_both(|cache| async move {
        let table = Table::default();
        row(table.clone(), 1).await;
        // The row is changed, and its invalidation comes later.
        table.set(1, 8);
        row(table.clone(), 1).await;
        until("the audit's body has run", || async {
            table.runs.count() == 2
        })
        .await;
        update_row(&table, 1, 8).await;
        let results = until_settled(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                raced: 1,
                ..Results::default()
            }
        );
        // Likewise, when it has been filled again by the time of the second look.
        row(table.clone(), 1).await;
        table.set(1, 9);
        row(table.clone(), 1).await;
        until("the audit's body has run", || async {
            table.runs.count() == 4
        })
        .await;
        update_row(&table, 1, 9).await;
        row(table.clone(), 1).await;
        row(table.clone(), 1).await;
        let results = until_settled(&cache, 2).await;
        assert_eq!((results.raced, results.stale), (2, 0));
        assert!(cache.audits().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_is_invalidated_while_the_body_runs_has_raced() {
    #[cacheable(key = "audited:gated", audit, skip(table, gate), companions = false)]
    async fn gated(table: Table, gate: Gate) -> u32 {
        let value = table.row(1);
        if table.runs.count() > 1 {
            gate.pass().await;
        }
        value
    }
    on_both(|cache| async move {
        let (table, gate) = (Table::default(), Gate::new());
        gated(table.clone(), gate.clone()).await;
        table.set(1, 2);
        gated(table.clone(), gate.clone()).await;
        gate.reached_by(1).await;
        cache.delete("audited:gated").await.unwrap();
        gate.open();
        let results = until_ended(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                raced: 1,
                ..Results::default()
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_change_that_is_taken_back_has_raced() {
    on_both(|cache| async move {
        let table = Table::default();
        row(table.clone(), 1).await;
        table.set(1, 8);
        row(table.clone(), 1).await;
        until("the audit's body has run", || async {
            table.runs.count() == 2
        })
        .await;
        table.set(1, 0);
        let results = until_settled(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                raced: 1,
                ..Results::default()
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_value_that_differs_at_each_run_is_not_called_stale() {
    #[cacheable(key = "audited:unrepeatable", audit, skip(table), companions = false)]
    async fn unrepeatable(table: Table) -> u32 {
        table.row(1);
        table.runs.count()
    }
    on_both(|cache| async move {
        let table = Table::default();
        unrepeatable(table.clone()).await;
        unrepeatable(table.clone()).await;
        let results = until_settled(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                failed: 1,
                ..Results::default()
            }
        );
        assert!(cache.audits().is_empty());
    })
    .await;
}

#[derive(Clone, Serialize, Deserialize)]
struct Unordered {
    tags: HashSet<u32>,
}

#[tokio::test]
async fn the_order_of_sets_and_maps_is_no_difference() {
    #[cacheable(key = "audited:set", audit, skip(table), companions = false)]
    async fn set(table: Table) -> HashSet<u32> {
        (0..3 + table.row(1)).collect()
    }
    #[cacheable(key = "audited:map", audit, skip(table), companions = false)]
    async fn map(table: Table) -> HashMap<u32, u32> {
        (0..3 + table.row(1)).map(|id| (id, id)).collect()
    }
    /// Without `PartialEq`, so that only its written form is known.
    #[cacheable(key = "audited:no-equality", audit, skip(table), companions = false)]
    async fn no_equality(table: Table) -> Unordered {
        let tags = (0..3 + table.row(1)).collect();
        Unordered { tags }
    }
    on_both(|cache| async move {
        let table = Table::default();
        let read_all = || async {
            (
                set(table.clone()).await.len(),
                map(table.clone()).await.len(),
                no_equality(table.clone()).await.tags.len(),
            )
        };
        read_all().await;
        while Results::of(&cache).sum() < 60 {
            assert_eq!(read_all().await, (3, 3, 3));
            tokio::task::yield_now().await;
        }
        let results = Results::of(&cache);
        assert_eq!(results.ok, results.sum(), "each order has occurred by now");
        // Another content is a difference.
        table.set(1, 1);
        for _ in 0..200 {
            read_all().await;
            // Audits run beside the calls, and a confirmed difference takes several.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let results = until_settled(&cache, Results::of(&cache).sum() + 3).await;
        assert_eq!((results.stale, results.failed), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn an_order_of_a_list_is_a_difference() {
    #[cacheable(key = "audited:list", audit, skip(table), companions = false)]
    async fn list(table: Table) -> Vec<u32> {
        vec![table.row(1), 2, 3 - table.row(1)]
    }
    on_both(|cache| async move {
        let table = Table::default();
        list(table.clone()).await;
        table.set(1, 3);
        list(table.clone()).await;
        assert_eq!(until_settled(&cache, 1).await.stale, 1);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_gone_or_new_is_found() {
    #[cacheable(
        key = "audited:optional:<<id>>",
        audit,
        cache_none,
        skip(table),
        companions = false
    )]
    async fn optional(table: Table, id: u32) -> Option<u32> {
        Some(table.row(id)).filter(|row| *row > 0)
    }
    on_both(|cache| async move {
        let table = Table::default();
        table.set(1, 1);
        let read = || async {
            (
                optional(table.clone(), 1).await,
                optional(table.clone(), 2).await,
            )
        };
        assert_eq!(read().await, (Some(1), None));
        while Results::of(&cache).ok < 4 {
            assert_eq!(read().await, (Some(1), None));
            tokio::task::yield_now().await;
        }
        table.set(1, 0);
        table.set(2, 2);
        for _ in 0..50 {
            read().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let results = until_settled(&cache, Results::of(&cache).sum() + 2).await;
        assert_eq!(results.stale, 2);
        let keys: BTreeSet<String> = cache.audits().into_iter().map(|found| found.key).collect();
        let expected = [
            "quickpost:audited:optional:1",
            "quickpost:audited:optional:2",
        ];
        assert_eq!(keys, expected.map(str::to_owned).into());
    })
    .await;
}

#[tokio::test]
async fn a_body_that_fails_is_no_answer() {
    #[cacheable(key = "audited:failing", audit, skip(table), companions = false)]
    async fn failing(table: Table) -> Result<u32, String> {
        table.row(1);
        match table.runs.count() {
            1 => Ok(1),
            _ => Err("no".to_owned()),
        }
    }
    on_both(|cache| async move {
        let table = Table::default();
        for _ in 0..2 {
            assert_eq!(failing(table.clone()).await, Ok(1));
        }
        let results = until_ended(&cache, 1).await;
        assert_eq!(
            results,
            Results {
                failed: 1,
                ..Results::default()
            }
        );
        assert_eq!(failing(table.clone()).await, Ok(1));
    })
    .await;
}

#[test]
fn a_stale_entry_is_logged_with_the_writes_that_should_have_reached_it() {
    let events = events_of(Level::WARN, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(on_both(|cache| async move {
            let table = Table::default();
            row(table.clone(), 1).await;
            lonely(table.clone(), 1).await;
            table.set(1, 8);
            // One audit runs at a time, so the other function may have to be called again.
            until("both are found", || async {
                row(table.clone(), 1).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                lonely(table.clone(), 1).await;
                cache.clock().advance(Duration::from_millis(100));
                cache.audits().len() == 2
            })
            .await;
        }));
    });
    let logged: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event.op == "audit")
        .map(|event| (event.function.as_str(), event.message.as_str()))
        .collect();
    assert_eq!(logged.len(), 4, "{events:?}");
    for of_a_store in logged.chunks(2) {
        let (function, message) = of_a_store.iter().find(|event| event.0 == "row").unwrap();
        assert_eq!(*function, "row");
        assert!(
            message.starts_with("[Cache] AUDIT: quickpost:audited:rows:1 is stale"),
            "{message}"
        );
        assert!(
            message.contains(concat!(module_path!(), "::update_row")),
            "{message}"
        );
        let (_, message) = of_a_store.iter().find(|event| event.0 == "lonely").unwrap();
        // The program has a write that removes everything.
        assert!(!message.contains("update_row"), "{message}");
    }
}

#[tokio::test]
async fn the_counts_are_exported_and_published() {
    on_both(|cache| async move {
        let table = Table::default();
        row(table.clone(), 1).await;
        let function = concat!(module_path!(), "::row");
        let line = |result: &str, count: u32| {
            format!("cache_audit_total{{cache=\"quickpost\",function=\"{function}\",result=\"{result}\"}} {count}\n")
        };
        let text = cache.prometheus_text();
        for result in ["ok", "raced", "stale", "failed"] {
            assert!(text.contains(&line(result, 0)), "a rate sees the first one: {text}");
        }
        row(table.clone(), 1).await;
        until_ended(&cache, 1).await;
        assert!(cache.prometheus_text().contains(&line("ok", 1)));
        let fleet = cache.fleet().await.unwrap();
        assert_eq!(fleet.iter().map(|one| one.total().audits_ok).sum::<u64>(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_builder_names_the_mistake() -> Result<(), CacheError> {
    for rate in [-0.1, 1.5, f64::NAN] {
        let error = Cache::builder().audit(rate).build().unwrap_err();
        assert!(error.to_string().contains("from 0 to 1"), "{error}");
    }
    let error = Cache::builder().audit_limit(0).build().unwrap_err();
    assert!(error.to_string().contains("audit_limit"), "{error}");
    Ok(())
}

#[tokio::test]
async fn without_a_rate_a_function_is_audited_only_by_its_own() {
    on_both_stores_with(
        |builder| builder,
        |cache| async move {
            let table = Table::default();
            for _ in 0..20 {
                row(table.clone(), 1).await;
            }
            assert_eq!(table.runs.count(), 1);
            lonely(table.clone(), 1).await;
            lonely(table.clone(), 1).await;
            assert_eq!(until_ended(&cache, 1).await.ok, 1);
        },
    )
    .await;
}
