//! A request that this process can't answer at once.

use std::sync::Arc;

use bytes::Bytes;
use cache_runtime::{Cache, Fill, Reading};
use http::{Request, Response};
use http_body::Body;
use tokio::runtime::Handle;
use tower_service::Service;

use super::Route;
use super::visit::Visit;
use crate::body::PageBody;
use crate::collect::{Collected, collect};
use crate::page::Page;
use crate::respond::{Asked, hit, now_ms, respond, tell};
use crate::rules::cache_status::{CacheStatus, Forward};
use crate::rules::conditional::ask_for_whole;
use crate::rules::freshness::{Freshness, is_error};
use crate::rules::storage::Refusal;
use crate::store::judge;

/// A request, and all that answering it takes.
pub(super) struct Call<S, B> {
    pub(super) route: Arc<Route>,
    pub(super) cache: Cache,
    pub(super) visit: Visit,
    pub(super) asked: Asked,
    pub(super) inner: S,
    pub(super) request: Request<B>,
}

pub(super) type Answer<R, E> = Result<Response<PageBody<R>>, E>;

impl<S, B, R> Call<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    /// Answer the request: from the store, with the response that another caller has stored
    /// meanwhile, or by the handler.
    ///
    /// Cancel safety: if the client hangs up while this caller runs the handler, a waiting caller
    /// takes over, with its own request.
    pub(super) async fn answer(self) -> Answer<R, S::Error> {
        let read = self.visit.read(&self.cache, &self.route);
        if self.asked.is_head() {
            return match read.get::<Page>().await {
                Some(found) if self.may_serve(found.value()) => Ok(self.serve(found.value())),
                _ => self.alone(Forward::UriMiss).await,
            };
        }
        match read.begin::<Page>().await {
            // It may be past its freshness: another caller asks the handler, or has just failed.
            Reading::Hit(found)
                if self.asked.freshness(found.value(), &self.route) != Freshness::Expired =>
            {
                Ok(self.serve(found.value()))
            }
            // The request's own directives, or a page that must not be served stale.
            Reading::Hit(_) => self.alone(Forward::Request).await,
            Reading::Due(found, fill) => self.renew(found.into_value(), fill).await,
            Reading::Miss(fill) => self.compute(fill, None, Forward::UriMiss).await,
            // The store is out of reach, or the response that this call waited for isn't for others.
            _ => self.alone(Forward::Bypass).await,
        }
    }

    fn may_serve(&self, page: &Page) -> bool {
        let freshness = self.asked.freshness(page, &self.route);
        matches!(
            freshness,
            Freshness::Fresh | Freshness::StaleWhileRevalidate
        )
    }

    fn serve(&self, page: &Arc<Page>) -> Response<PageBody<R>> {
        respond(page, &self.asked, &self.route, hit(page))
    }

    /// Run the handler for this caller alone, who gets the response as it is.
    async fn alone(mut self, forward: Forward) -> Answer<R, S::Error> {
        let response = self.inner.call(self.request).await?;
        let status = forwarded(forward, false, None);
        Ok(tell(response.map(PageBody::inner), &self.route, status))
    }

    /// Answer with a page that is past its freshness, if it may be served, while the handler is
    /// asked in the background.
    async fn renew(self, page: Arc<Page>, fill: Fill<Page>) -> Answer<R, S::Error> {
        match self.asked.freshness(&page, &self.route) {
            Freshness::Fresh | Freshness::StaleWhileRevalidate => {
                let Ok(runtime) = Handle::try_current() else {
                    return self.compute(fill, Some(page), Forward::Stale).await;
                };
                let response = self.serve(&page);
                let context = cache_runtime::context::current();
                runtime.spawn(context.scope(self.refresh(fill)));
                Ok(response)
            }
            Freshness::StaleIfError => self.compute(fill, Some(page), Forward::Stale).await,
            Freshness::Expired => self.compute(fill, None, Forward::Stale).await,
        }
    }

    /// Run the handler for all callers that wait. `spare`: the page to serve if the handler fails.
    async fn compute(
        mut self,
        fill: Fill<Page>,
        spare: Option<Arc<Page>>,
        forward: Forward,
    ) -> Answer<R, S::Error> {
        let began = now_ms();
        ask_for_whole(self.request.headers_mut());
        let ran = fill.within(self.inner.call(self.request)).await;
        let fails = ran
            .as_ref()
            .map_or(true, |response| is_error(response.status()));
        if fails && let Some(page) = spare {
            if fill.keep().await {
                return Ok(respond(&page, &self.asked, &self.route, hit(&page)));
            }
            let status = forwarded(forward, false, None);
            return ran.map(|ran| tell(ran.map(PageBody::inner), &self.route, status));
        }
        // An error drops the fill: a waiting caller takes over.
        let response = ran?;
        match store(fill, response, &self.route, &self.visit, began).await {
            Ok(page) => {
                let status = forwarded(forward, true, None);
                Ok(respond(&page, &self.asked, &self.route, status))
            }
            Err((response, refusal)) => {
                let status = forwarded(forward, false, refusal);
                Ok(tell(*response, &self.route, status))
            }
        }
    }

    /// Ask the handler again, without a caller.
    async fn refresh(mut self, fill: Fill<Page>) {
        let began = now_ms();
        ask_for_whole(self.request.headers_mut());
        match fill.within(self.inner.call(self.request)).await {
            Ok(response) if !is_error(response.status()) => {
                // The body of a response that isn't stored is dropped unread.
                let _ = store(fill, response, &self.route, &self.visit, began).await;
            }
            // The stale page stays for as long as it may be served.
            _ => {
                let _ = fill.keep().await;
            }
        }
    }
}

fn forwarded(forward: Forward, stored: bool, detail: Option<Refusal>) -> CacheStatus {
    CacheStatus::Forwarded {
        forward,
        stored,
        collapsed: false,
        detail,
    }
}

/// A response that isn't stored, and why, if its fields say so.
type Unstored<R> = (Box<Response<PageBody<R>>>, Option<Refusal>);

/// Store the response, if it may be, and share it with the callers that wait. Otherwise each of them
/// runs the handler itself.
async fn store<R>(
    fill: Fill<Page>,
    response: Response<R>,
    route: &Route,
    visit: &Visit,
    began: u64,
) -> Result<Arc<Page>, Unstored<R>>
where
    R: Body<Data = Bytes>,
{
    let (parts, body) = response.into_parts();
    let accepted = match judge(&parts, route, visit, began) {
        Ok(accepted) => accepted,
        Err(refusal) => {
            fill.refuse();
            let response = Response::from_parts(parts, PageBody::inner(body));
            return Err((Box::new(response), Some(refusal)));
        }
    };
    let collected = fill.within(collect(body, route.options.max_body, accepted.length));
    match collected.await {
        Collected::Whole(body) => {
            let (page, fresh) = accepted.page(&parts, body, route, visit);
            let page = Arc::new(page);
            fill.store(&page, fresh).await;
            Ok(page)
        }
        Collected::Unstorable(body) => {
            fill.refuse();
            Err((Box::new(Response::from_parts(parts, body)), None))
        }
    }
}
