//! The errors of a request, and their responses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rusqlite::ErrorCode;
use serde::Serialize;

/// The error of every handler. An `Err` is never cached: the next call tries again.
#[derive(Debug)]
pub enum ApiError {
    NotFound,
    Unauthorized,
    Forbidden,
    Conflict,
    Database(rusqlite::Error),
    Crashed,
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            error if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Self::Conflict
            }
            error => Self::Database(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: &'static str,
        }

        let (status, error) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "send the header `x-user` with your user ID, such as `x-user: 1`",
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, "this belongs to another user"),
            Self::Conflict => (StatusCode::CONFLICT, "this already exists"),
            Self::Database(error) => {
                eprintln!("database: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "the database failed")
            }
            Self::Crashed => (StatusCode::INTERNAL_SERVER_ERROR, "a query crashed"),
        };
        (status, Json(Body { error })).into_response()
    }
}
