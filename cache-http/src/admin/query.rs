//! The query of a request to the admin API.

use std::borrow::Cow;

use http::StatusCode;
use http::request::Parts;

use super::reply::Reply;
use crate::rules::target::{Query, Unkeyable};

/// The parameters that weren't taken yet.
pub(super) struct Parameters<'a>(Query<'a>);

impl<'a> Parameters<'a> {
    /// Read the query. The refusal of one that can't be decoded.
    pub(super) fn of(parts: &'a Parts) -> Result<Self, Reply> {
        let query = Query::parse(parts.uri.query(), |_| true);
        query.map(Self).map_err(|_| {
            let error = "the query has a broken percent-encoding";
            Reply::error(StatusCode::BAD_REQUEST, error)
        })
    }

    /// Take a parameter. The refusal of one that is there several times.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Reply> {
        self.0.take(name).map_err(|_: Unkeyable| {
            let error = format!("`{name}` is there several times");
            Reply::error(StatusCode::BAD_REQUEST, error)
        })
    }

    /// The refusal of parameters that the route doesn't have: a misspelt one would change the
    /// meaning of the request.
    pub(super) fn end(self) -> Result<(), Reply> {
        match self.0.names().next() {
            None => Ok(()),
            Some(name) => {
                let error = format!("this route has no parameter {name:?}");
                Err(Reply::error(StatusCode::BAD_REQUEST, error))
            }
        }
    }
}
