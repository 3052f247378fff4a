//! From a stored page to the answer of one request.

use std::ops::Range;
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
use crate::page::Page;
use crate::prepared::{Moment, Prepared};
use crate::route::Route;
use crate::rules::cache_control::RequestDirectives;
use crate::rules::cache_status::CacheStatus;
use crate::rules::conditional;
use crate::rules::fields::age_value;
use crate::rules::freshness::Freshness;
use crate::rules::range::{self, Selection};

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

    /// Return whether the request wants no answer but one from the cache.
    pub(crate) fn only_if_cached(&self, route: &Route) -> bool {
        route.options.policy.obey_requests && RequestDirectives::of(&self.headers).only_if_cached
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Return whether a page may answer this request now.
    pub(crate) fn freshness(&self, page: &Page, route: &Route) -> Freshness {
        self.fields().freshness(page, route, now_ms())
    }

    fn fields(&self) -> Fields<'_> {
        Fields::of(&self.method, &self.headers)
    }
}

/// The same parts, in the request: a hit copies none.
#[derive(Clone, Copy)]
struct Fields<'r> {
    method: &'r Method,
    headers: &'r HeaderMap,
    /// The request has a condition or a range.
    is_particular: bool,
}

impl<'r> Fields<'r> {
    fn of(method: &'r Method, headers: &'r HeaderMap) -> Self {
        // Going through the names once costs less than looking up each of these.
        let is_particular = headers
            .keys()
            .any(|name| matches!(*name, IF_NONE_MATCH | IF_MODIFIED_SINCE | RANGE | IF_RANGE));
        Self {
            method,
            headers,
            is_particular,
        }
    }

    fn freshness(self, page: &Page, route: &Route, now: u64) -> Freshness {
        match route.options.policy.obey_requests {
            true => {
                let directives = RequestDirectives::of(self.headers);
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
    hit_at(page, now_ms())
}

fn hit_at(page: &Page, now: u64) -> CacheStatus {
    CacheStatus::Hit {
        ttl: page.rules.ttl(now),
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
    respond_to(asked.fields(), page, route, status, now_ms())
}

/// Answer a request with a page, if it is fresh.
pub(crate) fn respond_fresh<B: Body>(
    page: &Page,
    parts: &Parts,
    route: &Route,
) -> Option<Response<PageBody<B>>> {
    // The clock is read once: each reading takes some 20 ns.
    let now = now_ms();
    let fields = Fields::of(&parts.method, &parts.headers);
    let is_fresh = fields.freshness(page, route, now) == Freshness::Fresh;
    is_fresh.then(|| respond_to(fields, page, route, hit_at(page, now), now))
}

fn respond_to<B: Body>(
    asked: Fields<'_>,
    page: &Page,
    route: &Route,
    status: CacheStatus,
    now: u64,
) -> Response<PageBody<B>> {
    let answer = Answer {
        page,
        route,
        status,
        now,
    };
    if !asked.is_particular {
        return answer.whole(asked.method);
    }
    let tag = page.fields.get(ETAG);
    if conditional::is_not_modified(asked.headers, page.status, tag, &page.rules) {
        return answer.not_modified();
    }
    let stored = range::Stored {
        status: page.status,
        etag: tag,
        rules: &page.rules,
        length: page.body.len(),
    };
    match range::select(asked.method, asked.headers, stored) {
        Selection::Whole => answer.whole(asked.method),
        Selection::Part(part) => answer.part(part),
        Selection::Unsatisfiable => answer.unsatisfiable(),
    }
}

/// An answer with a page.
struct Answer<'a> {
    page: &'a Page,
    route: &'a Route,
    status: CacheStatus,
    /// Milliseconds since the Unix epoch.
    now: u64,
}

impl Answer<'_> {
    fn whole<B: Body>(self, method: &Method) -> Response<PageBody<B>> {
        let page = self.page;
        let body = match *method {
            Method::HEAD => Bytes::new(),
            _ => page.body.clone(),
        };
        let fields = self.fields(&page.whole, || whole_fields(page));
        response(page.status, fields, body)
    }

    fn part<B: Body>(self, part: Range<usize>) -> Response<PageBody<B>> {
        let page = self.page;
        let mut fields = self.fields(&page.whole, || whole_fields(page));
        let content_range = range::content_range(Some(&part), page.body.len());
        fields.insert(CONTENT_RANGE, content_range);
        fields.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
        let body = page.body.slice(part);
        response(StatusCode::PARTIAL_CONTENT, fields, body)
    }

    fn unsatisfiable<B: Body>(self) -> Response<PageBody<B>> {
        let page = self.page;
        let mut fields = self.fields(&page.whole, || whole_fields(page));
        let content_range = range::content_range(None, page.body.len());
        fields.insert(CONTENT_RANGE, content_range);
        fields.remove(CONTENT_LENGTH);
        response(StatusCode::RANGE_NOT_SATISFIABLE, fields, Bytes::new())
    }

    fn not_modified<B: Body>(self) -> Response<PageBody<B>> {
        let page = self.page;
        let fields = self.fields(&page.not_modified, || {
            let has_tag = page.fields.contains_key(ETAG);
            let all = page.fields.iter();
            all.filter(|(name, _)| conditional::is_in_304(name, has_tag))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        });
        response(StatusCode::NOT_MODIFIED, fields, Bytes::new())
    }

    /// Add what the cache did to fields of the page. Those of hits are prepared.
    fn fields(&self, prepared: &Prepared, of_page: impl FnOnce() -> HeaderMap) -> HeaderMap {
        let name = &self.route.options.status_header;
        if let CacheStatus::Hit { ttl } = self.status {
            let moment = Moment {
                age: self.page.rules.age(self.now),
                ttl,
                status_header: name,
            };
            return prepared.fields(moment, of_page);
        }
        let mut fields = of_page();
        // A response that came through another cache has an age from the start.
        let age = self.page.rules.age(self.now);
        if age > 0 {
            fields.insert(AGE, age_value(age));
        }
        self.status.append(&mut fields, name.clone());
        fields
    }
}

/// Return the page's fields, with the length of the body. Otherwise a server or axum adds it to each
/// answer.
fn whole_fields(page: &Page) -> HeaderMap {
    let mut fields = page.fields.clone();
    let has_no_content = matches!(
        page.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if !has_no_content && !page.status.is_informational() && !fields.contains_key(CONTENT_LENGTH) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(page.body.len()));
    }
    fields
}

fn response<B: Body>(status: StatusCode, fields: HeaderMap, body: Bytes) -> Response<PageBody<B>> {
    let mut response = Response::new(PageBody::whole(body));
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}
