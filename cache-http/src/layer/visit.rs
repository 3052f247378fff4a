//! One request at a route: whether the cache may answer it, and at which key.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cache_runtime::{Cache, ReadBuilder};
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderName, Method};

use super::{Authorized, Cookies, QueryRule, Route};
use crate::cache_status::Forward;
use crate::rules::target::{self, Target};
use crate::template::{NoKey, PageTemplate, Values};

/// A request that the cache may answer.
pub(crate) struct Visit {
    path: String,
    variant: Variant,
    /// The fields whose values are in the variant.
    pub(crate) varied: Vec<HeaderName>,
}

/// What is in the key and not in its path.
#[derive(serde::Serialize)]
struct Variant {
    host: Option<String>,
    /// Path parameters that the template doesn't name.
    parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    fields: Vec<(String, Option<Vec<u8>>)>,
}

impl Route {
    /// Return the visit, or why the request goes to the handler.
    pub(crate) fn visit(&self, parts: &mut Parts) -> Result<Visit, Forward> {
        let options = &self.options;
        if !options.enabled {
            return Err(Forward::Bypass);
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Forward::Method);
        }
        let template = options.template.as_ref();
        let is_users = template.is_some_and(PageTemplate::has_user);
        let is_authorized = parts.headers.contains_key(AUTHORIZATION);
        if is_authorized && !is_users && options.authorized == Authorized::Private {
            return Err(Forward::Bypass);
        }
        let has_cookies = parts.headers.contains_key(COOKIE);
        let names_cookie = template.is_some_and(PageTemplate::has_cookie);
        if has_cookies && !is_users && !names_cookie && options.cookies == Cookies::Private {
            return Err(Forward::Bypass);
        }
        if options.bypass.as_ref().is_some_and(|bypass| bypass(parts)) {
            return Err(Forward::Bypass);
        }
        self.key(parts).map_err(|reason| {
            self.tell(&reason);
            Forward::Bypass
        })
    }

    fn key(&self, parts: &mut Parts) -> Result<Visit, NoKey> {
        let options = &self.options;
        let target = Target::of(parts).ok_or(NoKey::BadTarget)?;
        let parameters = path_parameters(parts)?;
        let varied = self.vary();
        let fields = varied.iter().map(|name| {
            let value = crate::rules::vary::value(&parts.headers, name);
            (name.as_str().to_owned(), value)
        });
        let fields = fields.collect();
        let Target {
            segments,
            query,
            host,
        } = target;
        let (path, parameters) = match &options.template {
            Some(template) => {
                let values = Values {
                    parts,
                    path: &parameters,
                    query: &query,
                    host: host.as_deref(),
                };
                let path = template.path(&values)?;
                let unnamed = parameters.into_iter();
                let unnamed = unnamed.filter(|(name, _)| !template.names_path(name));
                (path, unnamed.collect())
            }
            // The segments are all of the path: its parameters are among them.
            None => (target::path_below("http", &segments), Vec::new()),
        };
        let named = |name: &str| {
            let template = options.template.as_ref();
            template.is_some_and(|template| template.names_query(name))
        };
        let query = query.into_iter().filter(|(name, _)| !named(name));
        let query = query.filter(|(name, _)| options.query.keeps(name));
        let variant = Variant {
            host: host.filter(|_| options.host),
            parameters,
            query: query.collect(),
            fields,
        };
        Ok(Visit {
            path,
            variant,
            varied,
        })
    }

    /// Return the pattern of the pages that a write at this route concerns.
    pub(crate) fn pattern(&self, parts: &mut Parts) -> Result<String, NoKey> {
        let target = Target::of(parts).ok_or(NoKey::BadTarget)?;
        let parameters = path_parameters(parts)?;
        match &self.options.template {
            Some(template) => template.pattern(&Values {
                parts,
                path: &parameters,
                query: &target.query,
                host: target.host.as_deref(),
            }),
            None => Ok(target::path_below("http", &target.segments)),
        }
    }
}

impl Visit {
    /// Begin to read the page's entry.
    pub(crate) fn read(&self, cache: &Cache, route: &Route) -> ReadBuilder {
        let options = &route.options;
        let read = cache.read(&self.path).variant(&self.variant);
        let read = read.stale(options.stale).version(options.version);
        let read = read.stale_if_error(options.stale_if_error);
        read.jitter(options.jitter).ttl(options.ttl)
    }
}

impl QueryRule {
    fn keeps(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|known| known == name),
            Self::Except(patterns) => !patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => pattern == name,
            }),
        }
    }
}

/// Return the route's path parameters.
#[cfg(feature = "axum")]
fn path_parameters(parts: &mut Parts) -> Result<Vec<(String, String)>, NoKey> {
    use axum::extract::{FromRequestParts as _, RawPathParams};

    // It waits for nothing.
    let extracted = pin!(RawPathParams::from_request_parts(parts, &()));
    let Poll::Ready(extracted) = extracted.poll(&mut Context::from_waker(Waker::noop())) else {
        return Err(NoKey::BadTarget);
    };
    match extracted {
        Ok(parameters) => Ok(parameters
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()),
        // Outside of a router of axum there are none; within one, a value isn't UTF-8.
        Err(rejection) => match rejection {
            axum::extract::rejection::RawPathParamsRejection::MissingPathParams(_) => {
                Ok(Vec::new())
            }
            _ => Err(NoKey::BadTarget),
        },
    }
}

/// Without axum, routes have no parameters that the layer knows.
#[cfg(not(feature = "axum"))]
fn path_parameters(_: &mut Parts) -> Result<Vec<(String, String)>, NoKey> {
    Ok(Vec::new())
}
