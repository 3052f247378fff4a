//! The user of a request: `ContextLayer` and `User`.

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cache_runtime::context;
use http::Request;
use http::request::Parts;
use serde::{Serialize, Serializer};
use tower_layer::Layer;
use tower_service::Service;

/// The name of the user in [`cache_runtime::context`].
const USER_ID: &str = "user_id";

/// The name of a request without a user.
const ANONYMOUS: &str = "anon";

/// The user of the current request, as [`ContextLayer`] found it: an id, or `anon`.
///
/// As an argument of a cached handler it is part of the key, like any other. A user whose id is the
/// text `anon` is `=anon` here.
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use cache_http::User;
/// use cache_runtime::cacheable;
///
/// #[cacheable(key = "profiles:<<user>>", ttl = 60)]
/// async fn profile(user: User) -> String {
///     format!("the profile of {user}")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(Arc<str>);

impl User {
    /// The user of a request without one.
    ///
    /// ```
    /// assert_eq!(cache_http::User::anonymous().to_string(), "anon");
    /// ```
    pub fn anonymous() -> Self {
        Self(ANONYMOUS.into())
    }

    /// An id that is `anon` itself, or looks like this escape, gets a `=` in front: no user shares
    /// the entries of requests without one.
    pub(crate) fn new(id: impl Display) -> Self {
        let id = id.to_string();
        Self(match id.trim_start_matches('=') {
            ANONYMOUS => format!("={id}").into(),
            _ => id.into(),
        })
    }

    /// Return the id, or `anon`.
    ///
    /// ```
    /// assert_eq!(cache_http::User::anonymous().id(), "anon");
    /// ```
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Whether the layer has found nobody.
    ///
    /// ```
    /// assert!(cache_http::User::anonymous().is_anonymous());
    /// ```
    pub fn is_anonymous(&self) -> bool {
        &*self.0 == ANONYMOUS
    }
}

impl Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A tower layer that finds the user once for each request.
///
/// Put it outside of every [`CacheLayer`](crate::CacheLayer) and of the handlers. Within it, `User`
/// is an extractor of axum, `page!` knows `<<user>>`, and the context of `cache-runtime` has the
/// user as `user_id`.
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::{Router, routing::get};
/// use cache_http::{ContextLayer, User};
/// use http::request::Parts;
///
/// async fn whoami(user: User) -> String {
///     user.to_string()
/// }
///
/// fn user_id(parts: &Parts) -> Option<u64> {
///     parts.headers.get("x-user")?.to_str().ok()?.parse().ok() // from a verified session
/// }
///
/// let app: Router = Router::new().route("/me", get(whoami)).layer(ContextLayer::new(user_id));
/// ```
pub struct ContextLayer<F> {
    find: Arc<F>,
}

impl<F, I> ContextLayer<F>
where
    F: Fn(&Parts) -> Option<I>,
    I: Display,
{
    /// Find the user with this function. `None`: the request has no user, which is `anon`.
    pub fn new(find: F) -> Self {
        Self {
            find: Arc::new(find),
        }
    }
}

impl<F> Clone for ContextLayer<F> {
    fn clone(&self) -> Self {
        Self {
            find: Arc::clone(&self.find),
        }
    }
}

impl<F> fmt::Debug for ContextLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextLayer")
    }
}

impl<F, S> Layer<S> for ContextLayer<F> {
    type Service = ContextService<F, S>;
    fn layer(&self, inner: S) -> Self::Service {
        ContextService {
            find: Arc::clone(&self.find),
            inner,
        }
    }
}

/// The service of a [`ContextLayer`].
pub struct ContextService<F, S> {
    find: Arc<F>,
    inner: S,
}

impl<F, S: Clone> Clone for ContextService<F, S> {
    fn clone(&self) -> Self {
        Self {
            find: Arc::clone(&self.find),
            inner: self.inner.clone(),
        }
    }
}

impl<F, S: fmt::Debug> fmt::Debug for ContextService<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<F, I, S, B> Service<Request<B>> for ContextService<F, S>
where
    F: Fn(&Parts) -> Option<I>,
    I: Display,
    S: Service<Request<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let user = (self.find)(&parts).map_or_else(User::anonymous, User::new);
        let here = context::current().with([(USER_ID, &user.0)]);
        parts.extensions.insert(user);
        let request = Request::from_parts(parts, body);
        // Within the context as well: a service may do its work in `call`.
        let response = here.clone().scope_sync(|| self.inner.call(request));
        Box::pin(here.scope(response))
    }
}

#[cfg(feature = "axum")]
mod extract {
    use std::convert::Infallible;

    use axum::extract::{FromRequestParts, OptionalFromRequestParts};
    use axum::response::{IntoResponse, Response};
    use http::StatusCode;

    use super::{Parts, User};

    /// The rejection of [`User`] as an extractor: no [`ContextLayer`](crate::ContextLayer) is around
    /// the handler. Answers `500`.
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct MissingContextLayer;

    impl std::fmt::Display for MissingContextLayer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no `ContextLayer` is around this handler: add `.layer(ContextLayer::new(..))` after its route")
        }
    }

    impl std::error::Error for MissingContextLayer {}

    impl IntoResponse for MissingContextLayer {
        fn into_response(self) -> Response {
            // For the log, not for the client.
            tracing::error!(target: "cache", "[Cache] {self}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }

    impl<S: Sync> FromRequestParts<S> for User {
        type Rejection = MissingContextLayer;
        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            parts.extensions.get().cloned().ok_or(MissingContextLayer)
        }
    }

    impl<S: Sync> OptionalFromRequestParts<S> for User {
        type Rejection = Infallible;
        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
            Ok(parts.extensions.get::<Self>().cloned())
        }
    }
}

#[cfg(feature = "axum")]
pub use extract::MissingContextLayer;
