//! `GET /warmers` and `POST /warm`.

use std::fmt;

use cache_runtime::{Cache, CacheError, WarmReport, WarmerInfo};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::change::Change;
use super::reply::Reply;

#[derive(Serialize)]
struct Warmers {
    status: &'static str,
    warmers: Vec<WarmerInfo>,
}

/// Return the warmers of the cache, with their runs in this process.
pub(super) fn warmers(cache: &Cache) -> Reply {
    Reply::ok(&Warmers {
        status: "success",
        warmers: cache.warmers(),
    })
}

/// The body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    #[serde(default)]
    args: Vec<String>,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}", self.name, self.args)
    }
}

#[derive(Serialize)]
struct Warmed {
    status: &'static str,
    report: WarmReport,
}

/// Run a warmer, and return its report at its end.
///
/// Cancel safety: the run continues after its caller is dropped, since it may take minutes and
/// proxies don't wait that long. On an executor other than tokio's, the run ends with its caller.
pub(super) async fn warm(cache: &Cache, parts: &Parts, body: &[u8]) -> Result<Reply, Reply> {
    let wrong = |error: &dyn fmt::Display| Reply::error(StatusCode::BAD_REQUEST, error);
    // serde would take a list for an object.
    if body.trim_ascii_start().first() != Some(&b'{') {
        let error = "the body isn't a JSON object; send {\"name\": \"..\"}, with \"args\": [..] if it takes any";
        return Err(wrong(&error));
    }
    let order: Order = serde_json::from_slice(body)
        .map_err(|error| wrong(&format_args!("the body can't be used: {error}")))?;
    let change = Change::begin("warm", parts, &order);
    let cache = cache.clone();
    let run = async move {
        let report = cache.warm(&order.name, order.args).await;
        match &report {
            Ok(report) => change.end_as(Ok(&format_args!("{}, {}", report.outcome, report.counts))),
            Err(error) => change.end_as(Err(error)),
        }
        report
    };
    let report = match Handle::try_current() {
        Ok(runtime) => match runtime.spawn(run).await {
            Ok(report) => report,
            // The runtime is shutting down.
            Err(error) => return Err(Reply::error(StatusCode::SERVICE_UNAVAILABLE, error)),
        },
        Err(_) => run.await,
    };
    let report = report.map_err(|error| {
        let status = match error {
            CacheError::UnknownWarmer { .. } => StatusCode::NOT_FOUND,
            CacheError::WarmerBusy { .. } => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Reply::error(status, error)
    })?;
    Ok(Reply::ok(&Warmed {
        status: "success",
        report,
    }))
}
