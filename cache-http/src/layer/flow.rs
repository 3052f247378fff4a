//! A request that this process can't answer at once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache_runtime::{Fill, ReadBuilder, Reading};
use http::response::Parts;
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use tokio::runtime::Handle;
use tower_service::Service;

use super::inner::Inner;
use super::visit::Visit;
use crate::body::PageBody;
use crate::collect::{Collected, collect};
use crate::page::Page;
use crate::respond::{Asked, hit, now_ms, respond, tell};
use crate::route::Route;
use crate::rules::cache_status::{CacheStatus, Forward};
use crate::rules::conditional::{ask_for_changes, ask_for_whole};
use crate::rules::freshness::{Freshness, is_error};
use crate::rules::storage::Refusal;
use crate::store::{self, Accepted, judge};

/// A request, and all that answering it takes.
pub(super) struct Call<S, B> {
    pub(super) route: Arc<Route>,
    pub(super) visit: Visit,
    pub(super) asked: Asked,
    pub(super) inner: Inner<S>,
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
    pub(super) async fn answer(self, read: ReadBuilder) -> Answer<R, S::Error> {
        let only_if_cached = self.asked.only_if_cached(&self.route);
        if self.asked.is_head() || only_if_cached {
            return match read.get::<Page>().await {
                Some(found) if self.may_serve(found.value()) => Ok(self.serve(found.value())),
                _ if only_if_cached => Ok(self.gateway_timeout()),
                _ => self.alone(Forward::UriMiss).await,
            };
        }
        let id = self.route.passes.id(read.key());
        // Waiting would lately have been in vain: one caller leads, the others run their handlers.
        let passes = self.route.passes.contains(id);
        let read = match passes {
            true => read.wait_limit(Duration::ZERO),
            false => read,
        };
        match read.begin::<Page>().await {
            // Generated after this request came, so even a page that is validated for each request
            // is right for it.
            Reading::Hit(found) if found.is_shared() => {
                Ok(respond(found.value(), &self.asked, &self.route, COLLAPSED))
            }
            Reading::Hit(found) => match self.asked.freshness(found.value(), &self.route) {
                // It may be past its freshness: another caller asks the handler, or has just failed.
                Freshness::Fresh | Freshness::StaleWhileRevalidate | Freshness::StaleIfError => {
                    Ok(self.serve(found.value()))
                }
                // The request's own directives, or a page that must not be served stale.
                Freshness::Expired => self.alone(Forward::Request).await,
            },
            Reading::Due(found, fill) => self.renew(found.into_value(), fill, id).await,
            Reading::Miss(fill) => {
                let varying = &self.route.varying;
                let forward = match self.visit.url.is_some_and(|url| varying.contains(url)) {
                    true => Forward::VaryMiss,
                    false => Forward::UriMiss,
                };
                self.compute(fill, None, id, forward).await
            }
            _ if passes => self.alone(Forward::UriMiss).await,
            // The store is out of reach, or the response that this call waited for isn't for others.
            _ => self.alone(Forward::Bypass).await,
        }
    }

    fn may_serve(&self, page: &Page) -> bool {
        self.asked.freshness(page, &self.route).may_serve()
    }

    fn serve(&self, page: &Arc<Page>) -> Response<PageBody<R>> {
        respond(page, &self.asked, &self.route, hit(page))
    }

    /// Answer `only-if-cached` where nothing is (section 5.2.1.7).
    fn gateway_timeout(&self) -> Response<PageBody<R>> {
        let mut response = Response::new(PageBody::whole(Bytes::new()));
        *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
        let status = CacheStatus::refused(Refusal::OnlyIfCached);
        tell(response, &self.route, status)
    }

    /// Run the handler for this caller alone, who gets the response as it is.
    async fn alone(mut self, forward: Forward) -> Answer<R, S::Error> {
        let response = self.inner.call(self.request).await?;
        let status = forwarded(forward, false, None);
        Ok(tell(response.map(PageBody::inner), &self.route, status))
    }

    /// Answer with a page that is past its freshness, if it may be served, while the handler is
    /// asked in the background.
    async fn renew(self, page: Arc<Page>, fill: Fill<Page>, id: u64) -> Answer<R, S::Error> {
        let freshness = self.asked.freshness(&page, &self.route);
        match Handle::try_current() {
            Ok(runtime) if freshness.may_serve() => {
                let response = self.serve(&page);
                let context = cache_runtime::context::current();
                runtime.spawn(context.scope(self.refresh(page, fill, id)));
                Ok(response)
            }
            _ => {
                let old = Old {
                    may_replace_errors: freshness != Freshness::Expired,
                    page,
                };
                self.compute(fill, Some(old), id, Forward::Stale).await
            }
        }
    }

    /// Run the handler for all callers that wait.
    async fn compute(
        mut self,
        fill: Fill<Page>,
        old: Option<Old>,
        id: u64,
        forward: Forward,
    ) -> Answer<R, S::Error> {
        let spare = old.as_ref().filter(|old| old.may_replace_errors);
        let spare = spare.map(|old| Arc::clone(&old.page));
        let validated = self.ask_for(old.map(|old| old.page));
        let began = now_ms();
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
        let storing = Storing {
            route: &self.route,
            visit: &self.visit,
            id,
            began,
        };
        match storing.store(fill, response, validated).await {
            Ok((page, extensions)) => {
                let status = forwarded(forward, true, None);
                let mut response = respond(&page, &self.asked, &self.route, status);
                *response.extensions_mut() = extensions;
                Ok(response)
            }
            Err((response, refusal)) => {
                let status = forwarded(forward, false, refusal);
                Ok(tell(*response, &self.route, status))
            }
        }
    }

    /// Ask the handler again, without a caller.
    async fn refresh(mut self, page: Arc<Page>, fill: Fill<Page>, id: u64) {
        let validated = self.ask_for(Some(page));
        let began = now_ms();
        match fill.within(self.inner.call(self.request)).await {
            Ok(response) if !is_error(response.status()) => {
                let storing = Storing {
                    route: &self.route,
                    visit: &self.visit,
                    id,
                    began,
                };
                // The body of a response that isn't stored is dropped unread.
                let _ = storing.store(fill, response, validated).await;
            }
            // The stale page stays for as long as it may be served.
            _ => {
                let _ = fill.keep().await;
            }
        }
    }

    /// Let the request ask whether the page is still valid, if the handler can tell, otherwise for a
    /// whole response. Returns the page that a 304 would validate.
    fn ask_for(&mut self, page: Option<Arc<Page>>) -> Option<Arc<Page>> {
        let headers = self.request.headers_mut();
        match page.filter(|page| page.rules.has_validator) {
            Some(page) => {
                ask_for_changes(headers, &page.fields, &page.rules);
                Some(page)
            }
            None => {
                ask_for_whole(headers);
                None
            }
        }
    }
}

/// A page that is past its freshness.
struct Old {
    page: Arc<Page>,
    /// It is served if the handler fails.
    may_replace_errors: bool,
}

/// The status of a response that another caller got from the handler meanwhile.
const COLLAPSED: CacheStatus = CacheStatus::Forwarded {
    forward: Forward::UriMiss,
    stored: false,
    collapsed: true,
    detail: None,
};

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

/// The parts that storing takes, besides the response.
struct Storing<'c> {
    route: &'c Route,
    visit: &'c Visit,
    /// The key's number among those that aren't waited for.
    id: u64,
    /// When the handler was called.
    began: u64,
}

impl Storing<'_> {
    /// Store the response, if it may be, and share it with the callers that wait. Otherwise each of
    /// them runs the handler itself. `validated`: the page that a 304 says is still valid.
    ///
    /// The response's extensions aren't part of a page: only the caller that ran the handler gets
    /// them.
    async fn store<R>(
        self,
        fill: Fill<Page>,
        response: Response<R>,
        validated: Option<Arc<Page>>,
    ) -> Result<(Arc<Page>, Extensions), Unstored<R>>
    where
        R: Body<Data = Bytes>,
    {
        let Self { route, visit, .. } = self;
        let (parts, body) = response.into_parts();
        let validated = validated.filter(|_| parts.status == StatusCode::NOT_MODIFIED);
        let parts = match &validated {
            Some(page) => store::validated(page, parts),
            None => parts,
        };
        let accepted = match judge(&parts, route, visit, self.began) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                self.refuse(fill).await;
                let body = match validated {
                    // The handler sent none.
                    Some(page) => PageBody::whole(page.body.clone()),
                    None => PageBody::inner(body),
                };
                return Err((Box::new(Response::from_parts(parts, body)), Some(refusal)));
            }
        };
        if let Some(page) = validated {
            let page = self.fill(fill, accepted, &parts, page.body.clone()).await;
            return Ok((page, parts.extensions));
        }
        let collected = fill.within(collect(body, route.options.max_body, accepted.length));
        match collected.await {
            Collected::Whole(body) => {
                let page = self.fill(fill, accepted, &parts, body).await;
                Ok((page, parts.extensions))
            }
            Collected::Unstorable(body) => {
                self.refuse(fill).await;
                Err((Box::new(Response::from_parts(parts, body)), None))
            }
        }
    }

    async fn fill(
        &self,
        fill: Fill<Page>,
        accepted: Accepted,
        parts: &Parts,
        body: Bytes,
    ) -> Arc<Page> {
        let (page, fresh) = accepted.page(parts, body, self.route, self.visit);
        let page = Arc::new(page);
        fill.store(&page, fresh).await;
        self.route.passes.forget(self.id);
        if let Some(url) = self.visit.url {
            self.route.varying.remember(url);
        }
        page
    }

    /// The next request can lead again once this has returned.
    async fn refuse(&self, fill: Fill<Page>) {
        // First, so that none of the callers that are released now waits again.
        self.route.passes.remember(self.id);
        fill.refuse().await;
    }
}
