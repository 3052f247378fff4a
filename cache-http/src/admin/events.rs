//! `GET /events`.

use std::sync::Arc;

use cache_runtime::Cache;
use http::StatusCode;
use http::header::RETRY_AFTER;
use http::request::Parts;

use super::query::Parameters;
use super::reply::Reply;
use super::stream::{CLIENTS, Clients, Events};

/// Begin to watch entries.
///
/// Cancel safety: a dropped call watches nothing.
pub(super) async fn events(
    cache: &Cache,
    clients: &Arc<Clients>,
    parts: &Parts,
) -> Result<Reply, Reply> {
    let mut parameters = Parameters::of(parts)?;
    let pattern = parameters.take("pattern")?;
    parameters.end()?;
    let Some(client) = clients.add() else {
        let error = format!("{CLIENTS} clients watch already; end one of them");
        let refusal = Reply::error(StatusCode::SERVICE_UNAVAILABLE, error);
        return Err(refusal.with_static(RETRY_AFTER, "10"));
    };
    let watch = cache.watch(pattern.as_deref().unwrap_or("*")).await;
    let watch = watch.map_err(|error| Reply::error(StatusCode::SERVICE_UNAVAILABLE, error))?;
    Ok(Reply::events(Events::new(watch, client)))
}
