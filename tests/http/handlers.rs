//! Handlers: what reaches them, what they may do wrong, and what comes back of their responses.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{ConnectInfo, MatchedPath, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use cache_http::{CacheLayer, page};
use cache_runtime::{Cache, context};
use http_body_util::{BodyExt as _, StreamBody};
use tests::{on_both_stores, soon, until};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower::service_fn;
use tower_service::Service as _;

use crate::support::{Count, app, fetch, fetch_with, request, send};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("handlers")).ttl(60).cache(cache)
}

#[derive(Clone)]
struct FromAbove(&'static str);

/// All that a handler can learn of its request besides its URI and fields.
async fn surroundings(
    State(state): State<Count>,
    Extension(above): Extension<FromAbove>,
    path: MatchedPath,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
) -> String {
    let run = state.next();
    let tenant = context::get("tenant").unwrap_or_default();
    format!("run {run}: {} {} {client} {tenant}", above.0, path.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn state_and_extensions_reach_the_handler_on_a_miss_and_on_a_refresh() {
    on_both_stores(|cache| async move {
        let layer = layer(&cache).ttl("30ms").stale("10m");
        let client = SocketAddr::from(([192, 0, 2, 1], 1234));
        let app = Router::new()
            .route("/posts/{slug}", get(surroundings).layer(layer))
            .layer(Extension(FromAbove("above")))
            .layer(MockConnectInfo(client))
            .with_state(Count::default());
        let expected = |run| format!("run {run}: above /posts/{{slug}} 192.0.2.1:1234 acme");
        let ask = || context::scope([("tenant", "acme")], fetch(&app, "/posts/a"));
        assert_eq!(ask().await.body, expected(1));
        until("a page that a refresh has stored is served", || async {
            let answer = ask().await;
            assert!(answer.is_hit(), "refreshes are in the background");
            answer.body == expected(2)
        })
        .await;
    })
    .await;
}

/// A layer outside reads what the handler has put into its response: for the log, for instance.
#[tokio::test]
async fn extensions_of_a_response_reach_the_layers_outside_if_the_handler_ran() {
    on_both_stores(|cache| async move {
        let handler = || async { (Extension(FromAbove("below")), "page") };
        let mut app = app("/", get(handler), layer(&cache));
        let first = app.call(request("GET", "/", &[])).await.unwrap();
        let found = first.extensions().get::<FromAbove>();
        assert_eq!(found.map(|found| found.0), Some("below"));
        let hit = app.call(request("GET", "/", &[])).await.unwrap();
        assert!(hit.extensions().get::<FromAbove>().is_none(), "nobody ran");
    })
    .await;
}

/// A handler whose runs panic while it is told so.
fn panicking(layer: CacheLayer) -> (Router, Count, Arc<AtomicBool>, Arc<Semaphore>) {
    let (runs, panics) = (Count::default(), Arc::new(AtomicBool::new(true)));
    let go_on = Arc::new(Semaphore::new(0));
    let handler = {
        let (runs, panics, go_on) = (runs.clone(), panics.clone(), go_on.clone());
        move || async move {
            let run = runs.next();
            if panics.load(Ordering::SeqCst) {
                go_on.acquire().await.unwrap().forget();
                panics.store(false, Ordering::SeqCst);
                panic!("of the handler, on purpose");
            }
            format!("run {run}")
        }
    };
    (app("/", get(handler), layer), runs, panics, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_handler_lets_those_who_wait_go_on() {
    on_both_stores(|cache| async move {
        let (app, runs, _, go_on) = panicking(layer(&cache));
        let ask = || {
            let app = app.clone();
            tokio::spawn(async move { fetch(&app, "/").await.body })
        };
        let first = ask();
        until("the handler runs", || async { runs.get() == 1 }).await;
        let waiting: Vec<_> = (0..5).map(|_| ask()).collect();
        go_on.add_permits(1);
        assert!(soon(first).await.unwrap_err().is_panic());
        for waiter in waiting {
            assert_eq!(soon(waiter).await.unwrap(), "run 2");
        }
        assert_eq!(fetch(&app, "/").await.body, "run 2");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_that_a_layer_catches_is_an_error_of_one_request() {
    on_both_stores(|cache| async move {
        let (app, _, _, go_on) = panicking(layer(&cache));
        let app = app.layer(tower_http::catch_panic::CatchPanicLayer::new());
        go_on.add_permits(1);
        let first = fetch(&app, "/").await;
        assert_eq!(first.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(fetch(&app, "/").await.body, "run 2");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_refresh_leaves_the_stale_page_and_is_tried_again() {
    on_both_stores(|cache| async move {
        let (app, runs, panics, go_on) = panicking(layer(&cache).ttl("30ms").stale("10m"));
        panics.store(false, Ordering::SeqCst);
        assert_eq!(fetch(&app, "/").await.body, "run 1");
        panics.store(true, Ordering::SeqCst);
        go_on.add_permits(1);
        until("a refresh has panicked", || async {
            assert!(fetch(&app, "/").await.is_hit());
            runs.get() >= 2
        })
        .await;
        until("another one has stored its page", || async {
            let answer = soon(fetch(&app, "/")).await;
            answer.body != "run 1"
        })
        .await;
    })
    .await;
}

/// Not every service is a router: some fail without a response.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_service_is_its_callers_and_those_who_wait_go_on() {
    on_both_stores(|cache| async move {
        let (runs, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
        let inner = {
            let (runs, go_on) = (runs.clone(), go_on.clone());
            service_fn(move |_: Request<Body>| {
                let (run, go_on) = (runs.next(), go_on.clone());
                async move {
                    if run == 1 {
                        go_on.acquire().await.unwrap().forget();
                        return Err("away");
                    }
                    Ok(Response::new(Body::from("page")))
                }
            })
        };
        let service = tower_layer(&layer(&cache), inner);
        let first = tokio::spawn(service.clone().oneshot(request("GET", "/", &[])));
        until("the service runs", || async { runs.get() == 1 }).await;
        let second = tokio::spawn(service.clone().oneshot(request("GET", "/", &[])));
        tokio::task::yield_now().await;
        go_on.add_permits(1);
        assert_eq!(soon(first).await.unwrap().unwrap_err(), "away");
        let second = soon(second).await.unwrap().unwrap();
        let body = second.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((body, runs.get()), (Bytes::from("page"), 2));
    })
    .await;
}

fn tower_layer<S>(layer: &CacheLayer, inner: S) -> cache_http::CacheService<S> {
    use tower::Layer as _;
    layer.layer(inner)
}

#[tokio::test]
async fn a_part_that_the_handler_made_is_not_the_page_of_others() {
    on_both_stores(|cache| async move {
        let handler = || async {
            (
                StatusCode::PARTIAL_CONTENT,
                [
                    ("content-range", "bytes 0-3/10"),
                    ("cache-control", "max-age=60"),
                ],
                "four",
            )
        };
        let app = app("/", get(handler), layer(&cache));
        for _ in 0..2 {
            let answer = fetch_with(&app, "/", &[("range", "bytes=0-3")]).await;
            assert_eq!(
                (answer.status, &*answer.body),
                (StatusCode::PARTIAL_CONTENT, "four")
            );
            assert_eq!(answer.field("content-range"), Some("bytes 0-3/10"));
            assert!(!answer.is_hit());
        }
        assert_eq!(cache.stats().entries, 0);
    })
    .await;
}

/// A handler that validates by itself, as those that serve files do.
async fn validating(headers: HeaderMap) -> Response {
    let response = Response::builder().header("etag", "\"v1\"");
    let is_known = headers
        .get("if-none-match")
        .is_some_and(|tag| tag == "\"v1\"");
    let response = match is_known {
        true => response
            .status(StatusCode::NOT_MODIFIED)
            .body(Body::empty()),
        false => response.body(Body::from("version 1")),
    };
    response.unwrap()
}

/// The first client has the page already. Its 304 must not become the page of others.
#[tokio::test]
async fn a_304_of_the_handler_is_not_the_page_of_others() {
    on_both_stores(|cache| async move {
        let app = app("/", get(validating), layer(&cache));
        let known = [("if-none-match", "\"v1\"")];
        for _ in 0..2 {
            let answer = fetch_with(&app, "/", &known).await;
            assert_eq!(
                (answer.status, &*answer.body),
                (StatusCode::NOT_MODIFIED, "")
            );
            assert_eq!(answer.field("etag"), Some("\"v1\""));
            let whole = fetch(&app, "/").await;
            assert_eq!((whole.status, &*whole.body), (StatusCode::OK, "version 1"));
        }
        let head = send(&app, request("HEAD", "/", &known)).await;
        assert_eq!(head.status, StatusCode::NOT_MODIFIED);
    })
    .await;
}

#[tokio::test]
async fn a_body_with_trailers_comes_through_with_them_and_is_not_stored() {
    on_both_stores(|cache| async move {
        let handler = || async {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-checksum", "1234".parse().unwrap());
            let frames = [
                http_body::Frame::data(Bytes::from("data")),
                http_body::Frame::trailers(trailers),
            ];
            let frames = frames.map(Ok::<_, Infallible>);
            Response::new(Body::new(StreamBody::new(futures_util::stream::iter(
                frames,
            ))))
        };
        let mut app = app("/", get(handler), layer(&cache));
        for _ in 0..2 {
            let response = app.call(request("GET", "/", &[])).await.unwrap();
            let whole = response.into_body().collect().await.unwrap();
            assert_eq!(whole.trailers().unwrap()["x-checksum"], "1234");
            assert_eq!(whole.to_bytes(), "data");
        }
        assert_eq!(cache.stats().entries, 0);
    })
    .await;
}

#[tokio::test]
async fn a_body_longer_than_its_length_is_not_stored() {
    on_both_stores(|cache| async move {
        let handler = || async {
            let chunks = ["too ", "long"].map(Ok::<_, Infallible>);
            Response::builder()
                .header("content-length", "5")
                .body(Body::from_stream(futures_util::stream::iter(chunks)))
                .unwrap()
        };
        let app = app("/", get(handler), layer(&cache));
        for _ in 0..2 {
            let answer = fetch(&app, "/").await;
            assert_eq!((&*answer.body, answer.is_hit()), ("too long", false));
        }
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_stored_with_its_target_if_the_handler_says_how_long() {
    on_both_stores(|cache| async move {
        let handler = || async {
            let fields = [("location", "/new"), ("cache-control", "max-age=60")];
            (StatusCode::MOVED_PERMANENTLY, fields)
        };
        let app = app("/", get(handler), layer(&cache));
        fetch(&app, "/").await;
        let hit = fetch(&app, "/").await;
        assert!(hit.is_hit());
        assert_eq!(hit.status, StatusCode::MOVED_PERMANENTLY);
        assert_eq!(hit.field("location"), Some("/new"));
    })
    .await;
}
