//! The service: one request, from its rights to the answer.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use cache_runtime::Cache;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::access::Access;
use super::body::AdminBody;
use super::limiter::Limiter;
use super::page::File;
use super::reply::Reply;
use super::routes::Route;
use super::stream::Clients;
use super::{
    change, clear, doctor, events, fleet, health, keys, received, routes, stats, table, warm,
};

type AccessFuture = Pin<Box<dyn Future<Output = Access> + Send>>;

/// The admin API of one cache. Built by [`admin`](crate::admin).
///
/// A tower service for any path: `Router::nest_service("/admin/cache", service)` of axum. Clones
/// share the limit of failures.
#[derive(Clone)]
pub struct AdminService {
    shared: Arc<Shared>,
}

struct Shared {
    cache: Cache,
    access: Box<dyn Fn(Parts) -> AccessFuture + Send + Sync>,
    limiter: Limiter,
    clients: Arc<Clients>,
}

impl fmt::Debug for AdminService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminService")
    }
}

impl AdminService {
    pub(super) fn new(
        cache: Cache,
        access: impl Fn(Parts) -> AccessFuture + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                cache,
                access: Box::new(access),
                limiter: Limiter::new(Instant::now()),
                clients: Arc::default(),
            }),
        }
    }

    /// Return the number of requests that were denied, without those that were answered with `429`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// use cache_http::{Access, admin};
    ///
    /// let service = admin(Cache::builder().build()?).access(|_| async { Access::Read });
    /// assert_eq!(service.failures(), 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn failures(&self) -> u64 {
        self.shared.limiter.failures()
    }
}

impl<B> Service<Request<B>> for AdminService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<AdminBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AdminBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let reply = match shared.answer(&parts, body).await {
                Ok(reply) | Err(reply) => reply,
            };
            Ok(reply.into_response(parts.method == Method::HEAD))
        })
    }
}

impl Shared {
    /// Answer a request. Its rights come first: a caller without any learns nothing about the routes.
    /// The dashboard's files are the same for everyone.
    async fn answer<B: Body>(&self, parts: &Parts, body: B) -> Result<Reply, Reply> {
        let path = parts.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        if let Some(file) = File::of(path) {
            routes::allow_reads(&parts.method)?;
            return Ok(file.reply(parts));
        }
        let access = self.access_of(parts).await?;
        let route = Route::of(&parts.method, path)?;
        if route.is_change() {
            if access < Access::Admin {
                let error = "changes need `Access::Admin`; this request has `Access::Read`";
                return Err(Reply::error(StatusCode::FORBIDDEN, error));
            }
            if !change::is_of_this_origin(parts) {
                let error = "changes need a bearer token, or `Sec-Fetch-Site: same-origin`, which a browser sends for a page of this origin";
                return Err(Reply::error(StatusCode::FORBIDDEN, error));
            }
        }
        Ok(match route {
            Route::Stats => stats::stats(&self.cache).await,
            Route::Health => health::health(&self.cache).await,
            Route::HitRate => stats::hit_rates(&self.cache),
            Route::Metrics => stats::metrics(&self.cache),
            Route::Topology => stats::functions_of_program(parts)?,
            Route::Keys => keys::keys(&self.cache, parts).await?,
            Route::Key => keys::key(&self.cache, parts, access).await?,
            Route::Fleet => fleet::fleet(&self.cache).await,
            Route::Sizes => fleet::sizes(&self.cache).await?,
            Route::Doctor => doctor::doctor(&self.cache).await,
            Route::Events => events::events(&self.cache, &self.clients, parts).await?,
            Route::Table => table::table(&self.cache).await,
            Route::Clear => clear::clear(&self.cache, parts, &received::read(body).await?).await?,
            Route::Warmers => warm::warmers(&self.cache),
            Route::Warm => warm::warm(&self.cache, parts, &received::read(body).await?).await?,
            Route::ResetStats => clear::reset_stats(&self.cache, parts),
        })
    }

    /// Find the rights of a request, if there weren't too many failures.
    async fn access_of(&self, parts: &Parts) -> Result<Access, Reply> {
        let Some(attempt) = self.limiter.attempt(Instant::now()) else {
            let error = "too many requests without rights; try again in a second";
            let refusal = Reply::error(StatusCode::TOO_MANY_REQUESTS, error);
            return Err(refusal.with_static(RETRY_AFTER, "1"));
        };
        let access = (self.access)(parts.clone()).await;
        if access > Access::Denied {
            return Ok(access);
        }
        // At most one line a second after the first ones, since the limiter bounds failures.
        let failures = attempt.fail();
        let path = parts.uri.path();
        tracing::warn!(
            target: "cache", op = "admin", failures,
            "[Cache] ADMIN request of {path:?} denied; {failures} so far"
        );
        let error = "this request has no rights here; send `Authorization: Bearer` with the token of the service";
        let refusal = Reply::error(StatusCode::UNAUTHORIZED, error);
        Err(refusal.with_static(WWW_AUTHENTICATE, "Bearer"))
    }
}
