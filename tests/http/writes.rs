//! Writes, and what they remove.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cache_http::{CacheLayer, page};
use cache_runtime::{Cache, invalidate};
use tests::{on_both_stores, until};
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
