//! Writes, and what they remove.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cache_http::{CacheLayer, page};
use cache_runtime::{Cache, invalidate};
use tests::{PATIENCE, RedisServer, on_both_stores, soon, until};
use tower_service::Service as _;

use crate::support::{Count, fetch, request, send};

#[invalidate(patterns = ["posts:<<slug>>:*"], cache = cache)]
async fn rename(cache: &Cache, slug: &str) {}

fn posts(cache: &Cache) -> Router {
    let layer = CacheLayer::new(page!("posts:<<slug>>:page"))
        .ttl(60)
        .cache(cache);
    let runs = Count::default();
    let show = move |Path(slug): Path<String>| async move { format!("{slug} {}", runs.next()) };
    let update = |Path(slug): Path<String>| async move {
        match &*slug {
            "refused" => StatusCode::FORBIDDEN,
            "broken" => StatusCode::INTERNAL_SERVER_ERROR,
            "moved" => StatusCode::SEE_OTHER,
            _ => StatusCode::NO_CONTENT,
        }
    };
    let stuck = || async { std::future::pending::<StatusCode>().await };
    let handlers = get(show).put(update).patch(stuck);
    Router::new().route("/posts/{slug}", handlers.layer(layer))
}

#[tokio::test]
async fn a_write_that_succeeds_removes_its_page_and_no_other() {
    on_both_stores(|cache| async move {
        let app = posts(&cache);
        for slug in ["a", "b", "moved", "refused", "broken"] {
            fetch(&app, &format!("/posts/{slug}")).await;
            fetch(&app, &format!("/posts/{slug}?page=2")).await;
        }
        for (slug, removes) in [
            ("a", true),
            ("moved", true),
            ("refused", false),
            ("broken", false),
        ] {
            let uri = format!("/posts/{slug}");
            let answer = send(&app, request("PUT", &uri, &[])).await;
            assert_eq!(answer.cache(), "fwd=method; detail=method");
            assert_eq!(fetch(&app, &uri).await.is_hit(), !removes, "{slug}");
            let second = fetch(&app, &format!("{uri}?page=2")).await;
            assert_eq!(second.is_hit(), !removes, "all variants of {slug}");
        }
        assert!(fetch(&app, "/posts/b").await.is_hit());
    })
    .await;
}

#[tokio::test]
async fn a_write_whose_client_hangs_up_removes_its_page() {
    on_both_stores(|cache| async move {
        let mut app = posts(&cache);
        fetch(&app, "/posts/a").await;
        let write = app.call(request("PATCH", "/posts/a", &[]));
        let ended = tokio::time::timeout(Duration::from_millis(20), write).await;
        ended.expect_err("the handler never ends");
        until("the page is removed", || {
            let app = app.clone();
            async move { !fetch(&app, "/posts/a").await.is_hit() }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_pattern_of_the_data_reaches_the_page() {
    on_both_stores(|cache| async move {
        let app = posts(&cache);
        fetch(&app, "/posts/a").await;
        rename(&cache, "a").await;
        assert!(!fetch(&app, "/posts/a").await.is_hit());
    })
    .await;
}

#[tokio::test]
async fn by_url_a_write_removes_the_pages_that_its_response_names() {
    let cache = Cache::builder().build().unwrap();
    let create = || async {
        (
            StatusCode::CREATED,
            [
                ("location", "/posts/1"),
                ("content-location", "http://other.example/posts/2"),
            ],
        )
    };
    let app = Router::new()
        .route("/posts", post(create))
        .route("/posts/{id}", get(|| async { "page" }))
        .layer(CacheLayer::by_url().ttl(60).cache(&cache));
    fetch(&app, "/posts/1").await;
    fetch(&app, "/posts/2").await;
    send(&app, request("POST", "/posts", &[("host", "one.example")])).await;
    assert!(!fetch(&app, "/posts/1").await.is_hit());
    assert!(
        fetch(&app, "/posts/2").await.is_hit(),
        "another host's page"
    );
}

#[tokio::test]
async fn a_write_removes_the_pages_of_its_route_that_its_response_names() {
    on_both_stores(|cache| async move {
        let layer = CacheLayer::new(page!("renamed:<<user_id>>:<<slug>>"))
            .ttl(60)
            .cache(&cache);
        let rename = || async {
            let fields = [
                ("location", "/api/users/1/new%20name?from=old"),
                ("content-location", "http://other.example/api/users/1/c"),
            ];
            (StatusCode::SEE_OTHER, fields)
        };
        let handlers = get(|| async { "page" }).put(rename);
        let routes = Router::new().route("/{user_id}/{slug}", handlers.layer(layer));
        let app = Router::new().nest("/api/users", routes);
        let slugs = ["a", "b", "c", "new%20name"];
        for slug in slugs {
            fetch(&app, &format!("/api/users/1/{slug}")).await;
        }
        let host = [("host", "one.example")];
        send(&app, request("PUT", "/api/users/1/a", &host)).await;
        for (slug, stays) in slugs.into_iter().zip([false, true, true, false]) {
            let answer = fetch(&app, &format!("/api/users/1/{slug}")).await;
            assert_eq!(answer.is_hit(), stays, "{slug}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_read_that_began_before_a_write_does_not_store_its_page() {
    on_both_stores(|cache| async move {
        let (entered, go_on) = (
            Count::default(),
            std::sync::Arc::new(tokio::sync::Semaphore::new(0)),
        );
        let show = {
            let (entered, go_on) = (entered.clone(), go_on.clone());
            move || {
                let (run, go_on) = (entered.next(), go_on.clone());
                async move {
                    go_on.acquire().await.unwrap().forget();
                    format!("run {run}")
                }
            }
        };
        let layer = CacheLayer::new(page!("slow")).ttl(60).cache(&cache);
        let app = Router::new().route("/", get(show).layer(layer));
        let reader = tokio::spawn({
            let app = app.clone();
            async move { fetch(&app, "/").await.body }
        });
        until("the handler runs", || {
            let entered = entered.clone();
            async move { entered.get() == 1 }
        })
        .await;
        cache.delete_pattern("slow").await.unwrap();
        go_on.add_permits(2);
        assert_eq!(reader.await.unwrap(), "run 1");
        assert_eq!(fetch(&app, "/").await.body, "run 2");
    })
    .await;
}

/// The path could be mistaken for a full key of the cache.
#[tokio::test]
async fn a_write_removes_a_page_whose_path_begins_with_the_prefix_of_the_cache() {
    for prefix in ["posts", "http"] {
        let server = RedisServer::start();
        let patient = || Cache::builder().response_timeout(PATIENCE).prefix(prefix);
        let caches = [patient(), patient().redis(server.url())];
        for cache in caches.map(|builder| builder.build().unwrap()) {
            let template = page!("posts:<<slug>>:page");
            for layer in [CacheLayer::new(template), CacheLayer::by_url()] {
                let layer = layer.ttl(60).cache(&cache);
                let runs = Count::default();
                let show = move || async move { format!("run {}", runs.next()) };
                let handlers = get(show).put(|| async {}).layer(layer);
                let app = Router::new().route("/posts/{slug}", handlers);
                for run in ["run 1", "run 2"] {
                    assert_eq!(fetch(&app, "/posts/a").await.body, run);
                    assert!(fetch(&app, "/posts/a").await.is_hit());
                    send(&app, request("PUT", "/posts/a", &[])).await;
                }
            }
        }
    }
}

/// The handler of the read has the old data when the write comes.
#[tokio::test]
async fn a_put_that_succeeds_while_a_get_runs_leaves_no_stale_page() {
    on_both_stores(|cache| async move {
        let version = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(1));
        let (entered, go_on) = (
            Count::default(),
            std::sync::Arc::new(tokio::sync::Semaphore::new(0)),
        );
        let order = std::sync::atomic::Ordering::SeqCst;
        let show = {
            let (version, entered, go_on) = (version.clone(), entered.clone(), go_on.clone());
            move || async move {
                let read = version.load(order);
                if entered.next() == 1 {
                    go_on.acquire().await.unwrap().forget();
                }
                format!("version {read}")
            }
        };
        let update = move || async move {
            version.fetch_add(1, order);
        };
        let layer = CacheLayer::new(page!("slow")).ttl(60).cache(&cache);
        let app = Router::new().route("/", get(show).put(update).layer(layer));
        let reader = tokio::spawn({
            let app = app.clone();
            async move { fetch(&app, "/").await.body }
        });
        until("the handler runs", || async { entered.get() == 1 }).await;
        send(&app, request("PUT", "/", &[])).await;
        // A caller that comes after the write doesn't wait for the read that began before it.
        assert_eq!(soon(fetch(&app, "/")).await.body, "version 2");
        go_on.add_permits(1);
        assert_eq!(soon(reader).await.unwrap(), "version 1");
        assert_eq!(fetch(&app, "/").await.body, "version 2");
    })
    .await;
}
