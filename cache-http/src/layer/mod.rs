//! `CacheLayer` and its options.

mod flow;
mod inner;
mod matched_path;
pub(crate) mod service;
mod unchanged;
pub(crate) mod visit;
mod write;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use cache_runtime::Cache;
use http::request::Parts;
use http::{HeaderName, StatusCode};
use tower_layer::Layer;

use crate::lifetime::{Lifetime, time};
use crate::route::{EtagBy, Options, Route};
use crate::rules::storage::{CookiePolicy, Policy};
use crate::rules::target::QueryFilter;
use crate::rules::vary::VaryingFields;
use crate::template::PageTemplate;
use service::CacheService;

/// Largest body that is stored, in bytes, unless [`CacheLayer::max_body`] says otherwise.
const MAX_BODY: usize = 1 << 20;

/// A tower layer that caches the responses of a route.
///
/// Put it on the routes whose responses may be cached. See the [crate's documentation](crate) for
/// what is stored, and what never is.
///
/// # Requests with credentials
///
/// A request with cookies or `Authorization` bypasses the cache, unless the key has the user or that
/// cookie. The layer can't know whether the handler reads them. If it does, its response is one
/// user's, and must not be served to another. This is also so where a
/// [`ContextLayer`](crate::ContextLayer) found no user: an anonymous visitor with a session may have a
/// cart. [`cookies`](Self::cookies) and [`authorized`](Self::authorized) lift it for a route.
///
/// # Method override
///
/// A middleware that turns a `POST` into a `PUT`, by `X-HTTP-Method-Override` or a field of a form,
/// belongs outside of this layer. Inside of it, a `GET` with such a field could be stored as the page.
///
/// # Writes
///
/// A method that isn't safe, such as `PUT`, removes the pages of its path if it succeeds, and those
/// that `Location` and `Content-Location` name on the same host: with [`by_url`](Self::by_url) any
/// page, with a template only pages of the same route, found by axum's `MatchedPath`. Pages of
/// other routes are removed by `#[invalidate]`.
///
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
    /// The URL's path, the host, the query, and the fields of [`vary`](Self::vary) are in the variant
    /// of the key: no URL gets the page of another, and one pattern removes all variants.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("posts:<<slug>>:page")).ttl("10m");
    /// ```
    pub fn new(template: PageTemplate) -> Self {
        Self::with(Some(template))
    }

    /// Cache responses by the segments of the URL's path, below `http`: the page of `/posts/1` is at
    /// `http:posts:1`.
    ///
    /// ```
    /// use cache_http::CacheLayer;
    ///
    /// // One layer for all routes of a router.
    /// let layer = CacheLayer::by_url().ttl("10m");
    /// ```
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
                etag_by: None,
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
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).ttl("10m");
    /// let layer = CacheLayer::new(page!("prices")).ttl(30); // seconds
    /// ```
    #[track_caller]
    pub fn ttl(self, ttl: impl Lifetime) -> Self {
        let ttl = time("ttl", ttl);
        self.change(|options| options.policy.ttl = Some(ttl))
    }

    /// Set how long past its freshness a response is served while one caller in the background asks
    /// the handler again (`stale-while-revalidate`, RFC 5861). Default: zero.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).ttl("10m").stale("1m");
    /// ```
    #[track_caller]
    pub fn stale(self, time_past: impl Lifetime) -> Self {
        let stale = time("stale", time_past);
        self.change(|options| options.policy.stale = stale)
    }

    /// Set how long past its freshness a response is served if the handler fails, or answers with a
    /// 5xx status (`stale-if-error`, RFC 5861). Default: zero.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).ttl("10m").stale_if_error("1h");
    /// ```
    #[track_caller]
    pub fn stale_if_error(self, time_past: impl Lifetime) -> Self {
        let stale = time("stale_if_error", time_past);
        self.change(|options| options.policy.stale_if_error = stale)
    }

    /// Set the largest fraction by which a TTL is shortened at random, from 0 to 1, so that pages
    /// that were stored together don't expire together. Default: 0.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// // From nine to ten minutes.
    /// let layer = CacheLayer::new(page!("news")).ttl("10m").jitter(0.1);
    /// ```
    pub fn jitter(self, fraction: f64) -> Self {
        self.change(|options| options.jitter = fraction)
    }

    /// Set the version of the pages. Raise it when the handler's output changes: pages of other
    /// versions are misses. Default: 0.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).version(2); // the second layout
    /// ```
    pub fn version(self, version: u32) -> Self {
        self.change(|options| options.version = version)
    }

    /// Store responses of these statuses, too, for the route's TTL. Without explicit freshness, only
    /// `200` is stored otherwise. 206 and 304 never are.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    /// use http::StatusCode;
    ///
    /// let layer = CacheLayer::new(page!("posts:<<slug>>:page"))
    ///     .ttl("10m")
    ///     .statuses([StatusCode::NOT_FOUND]);
    /// ```
    pub fn statuses(self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.change(|options| options.policy.statuses.extend(statuses))
    }

    /// Set the largest body that is stored, in bytes; a longer one is streamed through. Default:
    /// 1 MiB.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("report")).max_body(8 << 20); // 8 MiB
    /// ```
    pub fn max_body(self, bytes: usize) -> Self {
        self.change(|options| options.max_body = bytes)
    }

    /// Name the request fields that the response depends on. A field that the handler reads, and
    /// that neither this option nor `Vary` names, isn't part of the key: the first caller's value
    /// decides on the page of all. Fields that a response's `Vary` names
    /// are learned, at the price of one more run of the handler in each process.
    ///
    /// # Panics
    ///
    /// If a name isn't one of a field.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).vary(["accept-language"]);
    /// ```
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
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("search")).query(["q", "page"]);
    /// ```
    pub fn query<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.change(|options| options.query = QueryFilter::Only(names))
    }

    /// Name the query's pairs that the response doesn't depend on. A `*` at the end of a name matches
    /// any rest, as in `utm_*`.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).ignore_query(["utm_*", "fbclid"]);
    /// ```
    pub fn ignore_query<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.change(|options| options.query = QueryFilter::Ignore(names))
    }

    /// Set whether each host has pages of its own. Default: true.
    ///
    /// The host is that of the request's target, or of `Host`. A handler that makes links from
    /// `X-Forwarded-Host` or `Forwarded` depends on a field that a client can choose: name it in
    /// [`vary`](Self::vary), or let the proxy overwrite it. Otherwise one request with a forged
    /// field fills the page of everybody.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// // The same pages at `example.com` and `www.example.com`.
    /// let layer = CacheLayer::new(page!("news")).host(false);
    /// ```
    pub fn host(self, host: bool) -> Self {
        self.change(|options| options.host = host)
    }

    /// Say whether responses to requests with `Authorization` may be shared. Default:
    /// [`Authorized::Private`].
    ///
    /// With [`Authorized::Public`], a hit is served to callers whom the handler would refuse: check
    /// the token in a layer outside of this one.
    ///
    /// ```
    /// use cache_http::{Authorized, CacheLayer, page};
    ///
    /// // A price list for all partners: the token only lets them in.
    /// let layer = CacheLayer::new(page!("prices")).authorized(Authorized::Public);
    /// ```
    pub fn authorized(self, authorized: Authorized) -> Self {
        let public = authorized == Authorized::Public;
        self.change(|options| options.policy.authorized_public = public)
    }

    /// Say whether responses to requests with cookies may be shared. Default: [`Cookies::Private`].
    ///
    /// With [`Cookies::Ignored`], a handler that reads any cookie, a session's for instance, puts one
    /// user's page before all others. To depend on one cookie, name it in the template instead:
    /// `<<cookie.theme>>`.
    ///
    /// ```
    /// use cache_http::{CacheLayer, Cookies, page};
    ///
    /// // The cookies are those of an analytics script.
    /// let layer = CacheLayer::new(page!("news")).cookies(Cookies::Ignored);
    /// ```
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
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("logo")).ttl("1d").browser("1h");
    /// ```
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
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).status_header("x-cache");
    /// ```
    #[track_caller]
    pub fn status_header(self, name: &str) -> Self {
        let Ok(name) = HeaderName::try_from(name) else {
            panic!("`status_header`: `{name}` isn't the name of a field");
        };
        self.change(|options| options.status_header = name)
    }

    /// Obey the `Cache-Control` of requests, such as a browser's reload. By default they are ignored:
    /// a client can't make the handler run.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).ttl("10m").obey_requests();
    /// ```
    pub fn obey_requests(self) -> Self {
        self.change(|options| options.policy.obey_requests = true)
    }

    /// Pass the requests for which this returns true to the handler, without the cache.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// // Editors see their drafts.
    /// let layer = CacheLayer::new(page!("news"))
    ///     .bypass(|parts| parts.headers.contains_key("x-preview"));
    /// ```
    pub fn bypass(self, bypass: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.change(|options| options.bypass = Some(Arc::new(bypass)))
    }

    /// Take the `ETag` from a version of the data, and answer 304 before the work is done.
    ///
    /// The closure returns a version of the page that changes with each write: a revision, or the
    /// time of the last change. It gets the request's parts, so that extractors of axum can be used.
    /// A request whose `If-None-Match` names the current version is answered with 304, without a
    /// look-up in the store and without the handler. A page of another version isn't served: the
    /// handler runs. Pages of earlier versions are removed by patterns, and by their TTL.
    ///
    /// The `ETag` is weak. It is a hash of the version, the key of the page and
    /// [`version`](Self::version), so two users whose pages have the same version have different
    /// tags. A handler's own `ETag` is kept. A 304 of a page that this process doesn't hold has no
    /// `Cache-Control`: the browser keeps the one that it has.
    ///
    /// The closure runs once for each request that the cache may answer, in the request's task and
    /// before the handler, so a page is never newer than its tag says. `None`, as for a query that
    /// fails, answers the request as without this option. A panic ends the request, as one of the
    /// handler does.
    ///
    /// Cancel safety: if the client hangs up, the closure's future is dropped. Nothing has been
    /// looked up or reserved by then.
    #[cfg_attr(feature = "axum", doc = "```")]
    #[cfg_attr(not(feature = "axum"), doc = "```ignore")]
    /// use axum::extract::{FromRequestParts as _, Path};
    /// use cache_http::{CacheLayer, page};
    ///
    /// /// `SELECT revision FROM posts WHERE slug = $1`
    /// async fn revision(slug: &str) -> Result<u64, std::io::Error> {
    ///     Ok(7)
    /// }
    ///
    /// let posts = CacheLayer::new(page!("posts:<<slug>>:page"))
    ///     .ttl("10m")
    ///     .etag_by(|mut parts| async move {
    ///         let Path(slug) = Path::<String>::from_request_parts(&mut parts, &()).await.ok()?;
    ///         revision(&slug).await.ok()
    ///     });
    /// ```
    pub fn etag_by<F, V>(self, version: impl Fn(Parts) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<V>> + Send + 'static,
        V: fmt::Display,
    {
        self.change(|options| options.etag_by = Some(EtagBy::new(version)))
    }

    /// Switch the layer on or off. Default: on.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let is_on = std::env::var("PAGES").as_deref() != Ok("off");
    /// let layer = CacheLayer::new(page!("news")).enabled(is_on);
    /// ```
    pub fn enabled(self, enabled: bool) -> Self {
        self.change(|options| options.enabled = enabled)
    }

    /// Use this cache. Default: [`Cache::current`] at each request.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let cache = cache_runtime::Cache::builder().prefix("pages").build()?;
    /// let layer = CacheLayer::new(page!("news")).cache(&cache);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn cache(self, cache: &Cache) -> Self {
        self.change(|options| options.cache = Some(cache.clone()))
    }

    /// Log what happens to each request at `info`, not at `debug`.
    ///
    /// ```
    /// use cache_http::{CacheLayer, page};
    ///
    /// let layer = CacheLayer::new(page!("news")).debug(true);
    /// ```
    pub fn debug(self, debug: bool) -> Self {
        self.change(|options| options.debug = debug)
    }
}

/// Requests whose cookies are all in the key may use the cache.
fn private_cookies(template: Option<PageTemplate>) -> CookiePolicy {
    let names = template.iter().flat_map(PageTemplate::cookies);
    CookiePolicy::InKey(names.map(str::to_owned).collect())
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
