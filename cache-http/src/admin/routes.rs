//! The routes, and the methods that they have.

use http::header::ALLOW;
use http::{Method, StatusCode};

use super::reply::Reply;

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Stats,
    Health,
    HitRate,
    Metrics,
    Topology,
    Keys,
    Key,
    Fleet,
    Sizes,
    Doctor,
    Events,
    Table,
    Warmers,
    Clear,
    ResetStats,
    Warm,
}

impl Route {
    /// Find the route of a request, by its path without the first `/`. The refusal names the
    /// routes, or the methods of this one.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Reply> {
        let route = match path.strip_suffix('/').unwrap_or(path) {
            "stats" => Self::Stats,
            "health" => Self::Health,
            "hit-rate" => Self::HitRate,
            "metrics" => Self::Metrics,
            "topology" => Self::Topology,
            "keys" => Self::Keys,
            "key" => Self::Key,
            "fleet" => Self::Fleet,
            "sizes" => Self::Sizes,
            "doctor" => Self::Doctor,
            "events" => Self::Events,
            "table" => Self::Table,
            "warmers" => Self::Warmers,
            "warm" => Self::Warm,
            "clear" => Self::Clear,
            "reset-stats" => Self::ResetStats,
            _ => {
                let error = "no such route; there are GET /stats, /health, /hit-rate, /metrics, /topology, /keys, /key, /events, /fleet, /sizes, /doctor, /warmers and /table, and POST /clear, /reset-stats and /warm";
                return Err(Reply::error(StatusCode::NOT_FOUND, error));
            }
        };
        match route.is_change() {
            true => allow(method, &[Method::POST], "POST")?,
            false => allow_reads(method)?,
        }
        Ok(route)
    }

    /// Whether it changes something.
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::Clear | Self::ResetStats | Self::Warm)
    }
}

/// The refusal of a method that only reads don't have.
pub(super) fn allow_reads(method: &Method) -> Result<(), Reply> {
    allow(method, &[Method::GET, Method::HEAD], "GET, HEAD")
}

fn allow(method: &Method, allowed: &[Method], names: &'static str) -> Result<(), Reply> {
    if allowed.contains(method) {
        return Ok(());
    }
    let error = format!("this route has the methods {names}");
    let refusal = Reply::error(StatusCode::METHOD_NOT_ALLOWED, error);
    Err(refusal.with_static(ALLOW, names))
}
