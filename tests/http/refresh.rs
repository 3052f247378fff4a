//! Stale pages, failing handlers, many callers, several processes, a store that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tests::{RedisServer, on_both_stores, until};
use tokio::sync::Semaphore;
use tower_service::Service as _;

use crate::support::{Count, app, counting, fetch, request};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("refresh")).ttl(60).cache(cache)
}

/// A handler that can be made to fail, and counts its runs.
fn failing(layer: CacheLayer) -> (Router, Count, Arc<AtomicBool>) {
    let (runs, fails) = (Count::default(), Arc::new(AtomicBool::new(false)));
    let handler = {
        let (runs, fails) = (runs.clone(), fails.clone());
        move || {
            let (run, fails) = (runs.next(), fails.load(Ordering::SeqCst));
            async move {
                match fails {
                    true => (StatusCode::BAD_GATEWAY, "away".to_owned()),
                    false => (StatusCode::OK, format!("run {run}")),
                }
            }
        }
    };
    (app("/", get(handler), layer), runs, fails)
}

/// Whether the answer is a page past its freshness.
fn is_stale(cache: &str) -> bool {
    cache.starts_with("hit; ttl=-")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_page_is_served_while_the_handler_is_asked_in_the_background() {
    on_both_stores(|cache| async move {
        let (app, runs) = counting("/", layer(&cache).ttl("30ms").stale("10m"));
        fetch(&app, "/").await;
        until("a stale page is served", || async {
            let answer = fetch(&app, "/").await;
            assert!(
                answer.is_hit(),
                "no caller waits for the handler: {}",
                answer.cache()
            );
            is_stale(answer.cache())
        })
        .await;
        until("a page of another run is served", || async {
            fetch(&app, "/").await.body != "run 1"
        })
        .await;
        assert!(runs.get() >= 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_expired_is_served_if_the_handler_fails() {
    on_both_stores(|cache| async move {
        let (app, runs, fails) = failing(layer(&cache).ttl("30ms").stale_if_error("10m"));
        fetch(&app, "/").await;
        fails.store(true, Ordering::SeqCst);
        until("the handler has failed", || async {
            let answer = fetch(&app, "/").await;
            assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "run 1"));
            runs.get() >= 2
        })
        .await;
        // The handler may have failed in the millisecond in which the page expired.
        until("the page is past its freshness", || async {
            is_stale(fetch(&app, "/").await.cache())
        })
        .await;
        fails.store(false, Ordering::SeqCst);
        until("it works again", || async {
            fetch(&app, "/").await.body != "run 1"
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_fails_without_a_page_gives_its_own_answer() {
    on_both_stores(|cache| async move {
        let (app, runs, fails) = failing(layer(&cache).stale_if_error("10m"));
        fails.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            assert_eq!(fetch(&app, "/").await.status, StatusCode::BAD_GATEWAY);
        }
        assert_eq!(runs.get(), 2);
    })
    .await;
}

/// `must-revalidate` beats the layer's `stale` and `stale_if_error`.
#[tokio::test]
async fn a_page_that_must_not_be_stale_is_not_served_stale() {
    let cache = Cache::builder().build().unwrap();
    let layer = layer(&cache).ttl("30ms").stale("10m").stale_if_error("10m");
    let runs = Count::default();
    let counted = runs.clone();
    let handler = move || {
        let run = counted.next();
        async move { ([("cache-control", "must-revalidate")], format!("run {run}")) }
    };
    let app = app("/", get(handler), layer);
    fetch(&app, "/").await;
    until("it has expired", || async {
        let answer = fetch(&app, "/").await;
        assert!(!is_stale(answer.cache()), "{}", answer.cache());
        !answer.is_hit()
    })
    .await;
    assert!(runs.get() >= 2);
}

/// A handler that waits until it is let go.
fn held(layer: CacheLayer) -> (Router, Count, Arc<Semaphore>) {
    let (runs, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
    let handler = {
        let (runs, go_on) = (runs.clone(), go_on.clone());
        move || {
            let (run, go_on) = (runs.next(), go_on.clone());
            async move {
                go_on.acquire().await.unwrap().forget();
                format!("run {run}")
            }
        }
    };
    (app("/", get(handler), layer), runs, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_run_the_handler_once() {
    on_both_stores(|cache| async move {
        let (app, runs, go_on) = held(layer(&cache));
        let callers: Vec<_> = (0..1_000)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { fetch(&app, "/").await.body })
            })
            .collect();
        until("the handler runs", || async { runs.get() == 1 }).await;
        go_on.add_permits(1);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), "run 1");
        }
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_waits_takes_over_from_a_client_that_hangs_up() {
    on_both_stores(|cache| async move {
        let (app, runs, go_on) = held(layer(&cache));
        let mut first = app.clone();
        let leading = tokio::spawn(async move { first.call(request("GET", "/", &[])).await });
        until("the handler runs", || async { runs.get() == 1 }).await;
        let waiting = tokio::spawn({
            let app = app.clone();
            async move { fetch(&app, "/").await.body }
        });
        leading.abort();
        until("it runs again", || async { runs.get() == 2 }).await;
        go_on.add_permits(1);
        assert_eq!(waiting.await.unwrap(), "run 2");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_one_process_is_served_by_another() {
    let server = RedisServer::start();
    let caches = [1, 2].map(|_| {
        let builder = Cache::builder().prefix("pages").redis(server.url());
        builder.response_timeout(tests::PATIENCE).build().unwrap()
    });
    let [(one, first), (other, second)] =
        [&caches[0], &caches[1]].map(|cache| counting("/", layer(cache)));
    let stored = fetch(&one, "/").await;
    let served = fetch(&other, "/").await;
    assert!(served.is_hit());
    assert_eq!(
        (&served.body, served.field("etag")),
        (&stored.body, stored.field("etag"))
    );
    assert_eq!((first.get(), second.get()), (1, 0));
    caches[1].delete_pattern("refresh").await.unwrap();
    assert_eq!(fetch(&one, "/").await.body, "run 2");
}

#[tokio::test]
async fn a_store_that_is_away_leaves_the_handlers_answers() {
    let server = RedisServer::start();
    let cache = Cache::builder().prefix("pages").redis(server.url());
    let cache = cache
        .response_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let (app, runs) = counting("/", layer(&cache));
    fetch(&app, "/").await;
    drop(server);
    for run in 2..=4 {
        let answer = fetch(&app, "/").await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, format!("run {run}"))
        );
    }
    assert_eq!(runs.get(), 4);
}

/// The read of a page within the handler of that page would wait for itself.
#[tokio::test]
async fn a_page_that_asks_for_itself_does_not_hang() {
    let cache = Cache::builder().build().unwrap();
    let app: Arc<std::sync::OnceLock<Router>> = Arc::default();
    let inner = Arc::clone(&app);
    let handler = move |headers: axum::http::HeaderMap| async move {
        match headers.contains_key("x-inner") {
            true => "inner".to_owned(),
            false => {
                let app = inner.get().unwrap();
                let answer = crate::support::fetch_with(app, "/", &[("x-inner", "1")]);
                Box::pin(answer).await.body
            }
        }
    };
    let router = crate::support::app("/", get(handler), layer(&cache));
    app.set(router.clone()).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), fetch(&router, "/"));
    assert_eq!(answer.await.expect("it ends").body, "inner");
}

/// The refresh has read the old data when the write comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_began_before_a_write_does_not_store_its_page() {
    on_both_stores(|cache| async move {
        let version = Arc::new(AtomicUsize::new(1));
        let (refreshes, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
        let show = {
            let (version, refreshes) = (version.clone(), refreshes.clone());
            let go_on = go_on.clone();
            move || async move {
                let read = version.load(Ordering::SeqCst);
                // The first run makes the page, and the second one refreshes it.
                if refreshes.next() == 2 {
                    go_on.acquire().await.unwrap().forget();
                }
                format!("version {read}")
            }
        };
        let update = {
            let version = version.clone();
            move || async move {
                version.fetch_add(1, Ordering::SeqCst);
            }
        };
        let layer = layer(&cache).ttl("30ms").stale("10m");
        let app = app("/", get(show).put(update), layer);
        fetch(&app, "/").await;
        until("a refresh has begun", || async {
            assert_eq!(fetch(&app, "/").await.body, "version 1");
            refreshes.get() == 2
        })
        .await;
        crate::support::send(&app, request("PUT", "/", &[])).await;
        assert_eq!(fetch(&app, "/").await.body, "version 2");
        go_on.add_permits(1);
        // The refresh ends some time: whatever is served meanwhile is new.
        for _ in 0..50 {
            assert_eq!(fetch(&app, "/").await.body, "version 2");
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Redis dies while a page is computed, and others wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_dies_under_a_flight_leaves_its_callers_their_answers() {
    let server = RedisServer::start();
    let cache = Cache::builder().prefix("pages").redis(server.url());
    let cache = cache.response_timeout(Duration::from_millis(200)).build();
    let (app, runs, go_on) = held(layer(&cache.unwrap()));
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { fetch(&app, "/").await })
        })
        .collect();
    until("the handler runs", || async { runs.get() == 1 }).await;
    drop(server);
    go_on.add_permits(100);
    for caller in callers {
        let answer = tests::soon(caller).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.starts_with("run "), "{}", answer.body);
    }
    assert!(tests::soon(fetch(&app, "/")).await.body.starts_with("run "));
}

/// A handler that looks at conditions and ranges, as those that serve files do.
async fn file(headers: axum::http::HeaderMap, run: usize) -> axum::response::Response {
    let response = axum::response::Response::builder();
    let body = format!("run {run}");
    let response = match () {
        () if headers.contains_key("if-none-match") => response.status(304).body("".to_owned()),
        () if headers.contains_key("range") => response.status(206).body(body[..1].to_owned()),
        () => response.body(body),
    };
    response.unwrap().map(axum::body::Body::from)
}

/// The request that finds a stale page may ask for a part of it, or whether it has changed. The
/// refresh asks for all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_asks_for_the_whole_whatever_its_request_asked_for() {
    on_both_stores(|cache| async move {
        let asked: [(&str, &[(&str, &str)]); 3] = [
            ("GET", &[("range", "bytes=0-0")]),
            ("GET", &[("if-none-match", "\"other\"")]),
            (
                "GET",
                &[("if-modified-since", "Fri, 01 May 2020 10:00:00 GMT")],
            ),
        ];
        for (method, fields) in asked {
            cache.clear().await.unwrap();
            let runs = Count::default();
            let counted = runs.clone();
            let handler = move |headers| file(headers, counted.next());
            let layer = layer(&cache).ttl("30ms").stale("10m");
            let app = app("/", get(handler), layer);
            assert_eq!(fetch(&app, "/").await.body, "run 1");
            until("a refresh has begun", || async {
                crate::support::send(&app, request(method, "/", fields)).await;
                runs.get() >= 2
            })
            .await;
            until("its page is served", || async {
                let answer = fetch(&app, "/").await;
                assert!(
                    answer.is_hit() && answer.status == StatusCode::OK,
                    "{answer:?}"
                );
                answer.body != "run 1"
            })
            .await;
        }
    })
    .await;
}

/// A cache on the web has stored the empty answer to a HEAD while the page was stale.
#[tokio::test]
async fn a_head_of_a_stale_page_does_not_replace_it() {
    on_both_stores(|cache| async move {
        let (app, _) = counting("/", layer(&cache).ttl("30ms").stale("10m"));
        fetch(&app, "/").await;
        until("the page is stale", || async {
            let head = crate::support::send(&app, request("HEAD", "/", &[])).await;
            assert_eq!(
                (head.status, head.field("content-length")),
                (StatusCode::OK, Some("5"))
            );
            !head.is_hit() || is_stale(head.cache())
        })
        .await;
        let answer = fetch(&app, "/").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "run 1"));
        assert!(answer.is_hit());
    })
    .await;
}

/// The refresh of a page of one user is a request of that user.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_made_for_the_user_of_the_page() {
    on_both_stores(|cache| async move {
        let runs = Count::default();
        let counted = runs.clone();
        let handler = move |user: cache_http::User| {
            let run = counted.next();
            async move {
                tokio::task::yield_now().await;
                let context = cache_runtime::context::get("user_id").unwrap();
                format!("{user} {context} {run}")
            }
        };
        let layer = CacheLayer::new(page!("refresh:<<user>>")).cache(&cache);
        let user = |parts: &axum::http::request::Parts| {
            Some(parts.headers.get("x-user")?.to_str().ok()?.to_owned())
        };
        let app = app("/", get(handler), layer.ttl("10ms").stale("10m"))
            .layer(cache_http::ContextLayer::new(user));
        until("pages of three users were refreshed often", || async {
            for (user, name) in [("A", "A"), ("B", "B"), ("", "")] {
                let fields = [("x-user", user)];
                let answer = crate::support::fetch_with(&app, "/", &fields).await;
                let expected = format!("{name} {name} ");
                assert!(answer.body.starts_with(&expected), "{}", answer.body);
            }
            runs.get() >= 12
        })
        .await;
    })
    .await;
}
