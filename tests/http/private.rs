//! Responses that are never stored, and never given to other callers that wait.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use cache_http::{Authorized, CacheLayer, Cookies, page};
use cache_runtime::Cache;
use tests::on_both_stores;
use tokio::sync::{Barrier, Semaphore};

use crate::support::{Count, app, counting, fetch, fetch_with, with_fields};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("private")).ttl(60).cache(cache)
}

#[tokio::test]
async fn responses_for_one_client_are_not_stored() {
    on_both_stores(|cache| async move {
        let refused: &[(&'static [(&str, &str)], &str)] = &[
            (&[("set-cookie", "session=1")], "set-cookie"),
            (&[("cache-control", "no-store")], "no-store"),
            (&[("cache-control", "max-age=60, No-Store")], "no-store"),
            (
                &[
                    ("cache-control", "max-age=x"),
                    ("cache-control", "no-store"),
                ],
                "no-store",
            ),
            (&[("cache-control", "private")], "private"),
            (&[("vary", "*")], "vary-star"),
            (&[("cache-control", "max-age=0")], "expired"),
            (&[("expires", "0")], "expired"),
        ];
        for (fields, reason) in refused {
            let (app, runs) = with_fields(layer(&cache), fields);
            for run in 1..=2 {
                let answer = fetch(&app, "/").await;
                assert_eq!(answer.cache(), format!("fwd=uri-miss; detail={reason}"));
                assert_eq!(answer.body, format!("run {run}"));
            }
            assert_eq!(runs.get(), 2, "{fields:?}");
        }
    })
    .await;
}

/// Ten callers ask at once; the handler sets a cookie for each. Every one of them is for its own
/// client, and they run side by side: the barrier opens only if all are in the handler together.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_wait_for_a_private_response_run_side_by_side() {
    on_both_stores(|cache| async move {
        let (first, others) = (Arc::new(Semaphore::new(0)), Arc::new(Barrier::new(9)));
        let runs = Count::default();
        let handler = {
            let (first, others, runs) = (first.clone(), others.clone(), runs.clone());
            move || {
                let (first, others, run) = (first.clone(), others.clone(), runs.next());
                async move {
                    match run {
                        1 => first.acquire().await.unwrap().forget(),
                        _ => {
                            others.wait().await;
                        }
                    }
                    (
                        [("set-cookie", format!("session={run}"))],
                        format!("run {run}"),
                    )
                }
            }
        };
        let app = app("/", get(handler), layer(&cache));
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { fetch(&app, "/").await })
            })
            .collect();
        while runs.get() == 0 {
            tokio::task::yield_now().await;
        }
        first.add_permits(1);
        let mut cookies = Vec::new();
        for caller in callers {
            let answer = tokio::time::timeout(Duration::from_secs(60), caller).await;
            let answer = answer.expect("no caller waits for another").unwrap();
            cookies.push(answer.field("set-cookie").unwrap().to_owned());
        }
        cookies.sort();
        cookies.dedup();
        assert_eq!((cookies.len(), runs.get()), (10, 10));
    })
    .await;
}

#[tokio::test]
async fn requests_with_credentials_bypass_the_cache() {
    on_both_stores(|cache| async move {
        for field in [("authorization", "Bearer a"), ("cookie", "session=a")] {
            let (app, runs) = counting("/", layer(&cache));
            assert!(!fetch_with(&app, "/", &[field]).await.is_hit());
            fetch(&app, "/").await;
            let after = fetch_with(&app, "/", &[field]).await;
            assert!(after.cache().starts_with("fwd=bypass"), "{}", after.cache());
            assert_eq!(runs.get(), 3, "{field:?}");
            cache.clear().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_layer_can_be_told_that_credentials_do_not_matter() {
    let cache = Cache::builder().build().unwrap();
    let open = layer(&cache)
        .authorized(Authorized::Public)
        .cookies(Cookies::Ignored);
    let (app, runs) = counting("/", open);
    for field in [("authorization", "Bearer a"), ("cookie", "session=a")] {
        fetch_with(&app, "/", &[field]).await;
    }
    assert!(fetch(&app, "/").await.is_hit());
    assert_eq!(runs.get(), 1);
}

#[tokio::test]
async fn a_cookie_in_the_key_separates_its_values_and_others_bypass() {
    let cache = Cache::builder().build().unwrap();
    let layer = CacheLayer::new(page!("themes:<<cookie.theme>>"))
        .ttl(60)
        .cache(&cache);
    let (app, _) = counting("/", layer);
    let dark = fetch_with(&app, "/", &[("cookie", "theme=dark")])
        .await
        .body;
    let light = fetch_with(&app, "/", &[("cookie", "theme=light")])
        .await
        .body;
    let none = fetch(&app, "/").await.body;
    assert_eq!((&*dark, &*light, &*none), ("run 1", "run 2", "run 3"));
    assert_eq!(
        fetch_with(&app, "/", &[("cookie", "theme=dark")])
            .await
            .body,
        dark
    );
    let other = fetch_with(&app, "/", &[("cookie", "theme=dark; session=1")]).await;
    assert!(other.cache().starts_with("fwd=bypass"), "{}", other.cache());
}

#[tokio::test]
async fn an_answer_after_401_is_the_handlers() {
    on_both_stores(|cache| async move {
        let runs = Count::default();
        let handler = {
            let runs = runs.clone();
            move || {
                let run = runs.next();
                async move {
                    match run {
                        1 => (StatusCode::UNAUTHORIZED, "log in".to_owned()),
                        run => (StatusCode::OK, format!("run {run}")),
                    }
                }
            }
        };
        let app = app("/", get(handler), layer(&cache));
        assert_eq!(fetch(&app, "/").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(fetch(&app, "/").await.body, "run 2");
        assert_eq!(fetch(&app, "/").await.body, "run 2");
    })
    .await;
}

#[tokio::test]
async fn requests_that_the_handler_must_decide_bypass_the_cache() {
    let cache = Cache::builder().build().unwrap();
    let (app, runs) = counting(
        "/",
        layer(&cache).bypass(|parts| parts.uri.query() == Some("raw")),
    );
    fetch(&app, "/").await;
    for field in [
        ("if-match", "\"a\""),
        ("if-unmodified-since", "Fri, 01 May 2020 10:00:00 GMT"),
        ("upgrade", "websocket"),
    ] {
        assert!(!fetch_with(&app, "/", &[field]).await.is_hit(), "{field:?}");
    }
    assert_eq!(fetch(&app, "/?raw").await.cache(), "fwd=bypass");
    assert_eq!(runs.get(), 5);
}

#[tokio::test]
async fn a_layer_that_is_off_passes_everything_on() {
    let cache = Cache::builder().build().unwrap();
    let (app, runs) = counting("/", layer(&cache).enabled(false));
    fetch(&app, "/").await;
    assert_eq!(fetch(&app, "/").await.cache(), "fwd=bypass");
    assert_eq!((runs.get(), cache.stats().entries), (2, 0));
}

#[tokio::test]
async fn requests_are_obeyed_only_if_the_layer_says_so() {
    let cache = Cache::builder().build().unwrap();
    let reload = [("cache-control", "no-cache")];
    let (deaf, runs) = counting("/", layer(&cache));
    fetch(&deaf, "/").await;
    assert!(fetch_with(&deaf, "/", &reload).await.is_hit());
    assert_eq!(runs.get(), 1);
    let (obeying, runs) = counting("/", layer(&cache).obey_requests());
    let answer = fetch_with(&obeying, "/", &reload).await;
    assert_eq!((answer.cache(), runs.get()), ("fwd=request", 1));
}
