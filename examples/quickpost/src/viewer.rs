//! The user who sends a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use cache_http::{MissingContextLayer, User};
use cache_runtime::context;

use crate::error::ApiError;

/// Return the id of the user, from the `x-user` header. (A real service would check a session here.)
///
/// A `ContextLayer` calls it once for each request. From then on the id is in the context, as
/// `user_id`, and `anon` if there is none.
pub fn user_id(parts: &Parts) -> Option<i64> {
    parts.headers.get("x-user")?.to_str().ok()?.parse().ok()
}

/// The user of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer(Option<i64>);

impl Viewer {
    /// Return the user of the current request. A cached function that calls it needs
    /// `context(user_id)`, and `<<user_id>>` in its key.
    pub fn current() -> Self {
        Self(context::get("user_id").and_then(|id| id.parse().ok()))
    }

    /// The id of the user, or an error for operations that an anonymous visitor may not do.
    pub fn user_id(self) -> Result<i64, ApiError> {
        self.0.ok_or(ApiError::Unauthorized)
    }

    /// Whether this is the user with that id.
    pub fn is(self, user_id: i64) -> bool {
        self.0 == Some(user_id)
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = MissingContextLayer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let user = User::from_request_parts(parts, state).await?;
        Ok(Self(user.id().parse().ok()))
    }
}
