//! From the handler's response to a stored page.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, EXPIRES, HeaderMap, VARY};
use http::response::Parts;
use http::{HeaderValue, Method};

use crate::layer::Route;
use crate::layer::visit::Visit;
use crate::markers::{NoEtag, NoStore};
use crate::page::Page;
use crate::respond::now_ms;
use crate::rules::freshness::Freshness;
use crate::rules::storage::{self, Refusal, Storable};
use crate::rules::vary::Vary;
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
    let storable = storage::decide(request, response, &route.options.policy)?;
    // Validation by the handler isn't built yet, and nothing else could use such a page.
    if storable.rules.freshness(response.received_ms) != Freshness::Fresh {
        return Err(Refusal::Expired);
    }
    match Vary::of(&parts.headers) {
        Vary::Any => return Err(Refusal::VaryStar),
        Vary::Fields(named) if !route.is_told_by(&visit.varied, &named) => {
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
        let Storable { rules, omitted } = self.storable;
        let mut fields = fields::stored(&parts.headers, &omitted, rules.date);
        let has_tag = fields.contains_key(ETAG);
        if !has_tag && parts.extensions.get::<NoEtag>().is_none() {
            fields.insert(ETAG, etag::weak(&body));
        }
        add_vary(&mut fields, visit);
        if !fields.contains_key(CACHE_CONTROL) && !fields.contains_key(EXPIRES) {
            fields.insert(CACHE_CONTROL, route.for_browsers());
        }
        let fresh = rules.fresh_for(now_ms());
        let page = Page {
            status: parts.status,
            fields,
            body,
            rules,
        };
        (page, fresh)
    }
}

/// Tell caches on the way which fields of the request the response depends on.
fn add_vary(fields: &mut HeaderMap, visit: &Visit) {
    let Vary::Fields(named) = Vary::of(fields) else {
        return;
    };
    let all = named.and(&visit.varied);
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
