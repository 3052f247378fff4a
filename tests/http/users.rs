//! The user of a request.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Router, extract::State};
use cache_http::{CacheLayer, ContextLayer, User, page};
use cache_runtime::{Cache, cacheable, context};
use tests::on_both_stores;

use crate::support::{Count, counting, fetch, fetch_with};

/// A header in place of a session.
fn user_id(parts: &Parts) -> Option<String> {
    let id = parts.headers.get("x-user")?;
    Some(id.to_str().ok()?.to_owned())
}

fn dashboards(cache: &Cache) -> (Router, Count) {
    let layer = CacheLayer::new(page!("dashboard:<<user>>"))
        .ttl(60)
        .cache(cache);
    let (app, runs) = counting("/", layer);
    (app.layer(ContextLayer::new(user_id)), runs)
}

#[tokio::test]
async fn each_user_has_a_page_of_their_own() {
    on_both_stores(|cache| async move {
        let (app, runs) = dashboards(&cache);
        for _ in 0..2 {
            let one = fetch_with(&app, "/", &[("x-user", "1")]).await;
            let two = fetch_with(&app, "/", &[("x-user", "2")]).await;
            let nobody = fetch(&app, "/").await;
            let bodies = [&*one.body, &*two.body, &*nobody.body];
            assert_eq!(bodies, ["run 1", "run 2", "run 3"]);
            assert_eq!(one.field("cache-control"), Some("private, no-cache"));
        }
        assert_eq!(runs.get(), 3);
        assert_eq!(cache.delete_pattern("dashboard:1").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("dashboard:anon").await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_user_whose_id_is_anon_is_not_nobody() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = dashboards(&cache);
    let ids = ["anon", "=anon", "==anon", "anon=", "a non"];
    let mut bodies = vec![fetch(&app, "/").await.body];
    for id in ids {
        bodies.push(fetch_with(&app, "/", &[("x-user", id)]).await.body);
    }
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 6);
}

#[tokio::test]
async fn credentials_do_not_bypass_a_page_of_one_user() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = dashboards(&cache);
    let fields = [
        ("x-user", "1"),
        ("authorization", "Bearer a"),
        ("cookie", "session=1"),
    ];
    fetch_with(&app, "/", &fields).await;
    assert!(fetch_with(&app, "/", &fields).await.is_hit());
}

#[tokio::test]
async fn without_a_context_layer_a_page_of_users_is_not_cached() {
    let cache = Cache::builder().build().unwrap();
    let layer = CacheLayer::new(page!("dashboard:<<user>>"))
        .ttl(60)
        .cache(&cache);
    let (app, _) = counting("/", layer);
    for _ in 0..2 {
        assert_eq!(fetch(&app, "/").await.cache(), "fwd=bypass");
    }
}

#[cacheable(key = "profiles:<<user>>", ttl = 60, cache = &cache, skip(cache, runs))]
async fn profile(cache: Cache, runs: Count, user: User) -> String {
    format!("{user}, run {}", runs.next())
}

#[tokio::test]
async fn the_user_is_an_argument_of_a_cached_handler() {
    let cache = Cache::builder().build().unwrap();
    let handler = |State((cache, runs)): State<(Cache, Count)>, user: User| async move {
        profile(cache, runs, user).await
    };
    let state = (cache.clone(), Count::default());
    let routes = Router::new().route("/", get(handler)).with_state(state);
    let app = routes.clone().layer(ContextLayer::new(user_id));
    let one = fetch_body(&app, "1").await;
    let two = fetch_body(&app, "2").await;
    assert_eq!((&*one, &*two), ("1, run 1", "2, run 2"));
    assert_eq!(fetch_body(&app, "1").await, one);
    assert!(cache.exists("profiles:1").await.unwrap());
    let without = fetch_status(&routes).await;
    assert_eq!(without, StatusCode::INTERNAL_SERVER_ERROR);
}

async fn fetch_body(app: &Router, user: &str) -> String {
    let request = crate::support::request("GET", "/", &[("x-user", user)]);
    crate::support::send(app, request).await.body
}

async fn fetch_status(app: &Router) -> StatusCode {
    fetch(app, "/").await.status
}

#[tokio::test]
async fn the_context_reaches_code_below_the_handler() {
    let handler = || async { context::get("user_id").unwrap_or_default() };
    let app = Router::new()
        .route("/", get(handler))
        .layer(ContextLayer::new(user_id));
    assert_eq!(fetch_body(&app, "7").await, "7");
    assert_eq!(fetch(&app, "/").await.body, "anon");
    assert_eq!(context::get("user_id"), None);
}

/// An id is one segment of the page's path, whatever is in it.
#[tokio::test]
async fn a_user_whose_id_looks_like_a_pattern_has_one_page() {
    on_both_stores(|cache| async move {
        let (app, runs) = dashboards(&cache);
        let ids = ["1", "*", "**", "1:2", "?", "[1]", "%2A", "%none", "a b"];
        for _ in 0..2 {
            for (nth, id) in ids.iter().enumerate() {
                let answer = fetch_with(&app, "/", &[("x-user", id)]).await;
                assert_eq!(answer.body, format!("run {}", nth + 1), "{id}");
            }
        }
        assert_eq!(runs.get(), ids.len());
        assert_eq!(cache.delete_pattern("dashboard:%2A").await.unwrap(), 1);
        assert!(fetch_with(&app, "/", &[("x-user", "1")]).await.is_hit());
    })
    .await;
}
