//! A request that this process can't answer at once.

use std::sync::Arc;

use bytes::Bytes;
use cache_runtime::{Cache, Fill, Found, Freshness, Reading};
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::Route;
use super::visit::Visit;
use crate::body::PageBody;
use crate::cache_status::{Forward, Status};
use crate::collect::{Collected, collect};
use crate::page::Page;
use crate::respond::{Asked, respond, tell};
use crate::store::{Verdict, judge};

/// A request, and all that answering it takes.
pub(super) struct Call<S, B> {
    pub(super) route: Arc<Route>,
    pub(super) cache: Cache,
    pub(super) visit: Visit,
    pub(super) asked: Asked,
    pub(super) inner: S,
    pub(super) request: Request<B>,
}

type Answer<R, E> = Result<Response<PageBody<R>>, E>;

impl<S, B, R> Call<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    /// Answer the request: from the store, with the response that another caller stored meanwhile,
    /// or by the handler.
    ///
    /// Cancel safety: if the client hangs up while this caller runs the handler, a waiting caller
    /// takes over, with its own request.
    pub(super) async fn answer(self) -> Answer<R, S::Error> {
        if self.request.method() == Method::HEAD {
            return self.answer_head().await;
        }
        if self.asked.forces(&self.route) {
            return self.run_alone(Forward::Request).await;
        }
        let read = self.visit.read(&self.cache, &self.route);
        match read.begin::<Page>().await {
            Reading::Hit(found) => Ok(self.hit(&found, &Status::Hit)),
            Reading::Due(found, fill) if found.freshness() == Freshness::Expired => {
                self.compute(fill, Some(found), Forward::Stale).await
            }
            Reading::Due(found, fill) => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    return self.compute(fill, Some(found), Forward::Stale).await;
                };
                let response = self.hit(&found, &Status::Stale);
                runtime.spawn(self.refresh(fill));
                Ok(response)
            }
            Reading::Miss(fill) => self.compute(fill, None, Forward::UriMiss).await,
            // The store is out of reach, or the response that this call waited for isn't for others.
            _ => self.run_alone(Forward::Bypass).await,
        }
    }

    fn hit(&self, found: &Found<Page>, status: &Status) -> Response<PageBody<R>> {
        respond(found.value(), &self.asked, &self.route, status)
    }

    /// Answer a `HEAD` from a stored `GET`, or by the handler. Its response isn't stored: it has no
    /// body.
    async fn answer_head(mut self) -> Answer<R, S::Error> {
        if !self.asked.forces(&self.route)
            && let Some(found) = self.visit.read(&self.cache, &self.route).get::<Page>().await
        {
            return Ok(self.hit(&found, &Status::Hit));
        }
        let response = self.inner.call(self.request).await?;
        let forward = Status::Forward(Forward::UriMiss);
        Ok(tell(response.map(PageBody::inner), &self.route, &forward))
    }

    /// Run the handler for this caller alone.
    async fn run_alone(mut self, forward: Forward) -> Answer<R, S::Error> {
        let response = self.inner.call(self.request).await?;
        let forward = Status::Forward(forward);
        Ok(tell(response.map(PageBody::inner), &self.route, &forward))
    }

    /// Run the handler for all callers that wait. `expired`: the page to serve if the handler fails.
    async fn compute(
        mut self,
        fill: Fill<Page>,
        expired: Option<Found<Page>>,
        forward: Forward,
    ) -> Answer<R, S::Error> {
        let ran = fill.within(self.inner.call(self.request)).await;
        let fails = ran.as_ref().map_or(true, |response| response.status().is_server_error());
        if fails
            && let Some(found) = expired
        {
            if fill.keep().await {
                let status = Status::StaleOnError;
                return Ok(respond(found.value(), &self.asked, &self.route, &status));
            }
            let forward = Status::Forward(forward);
            return ran.map(|ran| tell(ran.map(PageBody::inner), &self.route, &forward));
        }
        // An error drops the fill: a waiting caller takes over.
        let response = ran?;
        match store(fill, response, &self.route, &self.visit, &self.asked).await {
            Ok(page) => {
                let status = Status::Stored(forward);
                Ok(respond(&page, &self.asked, &self.route, &status))
            }
            Err(response) => Ok(tell(*response, &self.route, &Status::Forward(forward))),
        }
    }

    /// Ask the handler again, without a caller.
    async fn refresh(mut self, fill: Fill<Page>) {
        // A refresh that fails leaves the stale page for as long as it may be served.
        match fill.within(self.inner.call(self.request)).await {
            Ok(response) if !response.status().is_server_error() => {
                // A body that isn't stored isn't read either.
                let _ = store(fill, response, &self.route, &self.visit, &self.asked).await;
            }
            _ => {
                let _ = fill.keep().await;
            }
        }
    }
}

/// Store the response, if it may be, and share it with the callers that wait. Otherwise each of them
/// runs the handler itself.
async fn store<R>(
    fill: Fill<Page>,
    response: Response<R>,
    route: &Route,
    visit: &Visit,
    asked: &Asked,
) -> Result<Arc<Page>, Box<Response<PageBody<R>>>>
where
    R: Body<Data = Bytes>,
{
    let (parts, body) = response.into_parts();
    let Verdict::Store { rules, ttl, length } = judge(&parts, route, visit, asked) else {
        fill.refuse();
        return Err(Box::new(Response::from_parts(parts, PageBody::inner(body))));
    };
    match fill.within(collect(body, route.options.max_body, length)).await {
        Collected::Whole(body) => {
            let page = Arc::new(Page::new(&parts, body, rules));
            fill.store(&page, ttl).await;
            Ok(page)
        }
        Collected::Unstorable(body) => {
            fill.refuse();
            Err(Box::new(Response::from_parts(parts, body)))
        }
    }
}
