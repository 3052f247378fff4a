//! `GET /health`.

use cache_runtime::{Cache, Health};
use http::StatusCode;
use serde::Serialize;

use super::reply::Reply;

#[derive(Serialize)]
struct Report {
    status: &'static str,
    backend: &'static str,
    tests: Tests<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Tests<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Serialize)]
struct Tests<T> {
    set: T,
    get: T,
    delete: T,
}

impl<T> Tests<T> {
    fn of(health: &Health, result: impl Fn(std::time::Duration) -> T) -> Self {
        Self {
            set: result(health.set),
            get: result(health.get),
            delete: result(health.delete),
        }
    }
}

/// Store, read and delete a value. If one of them fails, all are reported as failed: an entry that
/// can't be stored can't be read either.
///
/// Cancel safety: the key of the check expires by itself.
pub(super) async fn health(cache: &Cache) -> Reply {
    let health = cache.health().await;
    let (code, status, result) = match health.healthy {
        true => (StatusCode::OK, "healthy", "passed"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy", "failed"),
    };
    let times = || Tests::of(&health, |time| time.as_secs_f64());
    let report = Report {
        status,
        backend: health.store,
        tests: Tests::of(&health, |_| result),
        seconds: health.healthy.then(times),
        cause: health.cause.clone(),
    };
    Reply::json(code, &report)
}
