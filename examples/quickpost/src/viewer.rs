//! The user who sends a request.

use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;

/// The user of a request, from its `x-user` header. (A real service would check a session here.)
///
/// It is displayed as the user's id, or as `anon`. Since it implements `Display`, a key can contain
/// it: `<<viewer>>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer(Option<i64>);

impl Viewer {
    /// The id of the user, or an error for operations that an anonymous visitor may not do.
    pub fn user_id(self) -> Result<i64, ApiError> {
        self.0.ok_or(ApiError::Unauthorized)
    }

    /// Whether this is the user with that id.
    pub fn is(self, user_id: i64) -> bool {
        self.0 == Some(user_id)
    }
}

impl fmt::Display for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => id.fmt(f),
            None => f.write_str("anon"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get("x-user");
        let id = header.and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self(id))
    }
}
