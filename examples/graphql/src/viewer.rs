//! The person who sends a request.

use async_graphql::Context;
use axum::extract::OptionalFromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

/// The sessions. (A real service would verify a signed token here.)
const TOKENS: [(&str, i32); 3] = [("ada", 1), ("grace", 2), ("lin", 3)];

/// The person who sends a request; part of the request's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The id of the person.
    pub id: i32,
}

impl Viewer {
    /// Return the viewer, or an error for an operation that needs one.
    pub(crate) fn of(ctx: &Context<'_>) -> async_graphql::Result<Self> {
        let viewer = ctx.data_opt::<Self>().copied();
        viewer.ok_or_else(|| "sign in: send `Authorization: Bearer <token>`".into())
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Viewer {
    type Rejection = (StatusCode, &'static str);

    /// `None` without a token. A token that isn't valid is an error, not a request without one.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        let Some(value) = parts.headers.get(AUTHORIZATION) else {
            return Ok(None);
        };
        let token = value
            .to_str()
            .ok()
            .and_then(|it| it.strip_prefix("Bearer "));
        let session = TOKENS.iter().find(|(known, _)| Some(*known) == token);
        match session {
            Some((_, id)) => Ok(Some(Self { id: *id })),
            None => Err((StatusCode::UNAUTHORIZED, "the token isn't valid")),
        }
    }
}
