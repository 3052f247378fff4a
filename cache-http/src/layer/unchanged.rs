//! The 304 of a request that names the current version of the data, before the work is done.

use bytes::Bytes;
use http::header::{ETAG, HeaderMap, VARY};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;

use super::visit::Visit;
use crate::body::PageBody;
use crate::respond::tell;
use crate::route::Route;
use crate::rules::cache_status::CacheStatus;
use crate::rules::conditional;

/// Return the 304 of a request that names the current version.
pub(super) fn unchanged<B: Body<Data = Bytes>>(
    request: &HeaderMap,
    visit: &Visit,
    route: &Route,
) -> Option<Response<PageBody<B>>> {
    let tag = visit.tag.as_ref()?;
    if !conditional::names_tag(request, tag) {
        return None;
    }
    let mut response = Response::new(PageBody::whole(Bytes::new()));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.insert(ETAG, tag.clone());
    let varied = visit.varied(route);
    if !varied.is_empty()
        && let Ok(vary) = HeaderValue::try_from(varied.encode())
    {
        headers.insert(VARY, vary);
    }
    Some(tell(response, route, CacheStatus::Unchanged))
}
