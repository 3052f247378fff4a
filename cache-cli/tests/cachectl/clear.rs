//! `clear`.

use cache_runtime::{CacheError, cacheable};
use serde_json::json;
use tests::{Gate, RedisServer};

use crate::program::{assert_snapshot, cachectl, service};

#[tokio::test]
async fn a_dry_run_shows_and_removes_nothing() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    let entries = (10..18).map(|id| (format!("posts:{id}"), id));
    cache.set_many(entries, 600).await?;
    let shown = cachectl(&server, &["clear", "--pattern", "posts:*", "--dry-run"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_snapshot("clear_dry_run", &shown.out);
    let shown = cachectl(&server, &["clear", "--all", "--dry-run", "--json"]).json();
    assert_eq!(
        (&shown["entries"], &shown["functions"]),
        (&json!(8), &json!(null))
    );
    assert!(cache.exists("posts:10").await?);
    Ok(())
}

#[tokio::test]
async fn without_a_terminal_it_refuses_unless_it_is_told_not_to_ask() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache
        .set_many([("posts:1", 1), ("posts:2", 2), ("users:1", 3)], 600)
        .await?;
    let refused = cachectl(&server, &["clear", "--pattern", "posts:*"]);
    assert_eq!((refused.code, &refused.out[..]), (2, ""));
    assert!(refused.err.contains("`--yes`"), "{}", refused.err);
    assert!(cache.exists("posts:1").await?);
    let cleared = cachectl(&server, &["clear", "--pattern", "posts:*", "--yes"]);
    assert_eq!(
        (cleared.code, &cleared.out[..]),
        (0, "Removed 2 entries.\n")
    );
    assert!(!cache.exists("posts:1").await?);
    assert!(cache.exists("users:1").await?);
    let cleared = cachectl(&server, &["clear", "--all", "--yes", "--json"]).json();
    assert_eq!(cleared, json!({"pattern": "*", "removed": 1}));
    Ok(())
}

#[cacheable(key = "slow:<<id>>", ttl = 600, skip(gate))]
async fn slow(id: u32, gate: &Gate) -> u32 {
    gate.pass().await;
    id
}

#[tokio::test]
async fn a_computation_that_runs_meanwhile_does_not_store_its_value() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    let gate = Gate::new();
    let running = tokio::spawn({
        let (cache, gate) = (cache.clone(), gate.clone());
        async move { cache.scope(slow(1, &gate)).await }
    });
    gate.reached_by(1).await;
    assert_eq!(
        cachectl(&server, &["clear", "--pattern", "slow:*", "--yes"]).code,
        0
    );
    gate.open();
    assert_eq!(running.await.expect("it ends"), 1);
    assert_eq!(
        cache.get::<u32>("slow:1").await.expect("Redis answers"),
        None
    );
}

#[test]
fn a_function_is_no_target_in_a_program_without_functions() {
    let server = RedisServer::start();
    let refused = cachectl(&server, &["clear", "--function", "get_post", "--yes"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("no annotated functions"),
        "{}",
        refused.err
    );
}
