//! A tower layer that makes a cache the current one of a service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::core::Cache;
use crate::current::{InScope, Scope};

/// Makes a cache the current one of each request, in whatever task the request is served: a scope
/// around the test doesn't reach tasks that a server spawns.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use cache_runtime::{assert_hit, assert_miss, cacheable, testing};
/// use tower_service::Service as _;
///
/// #[cacheable(key = "answer")]
/// async fn answer() -> String {
///     "42".to_owned()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = testing::cache();
/// let app: Router = Router::new()
///     .route("/answer", get(answer))
///     .layer(testing::ScopeLayer::new(&cache));
/// let request = || axum::http::Request::new(axum::body::Body::empty());
/// # let request = || { let mut r = request(); *r.uri_mut() = "/answer".parse().unwrap(); r };
/// // Each request in a task of its own, as a server does it.
/// let call = || tokio::spawn(app.clone().call(request()));
/// assert_miss!(cache, call().await.unwrap());
/// assert_hit!(cache, call().await.unwrap());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ScopeLayer {
    cache: Cache,
}

impl ScopeLayer {
    /// Return a layer for this cache.
    ///
    /// ```
    /// use cache_runtime::testing::{self, ScopeLayer};
    ///
    /// let layer = ScopeLayer::new(&testing::cache());
    /// ```
    pub fn new(cache: &Cache) -> Self {
        Self {
            cache: cache.clone(),
        }
    }
}

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeService<S>;

    fn layer(&self, inner: S) -> ScopeService<S> {
        ScopeService {
            cache: self.cache.clone(),
            inner,
        }
    }
}

/// The service of a [`ScopeLayer`].
#[derive(Clone, Debug)]
pub struct ScopeService<S> {
    cache: Cache,
    inner: S,
}

impl<S: Service<R>, R> Service<R> for ScopeService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ScopeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> ScopeFuture<S::Future> {
        // The service may make cached calls before it returns its future.
        let future = self.cache.scope_sync(|| self.inner.call(request));
        ScopeFuture {
            scope: Scope::new(InScope(self.cache.clone()), future),
        }
    }
}

pin_project! {
    /// The future of a [`ScopeService`].
    pub struct ScopeFuture<F> {
        #[pin]
        scope: Scope<F>,
    }
}

impl<F> std::fmt::Debug for ScopeFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScopeFuture").finish_non_exhaustive()
    }
}

impl<F: Future> Future for ScopeFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().scope.poll(cx)
    }
}
