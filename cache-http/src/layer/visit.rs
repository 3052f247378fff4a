//! One request at a route: whether the cache may answer it, and at which key.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::Duration;

use cache_runtime::{Cache, ReadBuilder};
use http::request::Parts;
use http::{HeaderValue, Uri};

use crate::no_key::NoKey;
use crate::page::{Page, Raw};
use crate::parameters::Parameters;
use crate::route::Route;
use crate::rules::cache_status::{CacheStatus, Forward};
use crate::rules::etag;
use crate::rules::storage::{self, Refusal};
use crate::rules::target::{self, Path, Query};
use crate::rules::vary::VaryingFields;
use crate::template::Values;
use crate::user::User;

/// Root of the paths of pages that are found by their URL.
pub(super) const ROOT: &str = "http";

/// A request that the cache may answer: what storing its response depends on, besides the key.
pub(crate) struct Visit {
    /// The fields whose values are in the variant, if there are others than the layer was told.
    varied: Option<VaryingFields>,
    /// The `ETag` by the version of the data, for routes with `etag_by`.
    pub(crate) tag: Option<HeaderValue>,
    /// The entry is one user's.
    pub(crate) is_keyed_by_user: bool,
    /// The cache's default TTL.
    pub(crate) default_ttl: Duration,
    /// The number of the URL among those of which a variant was stored. Only for a miss, at a route
    /// whose responses vary.
    pub(super) url: Option<u64>,
}

/// The status of a request that passes the cache for a reason of this program.
const BYPASS: CacheStatus = CacheStatus::Forwarded {
    forward: Forward::Bypass,
    stored: false,
    collapsed: false,
    detail: None,
};

/// Memory in which a key is written.
#[derive(Default)]
struct Buffers {
    path: String,
    /// The part of the key that isn't in its path, in an unambiguous form.
    variant: Vec<u8>,
}

/// Larger buffers aren't kept.
const LARGEST_BUFFER: usize = 4 << 10;

thread_local! {
    static BUFFERS: Cell<Buffers> = const {
        Cell::new(Buffers { path: String::new(), variant: Vec::new() })
    };
}

impl Route {
    /// Return the read of the page's entry, and the visit, or why the request goes to the handler.
    /// `has_body`: the request's body isn't empty. `version`: that of the data, by `etag_by`.
    pub(crate) fn visit(
        &self,
        parts: &mut Parts,
        has_body: bool,
        version: Option<&str>,
        cache: &Cache,
    ) -> Result<(ReadBuilder, Visit), CacheStatus> {
        let options = &self.options;
        if !options.enabled {
            return Err(BYPASS);
        }
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
        if options.bypass.as_ref().is_some_and(|bypass| bypass(parts)) {
            return Err(BYPASS);
        }
        let varied = self.learned();
        // The buffers are taken, so they are those of this request alone.
        let mut buffers = BUFFERS.try_with(Cell::take).unwrap_or_default();
        let fields = varied.as_ref().unwrap_or(&options.vary);
        let written = self.write_key(parts, fields, &mut buffers);
        let mut tag = None;
        let read = written.map(|()| {
            if let Some(version) = version {
                // A page of another version has another key, so it isn't served.
                push(&mut buffers.variant, b'e', version.as_bytes());
                let (path, variant) = (&buffers.path, &buffers.variant);
                tag = Some(etag::of_version(path, variant, options.version));
            }
            self.read(&buffers, cache)
        });
        if buffers.path.capacity().max(buffers.variant.capacity()) <= LARGEST_BUFFER {
            // A thread that ends has no buffers.
            let _ = BUFFERS.try_with(|kept| kept.set(buffers));
        }
        let visit = Visit {
            varied,
            tag,
            is_keyed_by_user,
            default_ttl: cache.default_ttl(),
            url: None,
        };
        match read {
            Ok(read) => Ok((read, visit)),
            Err(reason) => {
                self.tell(&reason);
                Err(BYPASS)
            }
        }
    }

    /// Return whether the request's entry is one user's. The key of a request without a user isn't:
    /// all of them have the same.
    fn is_keyed_by_user(&self, parts: &Parts) -> bool {
        self.has_user() && {
            let user = parts.extensions.get::<User>();
            user.is_some_and(|user| !user.is_anonymous())
        }
    }

    fn write_key(
        &self,
        parts: &mut Parts,
        varied: &VaryingFields,
        Buffers { path, variant }: &mut Buffers,
    ) -> Result<(), NoKey> {
        path.clear();
        variant.clear();
        let options = &self.options;
        let mut parameters = Parameters::of(parts)?;
        let parts = &*parts;
        let sent = requested(parts).path();
        // A parameter that the template names is in the key, whatever the filter says.
        let named = |name: &str| {
            options
                .template
                .is_some_and(|known| known.names_query(name))
        };
        let keeps = |name: &str| named(name) || options.query.keeps(name);
        let mut query = Query::parse(parts.uri.query(), keeps)?;
        let host = target::host(&parts.uri, &parts.headers)?;
        let is_named = options.template.is_some_and(|template| template.has_host());
        if let Some(host) = &host
            && options.host
            && !is_named
        {
            push(variant, b'h', host.as_bytes());
        }
        match &options.template {
            Some(template) => {
                target::check(sent)?;
                template.push_path(
                    &mut Values {
                        parts,
                        parameters: &mut parameters,
                        query: &mut query,
                        host: host.as_deref(),
                    },
                    path,
                )?;
                // A template needn't name all of the path, and one layer may be around several
                // routes.
                push_with(variant, b'u', |out| parameters.push_sent(sent, out));
                for (name, value) in parameters.rest() {
                    push(variant, b'p', name.as_bytes());
                    push(variant, b'=', value.as_bytes());
                }
            }
            None => {
                // The segments are all of the path: its parameters are among them.
                let url = Path::parse(sent)?;
                target::push_path_below(ROOT, url.segments(), path);
                if let Some(unusual) = url.unusual() {
                    push(variant, b'u', unusual.as_bytes());
                }
            }
        }
        // Below `nest`, or after a layer that has chosen another page for this visitor.
        if sent != parts.uri.path() {
            push(variant, b'r', parts.uri.path().as_bytes());
        }
        if !query.is_empty() {
            push_with(variant, b'q', |out| query.push_variant(out));
        }
        if !varied.is_empty() {
            push_with(variant, b'v', |out| {
                varied.push_variant(&parts.headers, out)
            });
        }
        Ok(())
    }

    /// Begin to read the page's entry.
    fn read(&self, key: &Buffers, cache: &Cache) -> ReadBuilder {
        let options = &self.options;
        let read = cache.read(&unambiguous(&key.path, cache.prefix()));
        let read = match key.variant.is_empty() {
            true => read,
            false => read.variant(&Raw(&key.variant)),
        };
        let read = read.own_staleness::<Page>().version(options.version);
        let read = read.jitter(options.jitter);
        let read = match options.template.and_then(|template| template.site) {
            Some(site) => read.at_site(site),
            None => read,
        };
        read.debug(options.debug)
    }

    /// Note in the visit which URL missed, if responses of the route vary.
    pub(super) fn note_url(&self, visit: &mut Visit, parts: &mut Parts) {
        if visit.varied(self).is_empty() {
            return;
        }
        let mut key = Buffers::default();
        if self
            .write_key(parts, &VaryingFields::default(), &mut key)
            .is_ok()
        {
            visit.url = Some(self.varying.id((key.path, key.variant)));
        }
    }

    /// Return the pattern of the pages that a write at this route concerns.
    pub(crate) fn pattern(&self, parts: &mut Parts) -> Result<String, NoKey> {
        let mut parameters = Parameters::of(parts)?;
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

impl Visit {
    /// The fields whose values are in the variant.
    pub(crate) fn varied<'v>(&'v self, route: &'v Route) -> &'v VaryingFields {
        self.varied.as_ref().unwrap_or(&route.options.vary)
    }
}

/// Append a part of a variant.
fn push(variant: &mut Vec<u8>, kind: u8, part: &[u8]) {
    push_with(variant, kind, |out| out.extend_from_slice(part));
}

/// Append a part of a variant that a function writes.
fn push_with(variant: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    variant.push(kind);
    let at = variant.len();
    variant.extend([0; 8]);
    write(variant);
    let length = (variant.len() - at - 8) as u64;
    variant[at..at + 8].copy_from_slice(&length.to_le_bytes());
}

/// Return the path as reads take it: in full, if it begins like a full key. Patterns are without the
/// prefix, so one that names this path would miss the entry otherwise.
fn unambiguous<'p>(path: &'p str, prefix: &str) -> Cow<'p, str> {
    let rest = path.strip_prefix(prefix);
    match rest.is_some_and(|rest| rest.starts_with(':')) {
        true => Cow::Owned(format!("{prefix}:{path}")),
        false => Cow::Borrowed(path),
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
        let cache = Cache::builder().build().expect("the defaults are valid");
        layer.route.visit(&mut parts, false, None, &cache).is_ok()
    }

    #[test]
    fn the_key_of_visitors_without_a_name_is_no_users() {
        assert!(is_admitted(Some(User::new(7))));
        assert!(!is_admitted(Some(User::anonymous())));
        assert!(!is_admitted(None));
    }
}
