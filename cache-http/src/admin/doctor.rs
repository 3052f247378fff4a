//! `GET /doctor`.

use cache_runtime::{Cache, Finding};
use serde::Serialize;

use super::reply::Reply;

#[derive(Serialize)]
struct Findings {
    status: &'static str,
    findings: Vec<Finding>,
}

/// Look for problems. A store that is away is one of them, and no failure of the request.
///
/// Cancel safety: nothing is changed.
pub(super) async fn doctor(cache: &Cache) -> Reply {
    Reply::ok(&Findings {
        status: "success",
        findings: cache.findings().await,
    })
}
