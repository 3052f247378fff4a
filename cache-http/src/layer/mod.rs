//! `CacheLayer` and its options.

mod flow;
pub(crate) mod lifetime;
pub(crate) mod service;
pub(crate) mod visit;
mod write;

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cache_runtime::Cache;
use http::request::Parts;
use http::{HeaderName, StatusCode};
use tower_layer::Layer;

use crate::rules::storage::{CookiePolicy, Policy};
use crate::rules::target::QueryFilter;
use crate::rules::vary::VaryingFields;
use crate::template::{NoKey, PageTemplate};
use lifetime::Lifetime;
use service::CacheService;

/// Largest body that is stored, in bytes, unless [`CacheLayer::max_body`] says otherwise.
const MAX_BODY: usize = 1 << 20;

/// Largest number of field names that one route learns from `Vary`.
const MAX_LEARNED: usize = 16;

/// A tower layer that caches the responses of a route.
///
/// Put it on the routes whose responses may be cached. See the [crate's documentation](crate) for
/// what is stored, and what never is.
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::{Router, extract::Path, routing::get};
/// use cache_http::{CacheLayer, page};
///
/// async fn show(Path(slug): Path<String>) -> String {
///     format!("the post {slug}")
/// }
///
/// let posts = CacheLayer::new(page!("posts:<<slug>>:page")).ttl("10m").stale("1m");
/// let app: Router = Router::new().route("/posts/{slug}", get(show).layer(posts));
/// ```
#[derive(Clone)]
pub struct CacheLayer {
    route: Arc<Route>,
}

/// The configuration of a layer, and what it learns.
pub(crate) struct Route {
    pub(crate) options: Options,
    /// Names of fields that responses vary by and that the layer wasn't told.
    learned: RwLock<VaryingFields>,
    /// The warnings that were logged, each once.
    told: RwLock<HashSet<String>>,
}

#[derive(Clone)]
pub(crate) struct Options {
    /// `None`: by the URL's path.
    pub(crate) template: Option<PageTemplate>,
    /// Options that the rules of HTTP depend on.
    pub(crate) policy: Policy,
    pub(crate) jitter: f64,
    pub(crate) version: u32,
    pub(crate) max_body: usize,
    pub(crate) vary: VaryingFields,
    pub(crate) query: QueryFilter,
    pub(crate) host: bool,
    pub(crate) browser: Option<Duration>,
    pub(crate) status_header: HeaderName,
    pub(crate) bypass: Option<Condition>,
    pub(crate) enabled: bool,
    pub(crate) cache: Option<Cache>,
    pub(crate) debug: bool,
}

/// A condition on requests.
type Condition = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Treatment of requests that have an `Authorization` field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authorized {
    /// They bypass the cache, unless the key has the user, and the request has one.
    #[default]
    Private,
    /// The responses are the same for everybody who is let in: they are stored and shared.
    Public,
}

/// Treatment of requests that have cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cookies {
    /// They bypass the cache, unless the key has the user, and the request has one, or the key has
    /// all of the request's cookies.
    #[default]
    Private,
    /// The responses don't depend on cookies.
    Ignored,
}

impl CacheLayer {
    /// Cache the responses of a route at this template.
    ///
    /// Path parameters that the template doesn't name, the host, the query, and the fields of
    /// [`vary`](Self::vary) are in the variant of the key: one pattern removes all variants.
    pub fn new(template: PageTemplate) -> Self {
        Self::with(Some(template))
    }

    /// Cache responses by the segments of the URL's path, below `http`: the page of `/posts/1` is at
    /// `http:posts:1`.
    pub fn by_url() -> Self {
        Self::with(None)
    }

    fn with(template: Option<PageTemplate>) -> Self {
        Self {
            route: Arc::new(Route::new(Options {
                policy: Policy {
                    cookies: private_cookies(template),
                    ..Policy::default()
                },
                template,
                jitter: 0.0,
                version: 0,
                max_body: MAX_BODY,
                vary: VaryingFields::default(),
                query: QueryFilter::All,
                host: true,
                browser: None,
                status_header: HeaderName::from_static("cache-status"),
                bypass: None,
                enabled: true,
                cache: None,
                debug: false,
            })),
        }
    }

    fn change(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.route.options.clone();
        change(&mut options);
        Self {
            route: Arc::new(Route::new(options)),
        }
    }

    /// Set how long a response is fresh whose `Cache-Control` and `Expires` say nothing. Default:
    /// the cache's default TTL.
    ///
    /// # Panics
    ///
    /// A text that isn't a time, such as `"10"` or `"ten minutes"`, panics here and in the other
    /// options that take a time: it is a mistake of the program.
    #[track_caller]
    pub fn ttl(self, ttl: impl Lifetime) -> Self {
        let ttl = time("ttl", ttl);
        self.change(|options| options.policy.ttl = Some(ttl))
    }

    /// Set how long past its freshness a response is served while one caller in the background asks
    /// the handler again (`stale-while-revalidate`, RFC 5861). Default: zero.
    #[track_caller]
    pub fn stale(self, time_past: impl Lifetime) -> Self {
        let stale = time("stale", time_past);
        self.change(|options| options.policy.stale = stale)
    }

    /// Set how long past its freshness a response is served if the handler fails, or answers with a
    /// 5xx status (`stale-if-error`, RFC 5861). Default: zero.
    #[track_caller]
    pub fn stale_if_error(self, time_past: impl Lifetime) -> Self {
        let stale = time("stale_if_error", time_past);
        self.change(|options| options.policy.stale_if_error = stale)
    }

    /// Set the largest fraction by which a TTL is shortened at random, from 0 to 1, so that pages
    /// that were stored together don't expire together. Default: 0.
    pub fn jitter(self, fraction: f64) -> Self {
        self.change(|options| options.jitter = fraction)
    }

    /// Set the version of the pages. Raise it when the handler's output changes: pages of other
    /// versions are misses. Default: 0.
    pub fn version(self, version: u32) -> Self {
        self.change(|options| options.version = version)
    }

    /// Store responses of these statuses, too, for the route's TTL. Without explicit freshness, only
    /// `200` is stored otherwise. 206 and 304 never are.
    pub fn statuses(self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.change(|options| options.policy.statuses.extend(statuses))
    }

    /// Set the largest body that is stored, in bytes; a longer one is streamed through. Default:
    /// 1 MiB.
    pub fn max_body(self, bytes: usize) -> Self {
        self.change(|options| options.max_body = bytes)
    }

    /// Name the request fields that the response depends on. Fields that a response's `Vary` names
    /// are learned, at the price of one more run of the handler in each process.
    ///
    /// # Panics
    ///
    /// If a name isn't one of a field.
    #[track_caller]
    pub fn vary<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let at = Location::caller();
        let name = |name: &str| {
            HeaderName::try_from(name)
                .unwrap_or_else(|_| panic!("`vary` at {at}: `{name}` isn't the name of a field"))
        };
        let names = VaryingFields::new(names.into_iter().map(name));
        self.change(|options| options.vary = names)
    }

    /// Name the query's pairs that the response depends on. All others aren't part of the key. By
    /// default, all are.
    pub fn query<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.change(|options| options.query = QueryFilter::Only(names))
    }

    /// Name the query's pairs that the response doesn't depend on. A `*` at the end of a name matches
    /// any rest, as in `utm_*`.
    pub fn ignore_query<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.change(|options| options.query = QueryFilter::Ignore(names))
    }

    /// Set whether each host has pages of its own. Default: true.
    pub fn host(self, host: bool) -> Self {
        self.change(|options| options.host = host)
    }

    /// Say whether responses to requests with `Authorization` may be shared. Default:
    /// [`Authorized::Private`].
    pub fn authorized(self, authorized: Authorized) -> Self {
        let public = authorized == Authorized::Public;
        self.change(|options| options.policy.authorized_public = public)
    }

    /// Say whether responses to requests with cookies may be shared. Default: [`Cookies::Private`].
    pub fn cookies(self, cookies: Cookies) -> Self {
        self.change(|options| {
            options.policy.cookies = match cookies {
                Cookies::Private => private_cookies(options.template),
                Cookies::Ignored => CookiePolicy::Ignored,
            }
        })
    }

    /// Let browsers keep a response for this long without asking, where the handler says nothing. An
    /// invalidation doesn't reach them meanwhile. By default they ask each time (`no-cache`), and
    /// nearly always get a 304.
    #[track_caller]
    pub fn browser(self, max_age: impl Lifetime) -> Self {
        let max_age = time("browser", max_age);
        self.change(|options| options.browser = Some(max_age))
    }

    /// Set the field that tells what the cache did (RFC 9211). Default: `Cache-Status`.
    ///
    /// # Panics
    ///
    /// If it isn't the name of a field.
    #[track_caller]
    pub fn status_header(self, name: &str) -> Self {
        let Ok(name) = HeaderName::try_from(name) else {
            panic!("`status_header`: `{name}` isn't the name of a field");
        };
        self.change(|options| options.status_header = name)
    }

    /// Obey the `Cache-Control` of requests, such as a browser's reload. By default they are ignored:
    /// a client can't make the handler run.
    pub fn obey_requests(self) -> Self {
        self.change(|options| options.policy.obey_requests = true)
    }

    /// Pass the requests for which this returns true to the handler, without the cache.
    pub fn bypass(self, bypass: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.change(|options| options.bypass = Some(Arc::new(bypass)))
    }

    /// Switch the layer on or off. Default: on.
    pub fn enabled(self, enabled: bool) -> Self {
        self.change(|options| options.enabled = enabled)
    }

    /// Use this cache. Default: [`Cache::current`] at each request.
    pub fn cache(self, cache: &Cache) -> Self {
        self.change(|options| options.cache = Some(cache.clone()))
    }

    /// Log what happens to each request at `info`, not at `debug`.
    pub fn debug(self, debug: bool) -> Self {
        self.change(|options| options.debug = debug)
    }
}

/// Requests whose cookies are all in the key may use the cache.
fn private_cookies(template: Option<PageTemplate>) -> CookiePolicy {
    let names = template.iter().flat_map(PageTemplate::cookies);
    CookiePolicy::InKey(names.map(str::to_owned).collect())
}

#[track_caller]
fn time(option: &str, time: impl Lifetime) -> Duration {
    match time.parse() {
        Some(time) => time,
        None => panic!(
            "`{option}` takes a time: a `Duration`, whole seconds, or a text such as \"30s\", \"10m\" or \"2h\""
        ),
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = CacheService<S>;
    fn layer(&self, inner: S) -> CacheService<S> {
        CacheService::new(Arc::clone(&self.route), inner)
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer")
            .field("template", &self.route.options.template)
            .finish_non_exhaustive()
    }
}

impl Route {
    fn new(options: Options) -> Self {
        Self {
            options,
            learned: RwLock::default(),
            told: RwLock::default(),
        }
    }

    /// Return whether each user has pages of their own.
    pub(crate) fn has_user(&self) -> bool {
        self.options
            .template
            .is_some_and(|template| template.has_user())
    }

    /// The names of all fields that responses of this route are known to vary by.
    pub(crate) fn vary(&self) -> VaryingFields {
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        match learned.is_empty() {
            true => self.options.vary.clone(),
            false => self.options.vary.and(&learned),
        }
    }

    /// Whether the key was made with all fields that the response varies by. Otherwise remember
    /// them for the next request.
    pub(crate) fn is_told_by(&self, used: &VaryingFields, named: &VaryingFields) -> bool {
        if used.and(named) == *used {
            return true;
        }
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        let all = learned.and(named);
        if all.len() <= MAX_LEARNED {
            *learned = all;
        }
        false
    }

    /// Say once why requests of this route aren't cached.
    pub(crate) fn tell(&self, reason: &NoKey) {
        // A client's mistake, not the program's.
        if matches!(reason, NoKey::Unkeyable(_)) {
            return;
        }
        let text = reason.to_string();
        let known = self.told.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&text) {
            return;
        }
        drop(known);
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text) {
            let template = self.options.template.map_or("by_url", |known| known.text);
            tracing::warn!(target: "cache", template, "[Cache] the responses of `{template}` aren't cached: {reason}");
        }
    }
}
