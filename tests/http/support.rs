//! An application, and requests to it.

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
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Return the value of `Cache-Status` without the cache's name.
    pub(crate) fn cache(&self) -> &str {
        let status = self
            .field("cache-status")
            .expect("the layer says what it did");
        status
            .strip_prefix("cache-http; ")
            .expect("its name comes first")
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.cache().starts_with("hit")
    }
}

/// Counts the runs of a handler.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A request without a body.
pub(crate) fn request(method: &str, uri: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// Send a request, and read the whole answer.
pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let mut read = Vec::new();
    let mut frames = body.into_data_stream();
    while let Some(frame) = frames.next().await {
        read.extend_from_slice(&frame.unwrap());
    }
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(read).unwrap(),
    }
}

pub(crate) async fn fetch(app: &Router, uri: &str) -> Answer {
    send(app, request("GET", uri, &[])).await
}

pub(crate) async fn fetch_with(app: &Router, uri: &str, fields: &[(&str, &str)]) -> Answer {
    send(app, request("GET", uri, fields)).await
}

/// An application with one route.
pub(crate) fn app(path: &str, handlers: MethodRouter, layer: CacheLayer) -> Router {
    Router::new().route(path, handlers.layer(layer))
}

/// An application whose handler answers with the number of its runs.
pub(crate) fn counting(path: &str, layer: CacheLayer) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move || async move { format!("run {}", runs.next()) };
    (app(path, get(handler), layer), count)
}

/// An application whose handler answers with these fields.
pub(crate) fn with_fields(
    layer: CacheLayer,
    fields: &'static [(&'static str, &'static str)],
) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move || async move {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        (headers, format!("run {}", runs.next()))
    };
    (app("/", get(handler), layer), count)
}
