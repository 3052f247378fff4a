//! Cached HTTP responses for axum and other tower services.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::extract::Path;
//! use axum::{Router, routing::get};
//! use cache_http::{CacheLayer, page};
//!
//! async fn show(Path(slug): Path<String>) -> String {
//!     format!("the post {slug}") // a slow query, and a template
//! }
//!
//! async fn update(Path(slug): Path<String>) {}
//!
//! let posts = CacheLayer::new(page!("posts:<<slug>>:page")).ttl("10m").stale("1m");
//! let app: Router = Router::new()
//!     // A PUT that succeeds removes the page. So does every `#[invalidate]` of `posts:<<slug>>:*`.
//!     .route("/posts/{slug}", get(show).put(update).layer(posts));
//! # }
//! ```
//!
//! # What is stored
//!
//! Responses to `GET` with status 200, for the route's TTL; others only if they name their freshness
//! (`Cache-Control`, `Expires`). `HEAD` is answered from a stored `GET`.
//!
//! Never stored, and never given to other callers that wait: responses with `Set-Cookie`,
//! `no-store`, `Vary: *` or [`NoStore`]; with `private`, and responses to requests with
//! `Authorization` or cookies, unless the key has the user; and bodies that break off, have
//! trailers, don't match their `Content-Length`, or exceed [`CacheLayer::max_body`].
//!
//! # What is sent
//!
//! A weak `ETag` by the hash of the body, unless the handler has set one; 304 to `If-None-Match` and
//! `If-Modified-Since`; 206 to a single range; `Age`; `Cache-Control: no-cache` (with `private`,
//! where the key has the user) where the handler said nothing, so that browsers ask and an
//! invalidation reaches them; and `Cache-Status` (RFC 9211).
//!
//! # Stale pages
//!
//! A response's `stale-while-revalidate` and `stale-if-error` come before the layer's
//! [`stale`](CacheLayer::stale) and [`stale_if_error`](CacheLayer::stale_if_error). A page with an
//! `ETag` or `Last-Modified` of the handler is kept for an hour more, so that the handler can answer
//! 304 to the layer. One with `no-cache` is validated like this for each request;
//! `must-revalidate`, `proxy-revalidate` and `s-maxage` forbid to serve it stale.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "admin")]
mod admin;
mod body;
mod collect;
#[cfg(any(doc, doctest))]
pub mod guide;
mod headers;
mod layer;
mod lifetime;
mod markers;
mod no_key;
mod page;
mod parameters;
mod prepared;
mod respond;
mod route;
mod rules;
mod store;
mod template;
mod user;

#[cfg(feature = "admin")]
pub use admin::{Access, AdminBody, AdminBuilder, AdminService, admin, bearer, bearer_env};
pub use body::PageBody;
pub use headers::{Privacy, cache_control, headers_for};

pub use layer::service::{CacheFuture, CacheService};
pub use layer::{Authorized, CacheLayer, Cookies};
pub use lifetime::Lifetime;
pub use markers::{NoEtag, NoStore};
pub use template::PageTemplate;
#[cfg(feature = "axum")]
pub use user::MissingContextLayer;
pub use user::{ContextLayer, ContextService, User};

/// For the code that [`page!`] generates only. It changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use cache_runtime::__private::{ReadSite, Registered, inventory, page, submit};

    pub use crate::template::{PageTemplate, Part};
}

/// The key template of a page, checked at compile time.
///
/// A placeholder is a path parameter of the route, `<<user>>`, `<<host>>`, `<<query.page>>`,
/// `<<cookie.theme>>`, `<<header.accept-language>>` or `<<context.tenant>>`. Values are escaped.
/// The page is part of `cache_runtime::topology()`.
///
/// ```
/// use cache_http::{CacheLayer, page};
///
/// let layer = CacheLayer::new(page!("posts:<<slug>>:page"));
/// ```
///
/// ```compile_fail
/// cache_http::page!("posts:<<slug.len()>>"); // not a part of a request
/// ```
#[macro_export]
macro_rules! page {
    ($($template:tt)*) => {
        $crate::__private::page!($crate $($template)*)
    };
}
