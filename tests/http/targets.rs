//! Targets that look alike: each is answered as its handler would, whichever was asked before.

use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use futures_util::future::join;
use std::sync::Arc;
use tests::{on_both_stores, soon};
use tokio::sync::Barrier;

use crate::support::{Count, fetch, fetch_with};

/// A program that answers every path with the path as it was sent, and the number of the run.
fn echo(cache: &Cache) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move |uri: Uri| async move {
        runs.next();
        uri.path().to_owned()
    };
    let layer = CacheLayer::by_url().ttl(60).cache(cache);
    let app = Router::new()
        .route("/{*rest}", get(handler.clone()))
        .fallback(get(handler))
        .layer(layer);
    (app, count)
}

#[tokio::test]
async fn no_path_gets_the_page_of_another() {
    on_both_stores(|cache| async move {
        let (app, runs) = echo(&cache);
        let paths = [
            "/a",
            "/a/",
            "//a",
            "/A",
            "/%61",
            "/a/b",
            "/a%2Fb",
            "/a%2fb",
            "/a/../b",
            "/b",
            "/a/./b",
            "/%2e%2e/b",
            "/a+b",
            "/a%20b",
            "/a:b",
            "/a;x=1",
            "/*",
            "/%2A",
            "/%25",
            "/a%00b",
            "/",
        ];
        for _ in 0..2 {
            for path in paths {
                assert_eq!(fetch(&app, path).await.body, path);
            }
        }
        assert_eq!(runs.get(), paths.len(), "each is a page of its own");
    })
    .await;
}

#[tokio::test]
async fn a_wildcard_in_a_path_is_no_pattern_for_writes() {
    on_both_stores(|cache| async move {
        let layer = CacheLayer::by_url().ttl(60).cache(&cache);
        let app = Router::new()
            .route("/{*rest}", get(|| async { "page" }).put(|| async {}))
            .layer(layer);
        fetch(&app, "/posts/1").await;
        for target in ["/posts/*", "/*", "/posts/**", "/posts/%2A", "/posts/?"] {
            let write = crate::support::request("PUT", target, &[]);
            crate::support::send(&app, write).await;
            assert!(fetch(&app, "/posts/1").await.is_hit(), "{target}");
        }
    })
    .await;
}

/// A program that answers with its query as forms are read, and the number of the run.
fn queries(cache: &Cache) -> Router {
    let runs = Count::default();
    let handler = move || async move { format!("run {}", runs.next()) };
    let layer = CacheLayer::new(page!("queries")).ttl(60).cache(cache);
    Router::new().route("/", get(handler).layer(layer))
}

async fn same(app: &Router, one: &str, other: &str) -> bool {
    fetch(app, one).await.body == fetch(app, other).await.body
}

#[tokio::test]
async fn queries_share_a_page_if_they_are_the_same_form() {
    on_both_stores(|cache| async move {
        let app = queries(&cache);
        for (one, other) in [
            ("/?a=1&b=2", "/?b=2&a=1"),
            ("/", "/?"),
            ("/", "/?&"),
            ("/?q=a+b", "/?q=a%20b"),
            ("/?q=%c3%a9", "/?q=%C3%A9"),
            ("/?q=a", "/?q=%61"),
        ] {
            assert!(same(&app, one, other).await, "{one} {other}");
        }
        for (one, other) in [
            ("/?a=1&a=2", "/?a=2&a=1"),
            ("/?a=1&a=2", "/?a=1"),
            ("/?a=1&a=2", "/?a=2"),
            ("/?a", "/?a="),
            ("/?a=b%26c=d", "/?a=b&c=d"),
            ("/?a%3Db=c", "/?a=b=c"),
            ("/?q=a%2Bb", "/?q=a+b"),
            ("/?q=A", "/?q=a"),
            ("/?Q=a", "/?q=a"),
            ("/?a[]=1", "/?a=1"),
            ("/?a=1;b=2", "/?a=1&b=2"),
        ] {
            assert!(!same(&app, one, other).await, "{one} {other}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_url_of_sixty_kilobytes_is_a_page_and_no_other() {
    on_both_stores(|cache| async move {
        let (app, runs) = echo(&cache);
        let long = format!("/{}", "a".repeat(60_000));
        let longer = format!("{long}b");
        for path in [&long, &longer, &long, &longer] {
            assert_eq!(&fetch(&app, path).await.body, path);
        }
        assert_eq!(runs.get(), 2);
        let asked = format!("/?q={}", "b".repeat(60_000));
        let app = queries(&cache);
        assert_eq!(fetch(&app, &asked).await.body, "run 1");
        assert_eq!(fetch(&app, &asked).await.body, "run 1");
        assert_eq!(fetch(&app, &format!("{asked}b")).await.body, "run 2");
    })
    .await;
}

/// Both are in the handler at once: neither waits for the other's response.
#[tokio::test]
async fn requests_with_bad_text_in_their_target_do_not_wait_for_each_other() {
    on_both_stores(|cache| async move {
        let meeting = Arc::new(Barrier::new(2));
        let handler = move |uri: Uri| async move {
            meeting.wait().await;
            uri.to_string()
        };
        let layer = CacheLayer::by_url().ttl(60).cache(&cache);
        let app = Router::new().fallback(get(handler)).layer(layer);
        for (one, other) in [
            ("/a%FF", "/a%FE"),
            ("/a%FF", "/a%FF"),
            ("/?a=%FF", "/?a=%FE"),
        ] {
            let both = join(fetch(&app, one), fetch(&app, other));
            let (first, second) = soon(both).await;
            assert_eq!((&*first.body, &*second.body), (one, other));
            assert_eq!(first.cache(), "fwd=bypass");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_names_two_hosts_bypasses_the_cache() {
    let cache = Cache::builder().build().unwrap();
    let app = queries(&cache);
    fetch_with(&app, "/", &[("host", "one.example")]).await;
    for fields in [
        &[("host", "one.example"), ("host", "other.example")][..],
        &[("host", "one.example"), ("host", "one.example")][..],
        &[("host", "one example")][..],
    ] {
        assert_eq!(fetch_with(&app, "/", fields).await.cache(), "fwd=bypass");
    }
    let differing = fetch_with(&app, "http://other.example/", &[("host", "one.example")]);
    assert_eq!(differing.await.cache(), "fwd=bypass");
}

/// A handler that builds links from such a field would give its page to visitors of another host.
#[tokio::test]
async fn a_forwarded_host_separates_pages_where_the_layer_names_it() {
    on_both_stores(|cache| async move {
        let handler = |headers: axum::http::HeaderMap| async move {
            let host = headers.get("x-forwarded-host");
            host.map_or("none".to_owned(), |host| host.to_str().unwrap().to_owned())
        };
        let layer = CacheLayer::new(page!("forwarded")).ttl(60).cache(&cache);
        let layer = layer.vary(["x-forwarded-host"]);
        let app = Router::new().route("/", get(handler).layer(layer));
        for _ in 0..2 {
            for host in ["evil.example", "good.example"] {
                let answer = fetch_with(&app, "/", &[("x-forwarded-host", host)]).await;
                assert_eq!(answer.body, host);
            }
            assert_eq!(fetch(&app, "/").await.body, "none");
        }
    })
    .await;
}
