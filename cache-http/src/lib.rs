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
//! # Not built yet
//!
//! Validation of stale pages by the handler's own 304; `etag_by`; a response's own
//! `stale-while-revalidate` beyond the route's `stale`; and removing the page that `Location` names
//! at a route with a template.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod collect;
mod layer;
mod markers;
mod page;
mod respond;
// Parts are for what isn't built yet: validation of a stale page by the handler.
#[allow(dead_code)]
mod rules;
mod store;
mod template;
mod user;

pub use body::PageBody;
pub use layer::lifetime::Lifetime;
pub use layer::service::{CacheFuture, CacheService};
pub use layer::{Authorized, CacheLayer, Cookies};
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
