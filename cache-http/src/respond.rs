//! From a stored page to the answer of one request.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use crate::body::PageBody;
use crate::layer::Route;
use crate::page::Page;
use crate::rules::cache_control::RequestDirectives;
use crate::rules::cache_status::CacheStatus;
use crate::rules::freshness::Freshness;
use crate::rules::range::{self, Selection};
use crate::rules::{conditional, fields};

/// The parts of a request that decide on the form of its answer. The handler doesn't see them, as
/// its response is for all callers.
pub(crate) struct Asked {
    method: Method,
    headers: HeaderMap,
}

impl Asked {
    pub(crate) fn of(parts: &Parts) -> Self {
        let mut headers = HeaderMap::new();
        for name in [
            IF_NONE_MATCH,
            IF_MODIFIED_SINCE,
            RANGE,
            IF_RANGE,
            CACHE_CONTROL,
        ] {
            for value in parts.headers.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Self {
            method: parts.method.clone(),
            headers,
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Return whether a page may answer this request now.
    pub(crate) fn freshness(&self, page: &Page, route: &Route) -> Freshness {
        let now = now_ms();
        match route.options.policy.obey_requests {
            true => {
                let directives = RequestDirectives::of(&self.headers);
                page.rules.freshness_for(&directives, now)
            }
            false => page.rules.freshness(now),
        }
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Return the status of a page from the cache.
pub(crate) fn hit(page: &Page) -> CacheStatus {
    CacheStatus::Hit {
        ttl: page.rules.ttl(now_ms()),
    }
}

/// Append what the cache did to a response of the handler.
pub(crate) fn tell<B>(
    mut response: Response<B>,
    route: &Route,
    status: CacheStatus,
) -> Response<B> {
    let name = route.options.status_header.clone();
    status.append(response.headers_mut(), name);
    response
}

/// Answer with a page.
pub(crate) fn respond<B: Body>(
    page: &Arc<Page>,
    asked: &Asked,
    route: &Route,
    status: CacheStatus,
) -> Response<PageBody<B>> {
    let tag = page.fields.get(ETAG);
    if conditional::is_not_modified(&asked.headers, page.status, tag, &page.rules) {
        return not_modified(page, route, status);
    }
    let stored = range::Stored {
        status: page.status,
        etag: tag,
        rules: &page.rules,
        length: page.body.len(),
    };
    let mut response = Response::new(PageBody::whole(Bytes::new()));
    *response.headers_mut() = page.fields.clone();
    *response.status_mut() = page.status;
    match range::select(&asked.method, &asked.headers, stored) {
        Selection::Whole if asked.is_head() => {
            let length = HeaderValue::from(page.body.len());
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
        Selection::Whole => *response.body_mut() = PageBody::whole(page.body.clone()),
        Selection::Part(part) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let content_range = range::content_range(Some(&part), page.body.len());
            let headers = response.headers_mut();
            headers.insert(CONTENT_RANGE, content_range);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
            *response.body_mut() = PageBody::whole(page.body.slice(part));
        }
        Selection::Unsatisfiable => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let content_range = range::content_range(None, page.body.len());
            let headers = response.headers_mut();
            headers.insert(CONTENT_RANGE, content_range);
            headers.remove(CONTENT_LENGTH);
        }
    }
    finish(response, page, route, status)
}

fn not_modified<B: Body>(page: &Page, route: &Route, status: CacheStatus) -> Response<PageBody<B>> {
    let mut response = Response::new(PageBody::whole(Bytes::new()));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let has_tag = page.fields.contains_key(ETAG);
    let headers = response.headers_mut();
    for (name, value) in &page.fields {
        if conditional::is_in_304(name, has_tag) {
            headers.append(name, value.clone());
        }
    }
    finish(response, page, route, status)
}

fn finish<B>(
    mut response: Response<B>,
    page: &Page,
    route: &Route,
    status: CacheStatus,
) -> Response<B> {
    if let CacheStatus::Hit { .. } = status {
        let age = fields::age_value(page.rules.age(now_ms()));
        response.headers_mut().insert(AGE, age);
    }
    tell(response, route, status)
}
