//! Allocations of a request through a router of axum that a page answers.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ETAG, HOST, IF_NONE_MATCH};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri};
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tower_service::Service as _;

fn request(tag: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/posts/my-post");
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("example.com"));
    if let Some(tag) = tag {
        headers.insert(IF_NONE_MATCH, tag.clone());
    }
    request
}

/// Return the answer of an application that has it ready.
fn answer(app: &mut Router, request: Request<Body>) -> Response<Body> {
    match pin!(app.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("nothing waits"),
    }
}

/// Return the allocations of one request, without those of building it.
fn of_one(app: &mut Router, tag: Option<&HeaderValue>, status: StatusCode) -> u64 {
    // The fields of an answer are written once a second.
    let counts = (0..20).map(|_| {
        let request = request(tag);
        let info = measure(|| assert_eq!(answer(app, request).status(), status));
        info.count_total
    });
    counts.min().unwrap()
}

#[test]
fn a_page_from_memory_takes_few_allocations_besides_those_of_axum() {
    let cache = Cache::builder().build().unwrap();
    let body = Bytes::from(vec![b'a'; 1 << 10]);
    let handler = move || {
        let body = body.clone();
        async move { body }
    };
    let layer = || {
        CacheLayer::new(page!("posts:<<slug>>:page"))
            .ttl(600)
            .cache(&cache)
    };
    let app = |layer: Option<CacheLayer>| {
        let handler = get(handler.clone());
        let handler = match layer {
            Some(layer) => handler.layer(layer),
            None => handler,
        };
        // As `axum::serve` does: otherwise axum builds the route's service for each request.
        Router::new().route("/posts/{slug}", handler).with_state(())
    };
    let mut bare = app(None);
    let of_bare = of_one(&mut bare, None, StatusCode::OK);
    let mut cached = app(Some(layer()));
    let tag = answer(&mut cached, request(None)).headers()[ETAG].clone();
    let of_hit = of_one(&mut cached, None, StatusCode::OK);
    let of_304 = of_one(&mut cached, Some(&tag), StatusCode::NOT_MODIFIED);
    let of_bypass = of_one(
        &mut app(Some(layer().bypass(|_| true))),
        None,
        StatusCode::OK,
    );
    let counts = format!("bare {of_bare}, hit {of_hit}, 304 {of_304}, bypass {of_bypass}");
    assert!(of_hit < of_bare, "{counts}");
    // axum adds a `Content-Length` to it.
    assert!(of_304 <= of_hit + 1, "{counts}");
    assert!(of_bypass <= of_bare + 5, "{counts}");
}
