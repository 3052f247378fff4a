//! Tags by the version of the data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use cache_http::{CacheLayer, ContextLayer, page};
use cache_runtime::Cache;
use tests::on_both_stores;

use crate::support::{Count, app, counting, fetch, fetch_with, request, send};

/// The version of the data. Zero: there is none.
#[derive(Clone, Default)]
struct Data {
    version: Arc<AtomicU64>,
    asked: Count,
}

impl Data {
    fn write(&self, version: u64) {
        self.version.store(version, Ordering::SeqCst);
    }

    fn tags(&self, layer: CacheLayer) -> CacheLayer {
        let data = self.clone();
        layer.etag_by(move |_| {
            let data = data.clone();
            async move {
                data.asked.next();
                tokio::task::yield_now().await;
                let version = data.version.load(Ordering::SeqCst);
                (version > 0).then_some(version)
            }
        })
    }
}

fn page(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("etag_by:page")).ttl(60).cache(cache)
}

#[tokio::test]
async fn a_client_with_the_current_version_gets_304_without_the_handler() {
    on_both_stores(|cache| async move {
        let data = Data::default();
        data.write(1);
        let (app, runs) = counting("/", data.tags(page(&cache)));
        let first = fetch(&app, "/").await;
        let tag = first.field("etag").unwrap();
        assert!(tag.starts_with("W/\""), "{tag}");
        // No page is stored anymore, and none is needed.
        cache.delete_pattern("etag_by:page").await.unwrap();
        for method in ["GET", "HEAD"] {
            let fields = [("if-none-match", tag)];
            let second = send(&app, request(method, "/", &fields)).await;
            assert_eq!(second.status, StatusCode::NOT_MODIFIED);
            assert_eq!(second.field("etag"), Some(tag));
            assert_eq!(second.cache(), "hit; detail=etag-by");
            assert_eq!(second.body, "");
        }
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_version_is_not_served() {
    on_both_stores(|cache| async move {
        let data = Data::default();
        data.write(1);
        let (app, _) = counting("/", data.tags(page(&cache)));
        let first = fetch(&app, "/").await;
        assert!(fetch(&app, "/").await.is_hit());
        data.write(2);
        let fields = [("if-none-match", first.field("etag").unwrap())];
        let second = fetch_with(&app, "/", &fields).await;
        assert_eq!((second.status, &*second.body), (StatusCode::OK, "run 2"));
        assert_ne!(second.field("etag"), first.field("etag"));
        assert!(fetch(&app, "/").await.is_hit());
        // One pattern removes the pages of both versions.
        assert_eq!(cache.delete_pattern("etag_by:page").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn two_users_with_the_same_version_have_different_tags() {
    let cache = Cache::builder().build().unwrap();
    let data = Data::default();
    data.write(1);
    let layer = CacheLayer::new(page!("etag_by:<<user>>")).ttl(60);
    let (app, _) = counting("/", data.tags(layer.cache(&cache)));
    let app = app.layer(ContextLayer::new(|parts: &Parts| {
        let id = parts.headers.get("x-user")?;
        Some(id.to_str().ok()?.to_owned())
    }));
    let one = fetch_with(&app, "/", &[("x-user", "1")]).await;
    let fields = [
        ("x-user", "2"),
        ("if-none-match", one.field("etag").unwrap()),
    ];
    let two = fetch_with(&app, "/", &fields).await;
    assert_eq!((two.status, &*two.body), (StatusCode::OK, "run 2"));
}

#[tokio::test]
async fn without_a_version_a_request_is_answered_as_without_the_option() {
    let cache = Cache::builder().build().unwrap();
    let data = Data::default();
    let (app, runs) = counting("/", data.tags(page(&cache)));
    let first = fetch(&app, "/").await;
    let fields = [("if-none-match", first.field("etag").unwrap())];
    let second = fetch_with(&app, "/", &fields).await;
    assert_eq!(second.status, StatusCode::NOT_MODIFIED);
    assert!(second.cache().starts_with("hit; ttl="));
    assert_eq!(runs.get(), 1);
    // Any page will do for `*`, but there has to be one.
    data.write(1);
    let star = fetch_with(&app, "/", &[("if-none-match", "*")]).await;
    assert!(star.cache().starts_with("fwd=uri-miss"), "{}", star.cache());
}

#[tokio::test]
async fn the_version_is_not_asked_for_where_the_cache_may_not_answer() {
    let cache = Cache::builder().build().unwrap();
    let data = Data::default();
    data.write(1);
    let handlers = get(|| async { "page" }).post(|| async { "done" });
    let app = app("/", handlers, data.tags(page(&cache)));
    send(&app, request("POST", "/", &[])).await;
    let answer = fetch_with(&app, "/", &[("cookie", "a=1")]).await;
    assert_eq!(answer.field("etag"), None);
    assert_eq!(data.asked.get(), 0);
    fetch(&app, "/").await;
    assert_eq!(data.asked.get(), 1);
}

#[tokio::test]
async fn a_handlers_own_tag_is_kept() {
    let cache = Cache::builder().build().unwrap();
    let data = Data::default();
    data.write(1);
    let handler = || async { ([("etag", "\"own\"")], "page") };
    let app: Router = app("/", get(handler), data.tags(page(&cache)));
    for _ in 0..2 {
        assert_eq!(fetch(&app, "/").await.field("etag"), Some("\"own\""));
    }
    let own = fetch_with(&app, "/", &[("if-none-match", "\"own\"")]).await;
    assert_eq!(own.status, StatusCode::NOT_MODIFIED);
}
