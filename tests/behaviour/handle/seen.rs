//! Observability of a cache: reports, health, figures of the store.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use axum::{Router, routing::get};
use cache_runtime::testing::ScopeLayer;
use cache_runtime::{Cache, CallOutcome, CallReport, assert_hit, assert_miss, cacheable, testing};
use serde_json::json;
use tests::{RedisServer, on_both_stores};
use tower_service::Service;

#[cacheable(key = "seen:<<id>>", ttl = 600)]
async fn row(id: u32) -> u32 {
    id
}

#[cacheable(key = "seen:twice:<<id>>", ttl = 600)]
async fn twice(id: u32) -> u32 {
    row(id).await + row(id).await
}

#[cacheable(key = "seen:brief", ttl = 60, stale = 60)]
async fn brief() -> u32 {
    1
}

#[cacheable(key = "seen:some", condition = *id > 10)]
async fn some(id: &u32) -> u32 {
    *id
}

#[tokio::test]
async fn a_traced_call_reports_a_miss_and_then_a_hit() {
    on_both_stores(|cache| async move {
        let (value, miss) = cache.traced(row(1)).await;
        assert_eq!((value, miss.outcome), (1, CallOutcome::Miss));
        let (_, hit) = cache.traced(row(1)).await;
        assert_eq!(hit.outcome, CallOutcome::Hit);
        assert_eq!(hit.key, row_cache_key_of(&cache, 1).await);
        let left = hit.ttl_left.unwrap();
        assert!((590..=600).contains(&left.as_secs()), "{left:?}");
        assert_eq!(hit.age.unwrap() + left, Duration::from_secs(600));
        assert_eq!(hit.to_string(), "HIT");
    })
    .await;
}

async fn row_cache_key_of(cache: &Cache, id: u32) -> String {
    cache.scope(async { row_cache_key(id) }).await
}

#[tokio::test]
async fn the_outermost_call_is_the_report_and_calls_within_are_the_others() {
    let cache = testing::cache();
    let (_, report) = cache.traced(twice(1)).await;
    let others: Vec<CallOutcome> = report.others.iter().map(|call| call.outcome).collect();
    assert_eq!(report.key, "test:seen:twice:1");
    assert_eq!(report.outcome, CallOutcome::Miss);
    assert_eq!(others, [CallOutcome::Miss, CallOutcome::Hit]);
}

#[tokio::test]
async fn an_expired_value_is_reported_as_stale() {
    let cache = testing::cache();
    cache.traced(brief()).await;
    cache.clock().advance(Duration::from_secs(61));
    let (_, report) = cache.traced(brief()).await;
    assert_eq!(report.outcome, CallOutcome::Stale);
}

#[tokio::test]
async fn a_call_without_the_cache_is_reported_as_a_bypass() {
    let cache = testing::cache();
    let (_, report) = cache.traced(some(&1)).await;
    assert_eq!((report.outcome, &*report.key), (CallOutcome::Bypass, ""));
    let nothing = cache.traced(async {}).await.1;
    assert_eq!(nothing.outcome, CallOutcome::Bypass);
    let (_, companion) = cache.traced(async { row_cache_key(1) }).await;
    assert_eq!(companion.key, "", "a companion that makes a key is no call");
}

#[tokio::test]
async fn a_call_that_waits_for_another_is_reported_as_a_wait() {
    #[cacheable(key = "seen:slow")]
    async fn slow() -> u32 {
        tokio::task::yield_now().await;
        1
    }
    let cache = testing::cache();
    let other = tokio::spawn(cache.scope(slow()));
    tokio::task::yield_now().await;
    let (_, report) = cache.traced(slow()).await;
    assert_eq!(report.outcome, CallOutcome::Wait);
    other.await.unwrap();
}

#[tokio::test]
async fn a_hit_in_the_near_cache_is_reported_as_near() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .redis(server.url())
        .near_cache(1 << 20)
        .build()
        .unwrap();
    let near = async || loop {
        let (_, report) = cache.traced(row(1)).await;
        if report.outcome == CallOutcome::Near {
            return report;
        }
        assert!(report.outcome.is_hit() || report.outcome == CallOutcome::Miss);
    };
    let report = tokio::time::timeout(Duration::from_secs(60), near()).await;
    assert!(report.unwrap().ttl_left.is_some());
}

#[tokio::test]
async fn calls_while_redis_is_out_of_reach_are_reported_as_bypasses() {
    let server = RedisServer::start();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    cache.traced(row(1)).await;
    drop(server);
    cache.traced(row(1)).await;
    let (value, report) = cache.traced(row(1)).await;
    assert_eq!((value, report.outcome), (1, CallOutcome::Bypass));
}

#[test]
fn a_blocking_call_reports_as_well_and_the_thread_remembers_it() {
    #[cacheable(key = "seen:blocking")]
    fn blocking() -> u32 {
        1
    }
    let cache = testing::cache();
    assert_eq!(cache.traced_sync(blocking).1.outcome, CallOutcome::Miss);
    assert_eq!(cache.traced_sync(blocking).1.outcome, CallOutcome::Hit);
    assert_eq!(CallReport::last().unwrap().outcome, CallOutcome::Hit);
}

#[tokio::test]
async fn reports_statistics_and_health_are_json() {
    let cache = testing::cache();
    let (_, report) = cache.traced(row(1)).await;
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({
            "outcome": "miss", "key": "test:seen:1", "age": 0.0, "ttl_left": 600.0, "others": [],
        })
    );
    let stats = serde_json::to_value(cache.stats()).unwrap();
    assert_eq!(
        (&stats["misses"], &stats["entries"]),
        (&json!(1), &json!(1))
    );
    assert!(
        stats["sites"]
            .as_array()
            .is_some_and(|sites| !sites.is_empty())
    );
    let health = serde_json::to_value(cache.health().await).unwrap();
    assert_eq!(
        (&health["store"], &health["healthy"]),
        (&json!("memory"), &json!(true))
    );
}

#[tokio::test]
async fn health_says_which_store_fails_and_why() {
    on_both_stores(|cache| async move {
        let health = cache.health().await;
        assert!(health.healthy && health.cause.is_none(), "{health:?}");
    })
    .await;
    let server = RedisServer::start();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    drop(server);
    let health = cache.health().await;
    assert_eq!((health.store, health.healthy), ("redis", false));
    assert!(health.cause.is_some_and(|cause| !cause.is_empty()));
}

#[tokio::test]
async fn the_store_counts_entries_and_bytes_on_both_stores() {
    on_both_stores(|cache| async move {
        let before = cache.store_stats().await.unwrap();
        cache
            .set_many([("a", 1), ("b", 2), ("c", 3)], 60)
            .await
            .unwrap();
        let stats = cache.store_stats().await.unwrap();
        assert_eq!(stats.entries - before.entries, 3);
        assert!(stats.bytes > 0);
        assert_eq!(stats.evictions, 0);
    })
    .await;
}

#[tokio::test]
async fn evictions_are_counted_in_memory() {
    let cache = Cache::builder().memory_capacity(64 << 10).build().unwrap();
    for id in 0..2_000 {
        cache
            .set(&format!("id:{id}"), &vec![0_u8; 200], 60)
            .await
            .unwrap();
    }
    let stats = cache.store_stats().await.unwrap();
    assert_eq!(stats.entries + stats.evictions, 2_000);
    assert!(stats.evictions > 1_000);
}

#[tokio::test]
async fn store_stats_without_the_permission_is_an_error_and_no_outage() {
    let server = RedisServer::start();
    let _: () = redis::cmd("ACL")
        .arg(&[
            "SETUSER",
            "app",
            "on",
            ">secret",
            "~*",
            "&*",
            "+@all",
            "-zlexcount",
        ])
        .query(&mut server.connect())
        .unwrap();
    let url = server.url().replace("redis://", "redis://app:secret@");
    let cache = Cache::builder().redis(url).build().unwrap();
    let error = cache.store_stats().await.unwrap_err();
    assert!(
        error.to_string().to_lowercase().contains("zlexcount"),
        "{error}"
    );
    assert!(cache.health().await.healthy);
}

/// The title of a post in a database, which is not in the key: a program has one.
#[cacheable(key = "seen:title:<<id>>", skip(database))]
async fn title(database: &'static str, id: u32) -> String {
    format!("post {id} of {database}")
}

/// The application of one test, with its database and its cache.
fn app(database: &'static str, cache: &Cache) -> Router {
    async fn show(State(database): State<&'static str>, Path(id): Path<u32>) -> String {
        title(database, id).await
    }
    Router::new()
        .route("/posts/{id}", get(show))
        .with_state(database)
        .layer(ScopeLayer::new(cache))
}

/// Request a post, in a task of its own as a server does it.
async fn request(app: &Router) -> String {
    let request = Request::get("/posts/1").body(Body::empty()).unwrap();
    let response = tokio::spawn(app.clone().call(request)).await.unwrap();
    let body = axum::body::to_bytes(response.unwrap().into_body(), 1_000);
    String::from_utf8(body.await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn two_databases_of_one_test_program_share_no_entry() {
    let (one, other) = (testing::cache(), testing::cache());
    let (first, second) = (app("the first", &one), app("the second", &other));
    assert_eq!(
        assert_miss!(one, request(&first).await),
        "post 1 of the first"
    );
    assert_eq!(
        assert_miss!(other, request(&second).await),
        "post 1 of the second"
    );
    assert_eq!(
        assert_hit!(one, request(&first).await),
        "post 1 of the first"
    );
    assert_eq!(
        assert_hit!(other, request(&second).await),
        "post 1 of the second"
    );
}
