//! Applications of axum, and requests to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{MethodRouter, get};
use cache_http::CacheLayer;
use futures_util::StreamExt as _;
use tower_service::Service as _;

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// Return the value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("it is text"))
    }

    /// Return the value of `Cache-Status` without the cache's name.
    pub fn cache(&self) -> &str {
        let status = self
            .field("cache-status")
            .expect("the layer says what it did");
        status
            .strip_prefix("cache-http; ")
            .expect("its name comes first")
    }

    /// Whether the layer answered from the cache.
    pub fn is_hit(&self) -> bool {
        self.cache().starts_with("hit")
    }
}

/// Counts the runs of a handler.
#[derive(Clone, Debug, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    /// Count one run and return its number, from 1.
    pub fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Return the number of runs so far.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A request without a body.
pub fn request(method: &str, uri: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("the parts are valid")
}

/// A request with a body, which is sent without a type, as `curl -d` could.
pub fn request_with(
    method: &str,
    uri: &str,
    fields: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    request(method, uri, fields).map(|_| body.into())
}

/// Send a request, and read the whole answer.
pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app
        .clone()
        .call(request)
        .await
        .expect("a router is infallible");
    let (parts, body) = response.into_parts();
    let mut read = Vec::new();
    let mut frames = body.into_data_stream();
    while let Some(frame) = frames.next().await {
        read.extend_from_slice(&frame.expect("the body is whole"));
    }
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(read).expect("it is text"),
    }
}

/// Send a `GET`.
pub async fn fetch(app: &Router, uri: &str) -> Answer {
    send(app, request("GET", uri, &[])).await
}

/// Send a `GET` with these fields.
pub async fn fetch_with(app: &Router, uri: &str, fields: &[(&str, &str)]) -> Answer {
    send(app, request("GET", uri, fields)).await
}

/// An application with one route.
pub fn app(path: &str, handlers: MethodRouter, layer: CacheLayer) -> Router {
    Router::new().route(path, handlers.layer(layer))
}

/// An application whose handler answers with the number of its runs.
pub fn counting(path: &str, layer: CacheLayer) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move || async move { format!("run {}", runs.next()) };
    (app(path, get(handler), layer), count)
}

/// An application whose handler answers with these fields.
pub fn with_fields(
    layer: CacheLayer,
    fields: &'static [(&'static str, &'static str)],
) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move || async move {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().expect("it is a value"));
        }
        (headers, format!("run {}", runs.next()))
    };
    (app("/", get(handler), layer), count)
}
