//! Layers around several routes, nested routers, fallbacks and other layers.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, Uri};
use axum::routing::{any, get, post};
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tests::{on_both_stores, soon, until};
use tokio::sync::Semaphore;
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::support::{Count, counting, fetch, request, send};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("routers")).ttl(60).cache(cache)
}

/// The template names nothing of the path: without the path, all routes would have one page.
#[tokio::test]
async fn routes_below_one_layer_have_pages_of_their_own() {
    on_both_stores(|cache| async move {
        let app = Router::new()
            .route("/a", get(|| async { "a" }))
            .route("/b", get(|| async { "b" }))
            .layer(layer(&cache));
        for _ in 0..2 {
            assert_eq!(fetch(&app, "/a").await.body, "a");
            assert_eq!(fetch(&app, "/b").await.body, "b");
        }
        assert!(fetch(&app, "/b").await.is_hit());
        assert_eq!(cache.delete_pattern("routers").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn nested_routers_below_one_layer_have_pages_of_their_own() {
    on_both_stores(|cache| async move {
        let show = |name: &'static str| {
            move |Path(id): Path<String>| async move { format!("{name} {id}") }
        };
        let layer = CacheLayer::new(page!("nested:<<id>>"))
            .ttl(60)
            .cache(&cache);
        let inner = |name| Router::new().route("/{id}", get(show(name)).layer(layer.clone()));
        let app = Router::new()
            .nest("/one", inner("one"))
            .nest("/two", inner("two"));
        for _ in 0..2 {
            assert_eq!(fetch(&app, "/one/1").await.body, "one 1");
            assert_eq!(fetch(&app, "/two/1").await.body, "two 1");
        }
        assert!(fetch(&app, "/two/1").await.is_hit());
        assert_eq!(cache.delete_pattern("nested:1").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_fallback_has_one_page_for_each_path() {
    on_both_stores(|cache| async move {
        for layer in [layer(&cache), CacheLayer::by_url().ttl(60).cache(&cache)] {
            let fallback = |uri: Uri| async move { uri.path().to_owned() };
            let app = Router::new().fallback(fallback).layer(layer);
            for _ in 0..2 {
                assert_eq!(fetch(&app, "/a/b").await.body, "/a/b");
                assert_eq!(fetch(&app, "/c").await.body, "/c");
            }
            assert!(fetch(&app, "/c").await.is_hit());
        }
    })
    .await;
}

#[tokio::test]
async fn what_no_route_matches_is_not_stored() {
    on_both_stores(|cache| async move {
        let app = Router::new()
            .route("/a", get(|| async { "a" }))
            .route("/b", post(|| async {}))
            .layer(CacheLayer::by_url().ttl(60).cache(&cache));
        for _ in 0..2 {
            let missing = fetch(&app, "/nowhere").await;
            assert_eq!(
                (missing.status, missing.is_hit()),
                (StatusCode::NOT_FOUND, false)
            );
            let other = fetch(&app, "/b").await;
            assert_eq!(
                (other.status, other.is_hit()),
                (StatusCode::METHOD_NOT_ALLOWED, false)
            );
            assert_eq!(other.field("allow"), Some("POST"));
        }
    })
    .await;
}

#[tokio::test]
async fn other_safe_methods_are_the_handlers_and_remove_nothing() {
    on_both_stores(|cache| async move {
        let handlers = any(|method: axum::http::Method| async move { method.to_string() });
        let app = Router::new().route("/", handlers.layer(layer(&cache)));
        assert_eq!(fetch(&app, "/").await.body, "GET");
        for method in ["OPTIONS", "TRACE"] {
            assert_eq!(send(&app, request(method, "/", &[])).await.body, method);
        }
        assert!(fetch(&app, "/").await.is_hit());
        assert_eq!(send(&app, request("PURGE", "/", &[])).await.body, "PURGE");
        assert!(
            !fetch(&app, "/").await.is_hit(),
            "an unknown method may have changed it"
        );
    })
    .await;
}

/// Both layers have the page: the outer one is hit first, and its answer names both.
#[tokio::test]
async fn a_layer_within_another_does_not_wait_for_itself() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache));
        let app = app.layer(CacheLayer::by_url().ttl(60).cache(&cache));
        assert_eq!(soon(fetch(&app, "/")).await.body, "run 1");
        let second = soon(fetch(&app, "/")).await;
        assert_eq!((&*second.body, runs.get()), ("run 1", 1));
        assert!(second.headers.contains_key("cache-status"));
    })
    .await;
}

/// One request holds the only place. Pages that are cached need none, and a caller that waits for a page
/// holds none.
#[tokio::test(flavor = "multi_thread")]
async fn a_concurrency_limit_inside_neither_deadlocks_nor_delays_hits() {
    on_both_stores(|cache| async move {
        let go_on = Arc::new(Semaphore::new(0));
        let runs = Count::default();
        let handler = {
            let (go_on, runs) = (go_on.clone(), runs.clone());
            move |Path(name): Path<String>| async move {
                runs.next();
                if name == "slow" {
                    go_on.acquire().await.unwrap().forget();
                }
                name
            }
        };
        let layer = CacheLayer::new(page!("limited:<<name>>"))
            .ttl(60)
            .cache(&cache);
        let both = (layer, GlobalConcurrencyLimitLayer::new(1));
        let app = Router::new().route("/{name}", get(handler).layer(both));
        soon(fetch(&app, "/fast")).await;
        let slow: Vec<_> = (0..3)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { fetch(&app, "/slow").await.body })
            })
            .collect();
        until("the slow handler runs", || async { runs.get() == 2 }).await;
        assert!(soon(fetch(&app, "/fast")).await.is_hit());
        go_on.add_permits(1);
        for caller in slow {
            assert_eq!(soon(caller).await.unwrap(), "slow");
        }
        assert_eq!(soon(fetch(&app, "/other")).await.body, "other");
        assert_eq!(runs.get(), 3);
    })
    .await;
}

/// A layer between the router and the cache chooses the page that is shown, by the visitor's group.
#[tokio::test]
async fn a_path_that_a_layer_outside_has_rewritten_is_part_of_the_key() {
    on_both_stores(|cache| async move {
        let rewrite = |mut request: axum::extract::Request| async move {
            if request.headers().contains_key("x-group") {
                *request.uri_mut() = Uri::from_static("/experiment");
            }
            request
        };
        for layer in [layer(&cache), CacheLayer::by_url().ttl(60).cache(&cache)] {
            let handlers = get(|uri: Uri| async move { uri.path().to_owned() });
            let rewritten = axum::middleware::map_request(rewrite);
            let app = Router::new().route("/", handlers.layer(layer).layer(rewritten));
            for _ in 0..2 {
                assert_eq!(fetch(&app, "/").await.body, "/");
                let answer = crate::support::fetch_with(&app, "/", &[("x-group", "b")]).await;
                assert_eq!(answer.body, "/experiment");
            }
        }
    })
    .await;
}
