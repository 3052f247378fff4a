//! The service around which the layer is. Only requests that reach it clone it: for a service of
//! axum that is an allocation, which a hit doesn't need.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use http::Request;
use tower_service::Service;

/// The service, shared by all clones of a [`CacheService`](crate::CacheService).
pub(super) struct SharedInner<S>(Arc<Mutex<S>>);

impl<S> SharedInner<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Apply a function to the service itself.
    pub(super) fn with<T>(&self, use_it: impl FnOnce(&S) -> T) -> T {
        use_it(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Clone> SharedInner<S> {
    /// Return a service for one request.
    pub(super) fn take(&self) -> Inner<S> {
        Inner(self.with(S::clone))
    }
}

impl<S> Clone for SharedInner<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The service of one request. It may have to wait until it is ready.
pub(super) struct Inner<S>(S);

impl<S> Inner<S> {
    /// Wait until the service is ready, and call it.
    pub(super) async fn call<B>(&mut self, request: Request<B>) -> Result<S::Response, S::Error>
    where
        S: Service<Request<B>>,
    {
        poll_fn(|cx| self.0.poll_ready(cx)).await?;
        self.0.call(request).await
    }

    /// Return whether the service is ready now. If it isn't, [`call`](Self::call) waits for it.
    pub(super) fn ready_now<B>(&mut self) -> Poll<Result<(), S::Error>>
    where
        S: Service<Request<B>>,
    {
        // `call` polls again, with the waker of the request's task.
        self.0.poll_ready(&mut Context::from_waker(Waker::noop()))
    }

    /// Call the service, which is ready.
    pub(super) fn call_ready<B>(&mut self, request: Request<B>) -> S::Future
    where
        S: Service<Request<B>>,
    {
        self.0.call(request)
    }
}
