//! One request at a route: whether the cache may answer it, and at which key.

use cache_runtime::{Cache, ReadBuilder};
use http::Uri;
use http::request::Parts;

use super::Route;
use crate::page::Raw;
use crate::rules::cache_status::{CacheStatus, Forward};
use crate::rules::storage::{self, Refusal};
use crate::rules::target::{self, Path, Query, Unkeyable};
use crate::rules::vary::VaryingFields;
use crate::template::{NoKey, Values};
use crate::user::User;

/// Root of the paths of pages that are found by their URL.
pub(super) const ROOT: &str = "http";

/// A request that the cache may answer.
pub(crate) struct Visit {
    path: String,
    /// The part of the key that isn't in its path, in an unambiguous form.
    variant: Vec<u8>,
    /// The fields whose values are in the variant.
    pub(crate) varied: VaryingFields,
    /// The entry is one user's.
    pub(crate) is_keyed_by_user: bool,
}

/// The status of a request that passes the cache for a reason of this program.
const BYPASS: CacheStatus = CacheStatus::Forwarded {
    forward: Forward::Bypass,
    stored: false,
    collapsed: false,
    detail: None,
};

impl Route {
    /// Return the visit, or why the request goes to the handler. `has_body`: the request's body
    /// isn't empty.
    pub(crate) fn visit(&self, parts: &mut Parts, has_body: bool) -> Result<Visit, CacheStatus> {
        let options = &self.options;
        let is_keyed_by_user = self.is_keyed_by_user(parts);
        let request = storage::Request {
            method: &parts.method,
            headers: &parts.headers,
            is_keyed_by_user,
        };
        storage::admit(request, &options.policy).map_err(CacheStatus::refused)?;
        if has_body {
            return Err(CacheStatus::refused(Refusal::RequestBody));
        }
        let bypass = options.bypass.as_ref();
        if !options.enabled || bypass.is_some_and(|bypass| bypass(parts)) {
            return Err(BYPASS);
        }
        let visit = self.key(parts, is_keyed_by_user);
        visit.map_err(|reason| {
            self.tell(&reason);
            BYPASS
        })
    }

    /// Return whether the request's entry is one user's. The key of a request without a user isn't:
    /// all of them have the same.
    fn is_keyed_by_user(&self, parts: &Parts) -> bool {
        let user = parts.extensions.get::<User>();
        self.has_user() && user.is_some_and(|user| !user.is_anonymous())
    }

    fn key(&self, parts: &mut Parts, is_keyed_by_user: bool) -> Result<Visit, NoKey> {
        let options = &self.options;
        let mut parameters = path_parameters(parts)?;
        let parts = &*parts;
        let url = Path::parse(requested(parts).path())?;
        // A parameter that the template names is in the key, whatever the filter says.
        let named = |name: &str| {
            options
                .template
                .is_some_and(|known| known.names_query(name))
        };
        let keeps = |name: &str| named(name) || options.query.keeps(name);
        let mut query = Query::parse(parts.uri.query(), keeps)?;
        let host = target::host(&parts.uri, &parts.headers)?;
        let path = match &options.template {
            Some(template) => template.path(&mut Values {
                parts,
                parameters: &mut parameters,
                query: &mut query,
                host: host.as_deref(),
            })?,
            None => {
                // The segments are all of the path: its parameters are among them.
                parameters.clear();
                target::path_below(ROOT, url.segments())
            }
        };
        let varied = self.vary();
        let mut variant = Vec::new();
        let is_named = options.template.is_some_and(|template| template.has_host());
        let host = host.filter(|_| options.host && !is_named);
        push(
            &mut variant,
            b'h',
            host.map(|host| host.into_owned().into_bytes()),
        );
        let unusual = url.unusual().map(|raw| raw.as_bytes().to_vec());
        push(&mut variant, b'u', unusual);
        for (name, value) in parameters {
            push(&mut variant, b'p', Some(name.into_bytes()));
            push(&mut variant, b'=', Some(value.into_bytes()));
        }
        if !query.is_empty() {
            let mut pairs = Vec::new();
            query.push_variant(&mut pairs);
            push(&mut variant, b'q', Some(pairs));
        }
        if !varied.is_empty() {
            let mut fields = Vec::new();
            varied.push_variant(&parts.headers, &mut fields);
            push(&mut variant, b'v', Some(fields));
        }
        Ok(Visit {
            path,
            variant,
            varied,
            is_keyed_by_user,
        })
    }

    /// Return the pattern of the pages that a write at this route concerns.
    pub(crate) fn pattern(&self, parts: &mut Parts) -> Result<String, NoKey> {
        let mut parameters = path_parameters(parts)?;
        match &self.options.template {
            Some(template) => template.pattern(&mut Values {
                parts,
                parameters: &mut parameters,
                query: &mut Query::default(),
                host: None,
            }),
            None => {
                let url = Path::parse(requested(parts).path())?;
                Ok(target::path_below(ROOT, url.segments()))
            }
        }
    }
}

/// Append a part of a variant, if the request has it.
fn push(variant: &mut Vec<u8>, kind: u8, part: Option<Vec<u8>>) {
    if let Some(part) = part {
        variant.push(kind);
        variant.extend((part.len() as u64).to_le_bytes());
        variant.extend(part);
    }
}

impl Visit {
    /// Begin to read the page's entry.
    pub(crate) fn read(&self, cache: &Cache, route: &Route) -> ReadBuilder {
        let options = &route.options;
        let read = cache.read(&self.path);
        let read = match self.variant.is_empty() {
            true => read,
            false => read.variant(&Raw(&self.variant)),
        };
        let read = read.stale(options.policy.stale).version(options.version);
        let read = read.stale_if_error(options.policy.stale_if_error);
        read.jitter(options.jitter)
    }
}

/// Return the URI that the client sent. Below `Router::nest` the request has only the rest of its
/// path, which two nested routers may share.
#[cfg(feature = "axum")]
pub(super) fn requested(parts: &Parts) -> &Uri {
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&parts.uri, |original| &original.0)
}

#[cfg(not(feature = "axum"))]
pub(super) fn requested(parts: &Parts) -> &Uri {
    &parts.uri
}

/// Return the route's path parameters, decoded.
#[cfg(feature = "axum")]
fn path_parameters(parts: &mut Parts) -> Result<Vec<(String, String)>, NoKey> {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use axum::extract::rejection::RawPathParamsRejection;
    use axum::extract::{FromRequestParts as _, RawPathParams};

    let extracting = pin!(RawPathParams::from_request_parts(parts, &()));
    // It waits for nothing.
    let Poll::Ready(extracted) = extracting.poll(&mut Context::from_waker(Waker::noop())) else {
        return Err(Unkeyable::Utf8.into());
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    match extracted {
        Ok(parameters) => Ok(parameters.iter().map(owned).collect()),
        // Outside of a router of axum.
        Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(Vec::new()),
        Err(_) => Err(Unkeyable::Utf8.into()),
    }
}

/// Without axum, routes have no parameters that the layer knows.
#[cfg(not(feature = "axum"))]
fn path_parameters(_: &mut Parts) -> Result<Vec<(String, String)>, NoKey> {
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::COOKIE;

    use super::*;
    use crate::layer::CacheLayer;
    use crate::template::{PageTemplate, Part};

    /// Return whether a request with a cookie may use the cache, in a layer with the user in the
    /// key.
    fn is_admitted(user: Option<User>) -> bool {
        let parts = &[Part::Text("cart:"), Part::User];
        let layer = CacheLayer::new(PageTemplate::new("cart:<<user>>", parts));
        let request = Request::builder().header(COOKIE, "session=1");
        let (mut parts, ()) = request.body(()).expect("a valid request").into_parts();
        if let Some(user) = user {
            parts.extensions.insert(user);
        }
        layer.route.visit(&mut parts, false).is_ok()
    }

    #[test]
    fn the_key_of_visitors_without_a_name_is_no_users() {
        assert!(is_admitted(Some(User::new(7))));
        assert!(!is_admitted(Some(User::anonymous())));
        assert!(!is_admitted(None));
    }
}
