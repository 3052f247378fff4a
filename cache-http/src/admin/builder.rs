//! From a cache to its admin API.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;

use cache_runtime::Cache;
use http::request::Parts;

use super::access::Access;
use super::service::AdminService;

/// Begin the admin API of a cache: a service that shows figures, health, topology and entries, that
/// clears entries and runs warmers, and a dashboard on top of it.
///
/// | request | needs | answer |
/// |---|---|---|
/// | `GET /stats` | [`Read`](Access::Read) | sizes, the hit rate in percent, and the counters of every function |
/// | `GET /health` | `Read` | whether a value can be stored, read and deleted; 503 with the cause otherwise |
/// | `GET /hit-rate` | `Read` | the hit rate in percent, in total and for each function |
/// | `GET /metrics` | `Read` | [`Cache::prometheus_text`] |
/// | `GET /topology` | `Read` | the annotated functions (a Mermaid graph with `?format=mermaid`), [dead patterns](cache_runtime::Topology::dead_patterns), and reads that are [never invalidated](cache_runtime::Topology::never_invalidated) |
/// | `GET /keys` | `Read` | the entries that a pattern matches, in pages, or a level of the tree that keys form |
/// | `GET /key` | `Read`; `Admin` for the value | what is known of one entry; with `value=1` also its value |
/// | `GET /events` | `Read` | changes of entries as they happen ([`Cache::watch`]), as server-sent events |
/// | `GET /fleet`, `/sizes` | `Read` | the counters of all processes ([`Cache::fleet`]), and the sizes of each function's entries |
/// | `GET /doctor` | `Read` | problems of the store and of the program, each with its fix |
/// | `GET /warmers` | `Read` | [`Cache::warmers`] |
/// | `GET /table` | `Read` | the functions as a page without JavaScript |
/// | `POST /clear` | [`Admin`](Access::Admin) | deletes every entry (`{}`), those of a namespace (`{"namespace": "chat"}`) or those of a pattern (`{"pattern": "posts:42:*"}`). With `"dry_run": true` only counts them |
/// | `POST /warm` | `Admin` | runs a warmer ([`Cache::warm`]): `{"name": "popular", "args": []}`. The answer is its report |
/// | `POST /reset-stats` | `Admin` | [`Cache::reset_stats`] |
///
/// `GET /` is a dashboard: a page, and its files below `/static`. They hold nothing of the service
/// and need no rights; the page asks for a token if the API does.
///
/// Answers are JSON, but for `/metrics`, `/events` and `/table`, and are never stored by a cache.
/// `HEAD` is answered as `GET`.
///
/// A change needs a bearer token, or `Sec-Fetch-Site: same-origin`, which browsers send for a page
/// of this origin: a page of another site can't use the cookie of an administrator. Each change is
/// logged with the user whom [`ContextLayer`](crate::ContextLayer) has found, or that a token was
/// used.
///
/// Twenty requests may be denied at once, and one per second from then on. While there are more,
/// every request is answered with `429` without looking at its token, so that a token can't be
/// guessed. Since a flood of such requests keeps everyone out, serve the API where only operators
/// reach it.
///
#[cfg_attr(feature = "axum", doc = "```no_run")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::Router;
/// use cache_http::{admin, bearer_env};
/// use cache_runtime::Cache;
///
/// # fn main() -> Result<(), cache_runtime::CacheError> {
/// let service = admin(Cache::current()).access(bearer_env("CACHE_ADMIN_TOKEN")?);
/// let app: Router = Router::new().nest_service("/admin/cache", service);
/// # Ok(())
/// # }
/// ```
///
/// There is no service before [`access`](AdminBuilder::access), so that none is open by accident:
///
#[cfg_attr(feature = "axum", doc = "```compile_fail,E0277")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// # use axum::Router;
/// # use cache_runtime::Cache;
/// let open = cache_http::admin(Cache::current());
/// let app: Router = Router::new().nest_service("/admin/cache", open);
/// ```
pub fn admin(cache: impl Borrow<Cache>) -> AdminBuilder {
    AdminBuilder {
        cache: cache.borrow().clone(),
    }
}

/// An admin API whose callers aren't known yet. Returned by [`admin`].
#[derive(Clone)]
#[must_use = "it serves nothing before `access`"]
pub struct AdminBuilder {
    cache: Cache,
}

impl fmt::Debug for AdminBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminBuilder")
    }
}

impl AdminBuilder {
    /// Decide about each request with this function: by a session, a token ([`bearer_env`]), or the
    /// client's address.
    ///
    /// It gets the request without its body. Below `nest_service`, the URI is without the mount:
    /// `/stats`.
    ///
    /// ```
    /// use cache_http::{Access, User, admin};
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder().build()?;
    /// let service = admin(&cache).access(|parts| async move {
    ///     match parts.extensions.get::<User>().map(User::id) {
    ///         Some("1") => Access::Admin,
    ///         Some("2") => Access::Read,
    ///         _ => Access::Denied,
    ///     }
    /// });
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// [`bearer_env`]: crate::bearer_env
    pub fn access<F, Fut>(self, access: F) -> AdminService
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Access> + Send + 'static,
    {
        AdminService::new(self.cache, move |parts| Box::pin(access(parts)))
    }
}
