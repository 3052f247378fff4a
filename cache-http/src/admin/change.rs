//! A change, from the request to the line in the log.

use std::fmt::Display;

use cache_runtime::CacheError;
use http::request::Parts;

use super::bearer;
use crate::user::User;

/// Refuse a change that a page of another site could have sent with an administrator's cookie.
///
/// Only a script of this origin can add `Authorization`, unless the application lets other origins
/// do it (CORS). Only a browser writes `Sec-Fetch-Site`. `same-site` isn't enough: a neighbouring
/// host may be someone else's.
pub(super) fn is_of_this_origin(parts: &Parts) -> bool {
    let mut sites = parts.headers.get_all("sec-fetch-site").iter();
    let same_origin = sites.next().is_some_and(|site| site == "same-origin");
    (same_origin && sites.next().is_none()) || bearer::sent(parts).is_some()
}

/// Return the caller, for the log.
pub(super) fn caller(parts: &Parts) -> String {
    match parts.extensions.get::<User>() {
        // Escaped: an id with a line break must not forge a line of the log.
        Some(user) if !user.is_anonymous() => format!("user {:?}", user.id()),
        _ if bearer::sent(parts).is_some() => "the bearer of a token".to_owned(),
        _ => "an unnamed user".to_owned(),
    }
}

/// A change that has begun. Every one is logged, also if its request is dropped: an invalidation
/// goes on without it, and so does a warmer.
pub(super) struct Change {
    op: &'static str,
    caller: String,
    target: String,
    is_logged: bool,
}

impl Change {
    pub(super) fn begin(op: &'static str, parts: &Parts, target: impl Display) -> Self {
        Self {
            op,
            caller: caller(parts),
            target: target.to_string(),
            is_logged: false,
        }
    }

    /// Log the end. `entries`: the number of entries that were removed.
    pub(super) fn end(mut self, entries: Result<u64, &CacheError>) {
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.end_as(Err(error)),
        };
        self.is_logged = true;
        let Self {
            op, caller, target, ..
        } = &self;
        tracing::info!(
            target: "cache", op, caller, entries,
            "[Cache] ADMIN {op} of {target} by {caller}: {entries} entries removed"
        );
    }

    /// Log the end of a change that removes nothing. `done`: its outcome.
    pub(super) fn end_as(mut self, done: Result<&dyn Display, &CacheError>) {
        self.is_logged = true;
        let Self {
            op, caller, target, ..
        } = &self;
        match done {
            Ok(done) => tracing::info!(
                target: "cache", op, caller,
                "[Cache] ADMIN {op} of {target} by {caller}: {done}"
            ),
            Err(error) => tracing::warn!(
                target: "cache", op, caller,
                "[Cache] ADMIN {op} of {target} by {caller} failed: {error}"
            ),
        }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.is_logged {
            let Self {
                op, caller, target, ..
            } = self;
            tracing::warn!(
                target: "cache", op, caller,
                "[Cache] ADMIN {op} of {target} by {caller}: the client left before its end; it goes on"
            );
        }
    }
}
