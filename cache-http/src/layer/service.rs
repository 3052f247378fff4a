//! The service of a `CacheLayer`: one request, from the lookup to the answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cache_runtime::Cache;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::flow::{Answer, Call};
use super::inner::SharedInner;
use super::unchanged::unchanged;
use super::write::pass;
use crate::body::PageBody;
use crate::page::Page;
use crate::respond::{Asked, respond_fresh, tell};
use crate::route::{Route, Version};
use crate::rules::cache_status::CacheStatus;
use crate::rules::invalidation;

/// The service of a [`CacheLayer`](crate::CacheLayer).
///
/// It is always ready: a hit doesn't wait for a limit within it, such as that of
/// `tower::limit::ConcurrencyLimit`. A request that reaches the handler waits until that is ready.
pub struct CacheService<S> {
    route: Arc<Route>,
    inner: SharedInner<S>,
}

impl<S> CacheService<S> {
    pub(super) fn new(route: Arc<Route>, inner: S) -> Self {
        Self {
            route,
            inner: SharedInner::new(inner),
        }
    }
}

impl<S> Clone for CacheService<S> {
    fn clone(&self) -> Self {
        Self {
            route: Arc::clone(&self.route),
            inner: self.inner.clone(),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for CacheService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.with(|inner| {
            f.debug_struct("CacheService")
                .field("inner", inner)
                .finish_non_exhaustive()
        })
    }
}

pin_project! {
    /// The future of a [`CacheService`]. `F` is that of the service within.
    pub struct CacheFuture<F, R, E>
    where
        R: Body,
    {
        #[pin]
        stage: Stage<F, R, E>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, R, E>
    where
        R: Body,
    {
        // A hit that this process holds.
        Ready { answer: Option<Answer<R, E>> },
        // The handler's own answer to a request that bypasses the cache.
        Passing { #[pin] future: F, route: Arc<Route>, status: CacheStatus },
        Running { running: Pin<Box<dyn Future<Output = Answer<R, E>> + Send>> },
    }
}

impl<F, R: Body, E> CacheFuture<F, R, E> {
    fn ready(answer: Answer<R, E>) -> Self {
        let answer = Some(answer);
        Self {
            stage: Stage::Ready { answer },
        }
    }

    fn running(running: impl Future<Output = Answer<R, E>> + Send + 'static) -> Self {
        let running = Box::pin(running);
        Self {
            stage: Stage::Running { running },
        }
    }
}

impl<F, R, E> Future for CacheFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Answer<R, E>;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().stage.project() {
            StageProjection::Ready { answer } => match answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => unreachable!("a future was polled after its completion"),
            },
            StageProjection::Passing {
                future,
                route,
                status,
            } => {
                let response = ready!(future.poll(cx))?;
                let response = response.map(PageBody::inner);
                Poll::Ready(Ok(tell(response, route, *status)))
            }
            StageProjection::Running { running } => running.as_mut().poll(cx),
        }
    }
}

impl<F, R: Body, E> fmt::Debug for CacheFuture<F, R, E> {
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
    type Future = CacheFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.answer(request, None)
    }
}

impl<S: Clone> CacheService<S> {
    /// Answer a request. `version`: that of its page's data, once `etag_by` has found it.
    pub(super) fn answer<B, R>(
        &mut self,
        request: Request<B>,
        version: Option<Version>,
    ) -> CacheFuture<S::Future, R, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Send + 'static,
        S::Future: Send,
        S::Error: Send,
        B: Body + Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        R::Error: Send,
    {
        let (mut parts, body) = request.into_parts();
        let current;
        let cache = match &self.route.options.cache {
            Some(cache) => cache,
            None => {
                current = Cache::current();
                &current
            }
        };
        let has_body = !body.is_end_stream();
        let known = version.as_ref().and_then(Version::text);
        let (read, mut visit) = match self.route.visit(&mut parts, has_body, known, cache) {
            Ok(visit) => visit,
            Err(status) => return self.pass(Request::from_parts(parts, body), status),
        };
        if let Some(etag_by) = &self.route.options.etag_by
            && version.is_none()
        {
            let finding = etag_by.find(parts.clone());
            let mut service = self.clone();
            let request = Request::from_parts(parts, body);
            return CacheFuture::running(async move {
                let version = finding.await;
                service.answer(request, Some(version)).await
            });
        }
        // A hit that this process holds needs neither a boxed future nor a clone of the service.
        if let Some(found) = read.now::<Page>()
            && let Some(response) = respond_fresh(found.value(), &parts, &self.route)
        {
            return CacheFuture::ready(Ok(response));
        }
        if let Some(response) = unchanged(&parts.headers, &visit, &self.route) {
            return CacheFuture::ready(Ok(response));
        }
        self.route.note_url(&mut visit, &mut parts);
        let call = Call {
            route: Arc::clone(&self.route),
            visit,
            asked: Asked::of(&parts),
            inner: self.inner.take(),
            request: Request::from_parts(parts, body),
        };
        CacheFuture::running(call.answer(read))
    }

    /// Call the handler without the cache.
    fn pass<B, R>(
        &self,
        request: Request<B>,
        status: CacheStatus,
    ) -> CacheFuture<S::Future, R, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Send + 'static,
        S::Future: Send,
        S::Error: Send,
        B: Body + Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        R::Error: Send,
    {
        let mut inner = self.inner.take();
        let route = Arc::clone(&self.route);
        if !invalidation::is_safe(request.method()) {
            return CacheFuture::running(pass(route, inner, request, status));
        }
        // Nearly every service is ready. Its future needs no box then.
        match inner.ready_now() {
            Poll::Ready(Ok(())) => CacheFuture {
                stage: Stage::Passing {
                    future: inner.call_ready(request),
                    route,
                    status,
                },
            },
            Poll::Ready(Err(error)) => CacheFuture::ready(Err(error)),
            Poll::Pending => CacheFuture::running(pass(route, inner, request, status)),
        }
    }
}
