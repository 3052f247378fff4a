//! A cache by hand: `http-cache-semantics` over a map behind a lock.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response};
use axum::routing::Route;
use http_cache_semantics::{BeforeRequest, CachePolicy};
use tower::{Layer, Service};

type Map = Arc<Mutex<HashMap<String, (CachePolicy, Bytes)>>>;

/// The layer.
#[derive(Clone, Default)]
pub struct SemanticsLayer(Map);

impl Layer<Route> for SemanticsLayer {
    type Service = SemanticsService;
    fn layer(&self, inner: Route) -> SemanticsService {
        let map = Arc::clone(&self.0);
        SemanticsService { map, inner }
    }
}

/// The service.
#[derive(Clone)]
pub struct SemanticsService {
    map: Map,
    inner: Route,
}

impl Service<Request<Body>> for SemanticsService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (map, mut inner) = (Arc::clone(&self.map), self.inner.clone());
        Box::pin(async move {
            let found = {
                let map = map.lock().unwrap_or_else(PoisonError::into_inner);
                map.get(request.uri().path()).and_then(|(policy, body)| {
                    match policy.before_request(&request, SystemTime::now()) {
                        BeforeRequest::Fresh(parts) => Some((parts, body.clone())),
                        BeforeRequest::Stale { .. } => None,
                    }
                })
            };
            if let Some((parts, body)) = found {
                return Ok(Response::from_parts(parts, Body::from(body)));
            }
            let (asked, body) = request.into_parts();
            let response = inner.call(Request::from_parts(asked.clone(), body)).await?;
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let response = Response::from_parts(parts, Body::from(body.clone()));
            let policy = CachePolicy::new(&asked, &response);
            if policy.is_storable() {
                let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
                map.insert(asked.uri.path().to_owned(), (policy, body));
            }
            Ok(response)
        })
    }
}
