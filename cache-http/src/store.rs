//! From the handler's response to a stored page.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, EXPIRES, HeaderMap, VARY};
use http::response::Parts;
use http::{HeaderValue, Method};

use crate::layer::visit::Visit;
use crate::markers::{NoEtag, NoStore};
use crate::page::Page;
use crate::respond::now_ms;
use crate::route::Route;
use crate::rules::storage::{self, Refusal, Storable};
use crate::rules::vary::{Vary, VaryingFields};
use crate::rules::{etag, fields};

/// A response that may be stored once its body has been read.
pub(crate) struct Accepted {
    storable: Storable,
    /// The value of `Content-Length`.
    pub(crate) length: Option<u64>,
}

/// Decide whether a response is stored. `requested_ms`: when the handler was called.
pub(crate) fn judge(
    parts: &Parts,
    route: &Route,
    visit: &Visit,
    requested_ms: u64,
) -> Result<Accepted, Refusal> {
    if parts.extensions.get::<NoStore>().is_some() {
        return Err(Refusal::NoStore);
    }
    // The request itself was admitted when it came.
    let request = storage::Request {
        method: &Method::GET,
        headers: &HeaderMap::new(),
        is_keyed_by_user: visit.is_keyed_by_user,
    };
    let response = storage::Response {
        status: parts.status,
        headers: &parts.headers,
        requested_ms,
        received_ms: now_ms(),
    };
    let storable = storage::decide(request, response, &route.options.policy, visit.default_ttl)?;
    match Vary::of(&parts.headers) {
        Vary::Any => return Err(Refusal::VaryStar),
        Vary::Fields(named) if !route.is_told_by(visit.varied(route), &named) => {
            return Err(Refusal::VaryUnknown);
        }
        Vary::Fields(_) => {}
    }
    let length = parts.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    Ok(Accepted { storable, length })
}

impl Accepted {
    /// Return the page, and for how long it is fresh from now on.
    pub(crate) fn page(
        self,
        parts: &Parts,
        body: Bytes,
        route: &Route,
        visit: &Visit,
    ) -> (Page, Duration) {
        let Storable { mut rules, omitted } = self.storable;
        let mut fields = fields::stored(&parts.headers, &omitted, rules.date);
        let has_tag = fields.contains_key(ETAG);
        if !has_tag && parts.extensions.get::<NoEtag>().is_none() {
            rules.has_own_tag = true;
            // The version is that of the page, not of an error in its place.
            let by_version = visit.tag.clone().filter(|_| parts.status.is_success());
            fields.insert(ETAG, by_version.unwrap_or_else(|| etag::weak(&body)));
        }
        // Fields that were learned from other responses say nothing about this one.
        add_vary(&mut fields, &route.options.vary);
        if !fields.contains_key(CACHE_CONTROL) && !fields.contains_key(EXPIRES) {
            rules.has_own_control = true;
            fields.insert(CACHE_CONTROL, route.for_browsers());
        }
        let fresh = rules.fresh_for(now_ms());
        (Page::new(parts.status, fields, body, rules), fresh)
    }
}

/// Return the response that the handler has validated with a 304: the stored one, with the fields of
/// the 304 (section 4.3.4), as if the handler had sent it.
pub(crate) fn validated(page: &Page, mut validation: Parts) -> Parts {
    let mut fields = fields::freshened(&page.fields, &validation.headers);
    // The layer's own fields say nothing about the handler.
    for (is_own, name) in [
        (page.rules.has_own_tag, ETAG),
        (page.rules.has_own_control, CACHE_CONTROL),
    ] {
        if is_own && !validation.headers.contains_key(&name) {
            fields.remove(name);
        }
    }
    validation.status = page.status;
    validation.headers = fields;
    validation
}

/// Tell caches on the way which fields of the request the response depends on.
fn add_vary(fields: &mut HeaderMap, varied: &VaryingFields) {
    let Vary::Fields(named) = Vary::of(fields) else {
        return;
    };
    let all = named.and(varied);
    if all == named {
        return;
    }
    if let Ok(value) = HeaderValue::try_from(all.encode()) {
        fields.insert(VARY, value);
    }
}

impl Route {
    /// The `Cache-Control` of a response without one: browsers ask each time, so that an
    /// invalidation reaches them, or keep the page for the time that the layer was told.
    fn for_browsers(&self) -> HeaderValue {
        let private = self.has_user();
        match (self.options.browser, private) {
            (None, false) => HeaderValue::from_static("no-cache"),
            (None, true) => HeaderValue::from_static("private, no-cache"),
            (Some(time), private) => {
                let scope = if private { "private, " } else { "" };
                let text = format!("{scope}max-age={}", time.as_secs());
                HeaderValue::try_from(text).expect("ASCII")
            }
        }
    }
}
