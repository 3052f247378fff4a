//! Requests through a router of axum: the bare handler, and `cache-http` around it.

use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tower_service::Service as _;

use crate::counted;

const CACHE_STATUS_NAME: HeaderName = HeaderName::from_static("cache-status");

/// Repeat one kind of request.
pub(crate) fn run(kind: &str, times: u64) {
    let cache = Cache::builder().build().expect("the settings are valid");
    let layer = CacheLayer::new(page!("posts:<<slug>>:page")).ttl(3600);
    let layer = layer.vary(["accept-language"]).cache(&cache);
    let (app, body) = match kind {
        "bare" | "bare64" | "bare1024" => (None, kind),
        "bypass" => (Some(layer.bypass(|_| true)), "1"),
        _ => (Some(layer), kind),
    };
    let size = match body.trim_start_matches(|one: char| one.is_ascii_alphabetic()) {
        "64" => 64 << 10,
        "1024" => 1 << 20,
        _ => 1 << 10,
    };
    let mut app = router(size, app);
    let first = answer(&mut app, request(None));
    match kind {
        "304" => {
            let tag = first.headers()["etag"].clone();
            let ask = || answer(&mut app.clone(), request(Some(&tag)));
            assert_eq!(ask().status(), StatusCode::NOT_MODIFIED);
            measured(&mut app, Some(&tag), times);
        }
        "miss" => {
            let app = &mut app;
            let pattern = "posts:my-first-post-17:page";
            let cell = std::cell::RefCell::new(app);
            counted(times, || {
                let removed = cache.blocking().delete_pattern(pattern);
                let response = answer(&mut cell.borrow_mut(), request(None));
                (removed, response)
            });
        }
        "delete" => counted(times, || {
            cache
                .blocking()
                .delete_pattern("posts:my-first-post-17:page")
        }),
        _ => {
            let again = answer(&mut app, request(None));
            let status = again.headers().get(CACHE_STATUS_NAME);
            let status = status.map(|status| status.to_str().expect("ASCII"));
            let expected = match kind {
                "bypass" => Some("cache-http; fwd=bypass"),
                kind if kind.starts_with("hit") => Some("cache-http; hit; ttl=3"),
                _ => None,
            };
            let known = status.is_some_and(|status| status.starts_with(expected.unwrap_or("?")));
            assert_eq!(known, expected.is_some(), "{status:?}");
            measured(&mut app, None, times);
        }
    }
}

fn measured(app: &mut Router, tag: Option<&HeaderValue>, times: u64) {
    let app = std::cell::RefCell::new(app);
    counted(times, || answer(&mut app.borrow_mut(), request(tag)));
}

fn router(size: usize, layer: Option<CacheLayer>) -> Router {
    let body = Bytes::from(vec![b'a'; size]);
    let content_type = HeaderValue::from_static("text/html; charset=utf-8");
    let handler = move || {
        let body = body.clone();
        let content_type = content_type.clone();
        async move { ([(CONTENT_TYPE, content_type)], body) }
    };
    let handler = get(handler);
    let handler = match layer {
        Some(layer) => handler.layer(layer),
        None => handler,
    };
    // As `axum::serve` does: otherwise axum builds the route's service for each request.
    Router::new().route("/posts/{slug}", handler).with_state(())
}

fn request(tag: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = axum::http::Uri::from_static("/posts/my-first-post-17");
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("example.com"));
    headers.insert("accept-language", HeaderValue::from_static("de, en;q=0.5"));
    if let Some(tag) = tag {
        headers.insert(IF_NONE_MATCH, tag.clone());
    }
    request
}

/// Send a request whose answer is ready at the first poll.
fn answer(app: &mut Router, request: Request<Body>) -> Response<Body> {
    let future = std::pin::pin!(app.call(request));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("the answer is in this process"),
    }
}
