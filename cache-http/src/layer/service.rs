//! The service of a `CacheLayer`: one request, from the lookup to the answer.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cache_runtime::Cache;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::Route;
use super::flow::{Answer, Call};
use super::write::pass;
use crate::body::PageBody;
use crate::page::Page;
use crate::respond::{Asked, hit, respond};
use crate::rules::freshness::Freshness;

/// The service of a [`CacheLayer`](crate::CacheLayer).
pub struct CacheService<S> {
    route: Arc<Route>,
    inner: S,
}

impl<S> CacheService<S> {
    pub(super) fn new(route: Arc<Route>, inner: S) -> Self {
        Self { route, inner }
    }
}

impl<S: Clone> Clone for CacheService<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.route), self.inner.clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for CacheService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// The future of a [`CacheService`].
pub struct CacheFuture<R, E>(Stage<R, E>)
where
    R: Body;

enum Stage<R: Body, E> {
    /// A hit that this process holds.
    Ready(Option<Answer<R, E>>),
    Running(Pin<Box<dyn Future<Output = Answer<R, E>> + Send>>),
}

impl<R: Body, E> Unpin for CacheFuture<R, E> {}

impl<R: Body, E> Future for CacheFuture<R, E> {
    type Output = Answer<R, E>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Stage::Ready(answer) => match answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => unreachable!("a future was polled after its completion"),
            },
            Stage::Running(running) => running.as_mut().poll(cx),
        }
    }
}

impl<R: Body, E> fmt::Debug for CacheFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheFuture")
    }
}

impl<S, B, R> Service<Request<B>> for CacheService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Body + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    type Response = Response<PageBody<R>>;
    type Error = S::Error;
    type Future = CacheFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let visit = match self.route.visit(&mut parts, !body.is_end_stream()) {
            Ok(visit) => visit,
            Err(status) => {
                let request = Request::from_parts(parts, body);
                let route = Arc::clone(&self.route);
                let passing = pass(route, self.take_inner(), request, status);
                return CacheFuture(Stage::Running(Box::pin(passing)));
            }
        };
        let cache = self.route.options.cache.clone();
        let cache = cache.unwrap_or_else(Cache::current);
        let asked = Asked::of(&parts);
        // A hit that this process holds needs neither a boxed future nor a clone of the service.
        if let Some(found) = visit.read(&cache, &self.route).now::<Page>()
            && asked.freshness(found.value(), &self.route) == Freshness::Fresh
        {
            let page = found.value();
            let response = respond(page, &asked, &self.route, hit(page));
            return CacheFuture(Stage::Ready(Some(Ok(response))));
        }
        let call = Call {
            route: Arc::clone(&self.route),
            cache,
            visit,
            asked,
            inner: self.take_inner(),
            request: Request::from_parts(parts, body),
        };
        CacheFuture(Stage::Running(Box::pin(call.answer())))
    }
}

impl<S: Clone> CacheService<S> {
    /// Take the service that is ready, and leave a clone that has yet to become so.
    fn take_inner(&mut self) -> S {
        let clone = self.inner.clone();
        mem::replace(&mut self.inner, clone)
    }
}
