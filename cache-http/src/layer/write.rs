//! A request that changes something: it removes its route's pages.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use cache_runtime::{Cache, Invalidations};
use http::{HeaderMap, Request, Response, Uri};
use http_body::Body;
use tower_service::Service;

use super::flow::Answer;
use super::inner::Inner;
use super::matched_path;
use super::visit::{ROOT, requested};
use crate::body::PageBody;
use crate::parameters::Parameters;
use crate::respond::tell;
use crate::route::Route;
use crate::rules::cache_status::CacheStatus;
use crate::rules::invalidation;
use crate::rules::target::{self, Path, Query};
use crate::template::Values;

/// Run the handler without the cache. If the method isn't safe and succeeds, remove the pages that it
/// may have changed (RFC 9111, section 4.4).
///
/// Cancel safety: the outcome of a handler that is dropped or panics isn't known, so its pages are
/// removed as well.
pub(super) async fn pass<S, B, R>(
    route: Arc<Route>,
    mut inner: Inner<S>,
    mut request: Request<B>,
    status: CacheStatus,
) -> Answer<R, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data = Bytes>,
{
    let method = request.method().clone();
    let changed = match invalidation::is_safe(&method) {
        true => None,
        false => {
            let (mut parts, body) = request.into_parts();
            let host = target::host(&parts.uri, &parts.headers).ok().flatten();
            let host = host.map(Cow::into_owned);
            let changed = Changed::of(&route, &mut parts, host);
            request = Request::from_parts(parts, body);
            Some(changed)
        }
    };
    let response = inner.call(request).await;
    if let Some(changed) = changed {
        let done = response.as_ref().ok();
        let done = done.filter(|done| invalidation::invalidates(&method, done.status()));
        changed.end(done.map(Response::headers), &route).await;
    }
    Ok(tell(response?.map(PageBody::inner), &route, status))
}

/// The pages that a handler may change. Dropped while the handler runs, it removes them.
struct Changed {
    pages: Invalidations,
    uri: Uri,
    host: Option<String>,
    /// The path of the route, as the router has it.
    matched: Option<String>,
    is_open: bool,
}

impl Changed {
    fn of(route: &Route, parts: &mut http::request::Parts, host: Option<String>) -> Self {
        let cache = route.options.cache.clone();
        let pages = cache.unwrap_or_else(Cache::current).invalidations();
        match route.pattern(parts) {
            Ok(pattern) => pages.add(&pattern),
            Err(reason) => route.tell(&reason),
        }
        Self {
            pages,
            uri: requested(parts).clone(),
            host,
            matched: matched_path::of(parts),
            is_open: true,
        }
    }

    /// The handler is done. `headers`: those of its response, if it succeeded.
    async fn end(mut self, headers: Option<&HeaderMap>, route: &Route) {
        self.is_open = false;
        let Some(headers) = headers else {
            self.pages.rollback();
            return;
        };
        let host = self.host.as_deref();
        for named in invalidation::named_targets(&self.uri, host, headers) {
            if let Some(pattern) = self.pattern(named.path(), route) {
                self.pages.add(&pattern);
            }
        }
        // A failure was counted and logged, and is replayed. The handler has done its work.
        let _ = self.pages.commit().await;
    }
}

impl Changed {
    /// Return the pattern of the pages at a path of the same host. `None`: the path isn't one of
    /// this route's, or isn't valid.
    fn pattern(&self, path: &str, route: &Route) -> Option<String> {
        let path = Path::parse(path).ok()?;
        let Some(template) = &route.options.template else {
            return Some(target::path_below(ROOT, path.segments()));
        };
        let matched = self.matched.as_ref()?;
        let parameters = matched_path::parameters(matched, path.segments())?;
        let mut parameters = Parameters::listed(parameters);
        // A pattern has the path parameters of a request, and nothing else of it.
        let (parts, ()) = Request::new(()).into_parts();
        let pattern = template.pattern(&mut Values {
            parts: &parts,
            parameters: &mut parameters,
            query: &mut Query::default(),
            host: None,
        });
        pattern.ok()
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        if self.is_open {
            // It begins here, and finishes without a caller.
            drop(self.pages.commit());
        }
    }
}
