//! Extensions by which a handler speaks to the layer.

/// In a response's extensions: it isn't stored, and isn't given to other callers that wait. The same
/// as `Cache-Control: no-store`, without telling browsers so.
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::Extension;
/// use axum::response::IntoResponse;
/// use cache_http::NoStore;
///
/// async fn handler() -> impl IntoResponse {
///     (Extension(NoStore), "only for you")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoStore;

/// In a response's extensions: the layer makes no `ETag` for it.
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::Extension;
/// use axum::response::IntoResponse;
/// use cache_http::NoEtag;
///
/// async fn handler() -> impl IntoResponse {
///     (Extension(NoEtag), "a page without a tag")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoEtag;
