//! `stats`.

use cache_runtime::{CacheError, cacheable};
use tests::RedisServer;

use crate::program::{assert_snapshot, cachectl, service};

#[cacheable(key = "double:<<id>>", ttl = 600)]
async fn double(id: u32) -> u32 {
    id * 2
}

#[tokio::test]
async fn the_counters_of_all_processes_are_summed() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let caches = [
        service(&server, |builder| builder),
        service(&server, |builder| builder),
    ];
    for cache in &caches {
        cache
            .scope(async {
                for _ in 0..4 {
                    assert_eq!(double(3).await, 6);
                }
            })
            .await;
    }
    let doubled = |shown: &serde_json::Value| {
        let functions = shown["functions"].as_array().expect("a list").clone();
        let mut named = functions.into_iter();
        named.find(|function| function["function"] == "cachectl::stats::double")
    };
    tests::until("both processes have published their counters", || async {
        let shown = cachectl(&server, &["stats", "--json"]).json();
        doubled(&shown).is_some_and(|double| double["hits"] == 7)
    })
    .await;
    let shown = cachectl(&server, &["stats", "--json"]).json();
    assert_eq!(
        shown["processes"].as_array().expect("a list").len(),
        2,
        "not cachectl itself"
    );
    assert_eq!(doubled(&shown).expect("it was called")["misses"], 1);
    let text = cachectl(&server, &["stats"]).out;
    assert!(text.contains("cachectl::stats::double"), "{text}");
    Ok(())
}

#[test]
fn a_fleet_without_processes_is_told() {
    let server = RedisServer::start();
    let shown = cachectl(&server, &["stats"]).out;
    let without_memory = shown.lines().filter(|line| !line.starts_with("store"));
    assert_snapshot(
        "stats_empty",
        &without_memory.collect::<Vec<_>>().join("\n"),
    );
}
