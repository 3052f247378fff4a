//! The form of answers: fields, conditions, ranges, `HEAD`.

use axum::Extension;
use axum::http::StatusCode;
use axum::routing::get;
use cache_http::{CacheLayer, NoEtag, NoStore, page};
use cache_runtime::Cache;
use tests::on_both_stores;

use crate::support::{app, counting, fetch, fetch_with, request, send, with_fields};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("answers")).ttl(60).cache(cache)
}

#[tokio::test]
async fn a_second_request_is_answered_without_the_handler() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache));
        let first = fetch(&app, "/").await;
        assert_eq!((first.status, &*first.body), (StatusCode::OK, "run 1"));
        assert_eq!(first.cache(), "fwd=uri-miss; stored");
        assert_eq!(first.field("age"), None, "it was made for this request");
        let second = fetch(&app, "/").await;
        assert_eq!((second.status, &*second.body), (StatusCode::OK, "run 1"));
        assert!(second.is_hit(), "{}", second.cache());
        assert_eq!(second.field("age"), Some("0"));
        assert_eq!(second.field("cache-control"), Some("no-cache"));
        for name in ["etag", "date", "content-type"] {
            assert_eq!(first.field(name), second.field(name), "{name}");
            assert!(second.field(name).is_some(), "{name}");
        }
        assert_eq!(runs.get(), 1);
        assert_eq!(cache.delete_pattern("answers").await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_is_known_is_answered_with_304() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache));
        let first = fetch(&app, "/").await;
        let tag = first.field("etag").unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        let strong = tag.trim_start_matches("W/").to_owned();
        for known in [
            tag.clone(),
            strong,
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = fetch_with(&app, "/", &[("if-none-match", &known)]).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!((&*answer.body, answer.field("content-type")), ("", None));
            assert_eq!(answer.field("etag"), Some(&*tag));
            assert_eq!(answer.field("cache-control"), Some("no-cache"));
            assert!(answer.is_hit());
        }
        let other = fetch_with(&app, "/", &[("if-none-match", "\"other\"")]).await;
        assert_eq!((other.status, &*other.body), (StatusCode::OK, "run 1"));
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_condition_on_a_miss_is_decided_by_the_page_that_is_stored() {
    on_both_stores(|cache| async move {
        let (app, _) = counting("/", layer(&cache));
        let tag = fetch(&app, "/").await.field("etag").unwrap().to_owned();
        cache.clear().await.unwrap();
        let (again, _) = counting("/", layer(&cache));
        let answer = fetch_with(&again, "/", &[("if-none-match", &tag)]).await;
        assert_eq!(
            answer.status,
            StatusCode::NOT_MODIFIED,
            "the page is the same"
        );
        assert!(
            fetch(&again, "/").await.is_hit(),
            "and the whole of it was stored"
        );
    })
    .await;
}

#[tokio::test]
async fn a_date_that_is_recent_enough_is_answered_with_304() {
    let cache = Cache::builder().build().unwrap();
    let modified = "Fri, 01 May 2020 10:00:00 GMT";
    let (app, _) = with_fields(
        layer(&cache),
        &[("last-modified", "Fri, 01 May 2020 10:00:00 GMT")],
    );
    fetch(&app, "/").await;
    let same = fetch_with(&app, "/", &[("if-modified-since", modified)]).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let older = [("if-modified-since", "Fri, 01 May 2020 09:59:59 GMT")];
    assert_eq!(fetch_with(&app, "/", &older).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_single_range_is_cut_from_the_stored_page() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache));
        // On a miss, too: the handler answers with the whole.
        let miss = fetch_with(&app, "/", &[("range", "bytes=0-2")]).await;
        assert_eq!(
            (miss.status, &*miss.body),
            (StatusCode::PARTIAL_CONTENT, "run")
        );
        let hit = fetch_with(&app, "/", &[("range", "bytes=4-")]).await;
        assert_eq!((hit.status, &*hit.body), (StatusCode::PARTIAL_CONTENT, "1"));
        assert_eq!(hit.field("content-range"), Some("bytes 4-4/5"));
        assert_eq!(hit.field("content-length"), Some("1"));
        let beyond = fetch_with(&app, "/", &[("range", "bytes=9-")]).await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.field("content-range"), Some("bytes */5"));
        let several = fetch_with(&app, "/", &[("range", "bytes=0-0,2-2")]).await;
        assert_eq!((several.status, &*several.body), (StatusCode::OK, "run 1"));
        let changed = [("range", "bytes=0-0"), ("if-range", "\"other\"")];
        assert_eq!(fetch_with(&app, "/", &changed).await.status, StatusCode::OK);
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_head_is_answered_from_the_page_and_stores_nothing() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache));
        let before = send(&app, request("HEAD", "/", &[])).await;
        assert_eq!((before.status, &*before.body), (StatusCode::OK, ""));
        assert!(!before.is_hit());
        fetch(&app, "/").await;
        assert_eq!(runs.get(), 2, "a HEAD has no body that could be stored");
        let after = send(&app, request("HEAD", "/", &[])).await;
        assert!(after.is_hit());
        assert_eq!(
            (&*after.body, after.field("content-length")),
            ("", Some("5"))
        );
        assert_eq!(runs.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn fields_come_back_in_order_and_those_of_the_connection_do_not() {
    on_both_stores(|cache| async move {
        let fields = &[
            ("x-one", "1"),
            ("connection", "x-hop, keep-alive"),
            ("x-hop", "of the connection"),
            ("keep-alive", "timeout=5"),
            ("link", "</a>; rel=next"),
            ("link", "</b>; rel=prev"),
            ("etag", "\"of the handler\""),
        ];
        let (app, _) = with_fields(layer(&cache), fields);
        fetch(&app, "/").await;
        let hit = fetch(&app, "/").await;
        assert!(hit.is_hit());
        let links: Vec<_> = hit.headers.get_all("link").iter().collect();
        assert_eq!(links, ["</a>; rel=next", "</b>; rel=prev"]);
        assert_eq!(hit.field("etag"), Some("\"of the handler\""));
        assert_eq!(hit.field("x-one"), Some("1"));
        for name in ["x-hop", "connection", "keep-alive"] {
            assert_eq!(hit.field(name), None, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_handler_can_refuse_to_be_stored_or_tagged() {
    let cache = Cache::builder().build().unwrap();
    let untagged = app(
        "/",
        get(|| async { (Extension(NoEtag), "page") }),
        layer(&cache),
    );
    fetch(&untagged, "/").await;
    let hit = fetch(&untagged, "/").await;
    assert!(hit.is_hit());
    assert_eq!(hit.field("etag"), None);
    cache.clear().await.unwrap();
    let unstored = app(
        "/",
        get(|| async { (Extension(NoStore), "page") }),
        layer(&cache),
    );
    for _ in 0..2 {
        assert_eq!(
            fetch(&unstored, "/").await.cache(),
            "fwd=uri-miss; detail=no-store"
        );
    }
}

#[tokio::test]
async fn a_browser_may_keep_a_page_if_the_layer_says_so() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = counting("/", layer(&cache).browser("30s"));
    assert_eq!(
        fetch(&app, "/").await.field("cache-control"),
        Some("max-age=30")
    );
    let (app, _) = with_fields(layer(&cache).version(1), &[("cache-control", "max-age=5")]);
    assert_eq!(
        fetch(&app, "/").await.field("cache-control"),
        Some("max-age=5")
    );
}

#[tokio::test]
async fn statuses_need_freshness_of_their_own_unless_the_layer_names_them() {
    on_both_stores(|cache| async move {
        let missing = || get(|| async { (StatusCode::NOT_FOUND, "nothing") });
        let unnamed = app("/", missing(), layer(&cache));
        for _ in 0..2 {
            assert_eq!(
                fetch(&unnamed, "/").await.cache(),
                "fwd=uri-miss; detail=no-freshness"
            );
        }
        let named = app(
            "/",
            missing(),
            layer(&cache).statuses([StatusCode::NOT_FOUND]),
        );
        fetch(&named, "/").await;
        let hit = fetch(&named, "/").await;
        assert!(hit.is_hit());
        assert_eq!(hit.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_field_of_the_status_can_have_another_name() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = counting("/", layer(&cache).status_header("x-cache"));
    let answer = fetch(&app, "/").await;
    assert_eq!(
        answer.field("x-cache"),
        Some("cache-http; fwd=uri-miss; stored")
    );
    assert_eq!(answer.field("cache-status"), None);
}
