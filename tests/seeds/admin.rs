//! The administrative routes of the documents, behind the authorization of the application.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use cache_runtime::{Cache, CacheError};
use serde::Deserialize;
use serde_json::{Value, json};
use tests::http::{request_with, send};

const TOKEN: &str = "Token admin";

/// The administrator: a request with the token.
pub(crate) struct Admin;

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        match parts.headers.get(AUTHORIZATION) {
            Some(token) if token == TOKEN => Ok(Self),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

/// The four routes. `Admin` comes first in each handler, so none runs without it.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/cache-stats", get(stats))
        .route("/cache-health", get(health))
        .route("/cache-clear", post(clear))
        .route("/cache-reset-stats", post(reset))
        .with_state(Instant::now())
}

async fn stats(_: Admin, State(started): State<Instant>) -> Result<Json<Value>, StatusCode> {
    let cache = Cache::current();
    let store = cache.store_stats().await.map_err(unavailable)?;
    let percent = cache.stats().hit_rate() * 100.0;
    let figures = json!({
        "backend": store.store,
        "memory_usage": store.bytes,
        "memory_usage_human": format!("{:.1}M", store.bytes as f64 / 1_048_576.0),
        "keys_count": store.entries,
        "evicted_keys": store.evictions,
        "hit_rate": (percent * 10.0).round() / 10.0,
        "uptime_seconds": started.elapsed().as_secs(),
    });
    Ok(Json(json!({ "status": "success", "cache_stats": figures })))
}

async fn health(_: Admin) -> impl IntoResponse {
    let health = Cache::current().health().await;
    let status = match health.healthy {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(health))
}

#[derive(Default, Deserialize)]
struct Clear {
    namespace: Option<String>,
    pattern: Option<String>,
}

async fn clear(_: Admin, body: Bytes) -> Result<Json<Value>, StatusCode> {
    let clear = match body.is_empty() {
        true => Clear::default(),
        false => serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?,
    };
    let cache = Cache::current();
    let removed = match (clear.namespace, clear.pattern) {
        (None, None) => cache.clear().await,
        (Some(namespace), None) => cache.namespace(&namespace).clear().await,
        (None, Some(pattern)) => cache.delete_pattern(&pattern).await,
        (Some(_), Some(_)) => return Err(StatusCode::BAD_REQUEST),
    };
    let removed = removed.map_err(unavailable)?;
    Ok(Json(json!({ "status": "success", "removed": removed })))
}

async fn reset(_: Admin) -> Json<Value> {
    Cache::current().reset_stats();
    Json(json!({ "status": "success" }))
}

fn unavailable(_: CacheError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

/// Send a request as the administrator. Return the status and the JSON of the answer.
pub(crate) async fn ask(app: &Router, method: &str, uri: &str, body: &str) -> (StatusCode, Value) {
    let fields = [("authorization", TOKEN)];
    let request: Request<_> = request_with(method, uri, &fields, body.to_owned());
    let answer = send(app, request).await;
    let json = serde_json::from_str(&answer.body);
    (answer.status, json.unwrap_or(Value::Null))
}
