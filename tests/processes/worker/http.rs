//! A server of pages, on a free port. It serves until its starter is gone.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use cache_http::{CacheLayer, ContextLayer, User, page};
use cache_runtime::Cache;
use tests::Database;
use tokio::net::TcpListener;

use crate::Orders;

/// Row of the version that pages show.
const ROW: u32 = 1;

struct Site {
    database: Database,
    /// Names the counters of this process.
    id: u32,
}

impl Site {
    /// Count a run of the handler of a page, and who runs it.
    async fn run(&self, page: &str) -> u64 {
        let here = format!("{page} in {}", self.id);
        self.database.count(&here, 1).await;
        self.database.count(page, 1).await
    }
}

type Shared = State<Arc<Site>>;

/// The version, read before all callers have called.
async fn show(State(site): Shared, Path(slug): Path<String>) -> String {
    // Before the run is counted: a test that has seen the run may write.
    let version = site.database.version(ROW).await;
    let run = site.run(&slug).await;
    if slug.starts_with("slow") {
        site.database.until(&format!("{slug}: go on"), 1).await;
    }
    format!("version {version}, run {run}")
}

async fn update(State(site): Shared) -> StatusCode {
    site.database.update(ROW).await;
    StatusCode::NO_CONTENT
}

/// The first run never ends.
async fn stuck(State(site): Shared, Path(slug): Path<String>) -> String {
    let run = site.run(&slug).await;
    if run == 1 {
        std::future::pending::<()>().await;
    }
    format!("run {run}")
}

/// Only the page of the first run turns stale. The second run ends when it may.
async fn old(State(site): Shared, Path(slug): Path<String>) -> impl IntoResponse {
    let run = site.run(&slug).await;
    if run > 1 {
        site.database.until(&format!("{slug}: go on"), 1).await;
    }
    let control = if run == 1 { "max-age=1" } else { "max-age=600" };
    ([("cache-control", control)], format!("run {run}"))
}

/// A cookie for each caller. The first run waits until it may go on.
async fn cookie(State(site): Shared, Path(slug): Path<String>) -> impl IntoResponse {
    let run = site.run(&slug).await;
    if run == 1 {
        site.database.until(&format!("{slug}: go on"), 1).await;
    }
    (
        [("set-cookie", format!("session={run}"))],
        format!("run {run}"),
    )
}

/// An error at first.
async fn shaky(State(site): Shared, Path(slug): Path<String>) -> (StatusCode, String) {
    match site.run(&slug).await {
        1 => (StatusCode::UNAUTHORIZED, "log in".to_owned()),
        run => (StatusCode::OK, format!("run {run}")),
    }
}

async fn mine(State(site): Shared, user: User) -> String {
    format!("{user}, run {}", site.run("mine").await)
}

async fn translated(State(site): Shared, headers: HeaderMap) -> impl IntoResponse {
    let run = site.run("translated").await;
    let language = headers.get("accept-language");
    let language = language.map_or("none", |value| value.to_str().unwrap_or("none"));
    (
        [("vary", "accept-language")],
        format!("{language}, run {run}"),
    )
}

fn site(cache: &Cache, site: Site) -> Router {
    let posts = CacheLayer::new(page!("posts:<<slug>>:page"))
        .ttl(600)
        .cache(cache);
    let mine_by_user = CacheLayer::new(page!("mine:<<user>>"))
        .ttl(600)
        .cache(cache);
    let user = |parts: &Parts| Some(parts.headers.get("x-user")?.to_str().ok()?.to_owned());
    Router::new()
        .route("/posts/{slug}", get(show).put(update).layer(posts.clone()))
        .route("/stuck/{slug}", get(stuck).layer(posts.clone()))
        .route("/old/{slug}", get(old).layer(posts.clone().stale("10m")))
        .route("/cookie/{slug}", get(cookie).layer(posts.clone()))
        .route("/shaky/{slug}", get(shaky).layer(posts.clone()))
        .route(
            "/translated",
            get(translated).layer(CacheLayer::by_url().ttl(600).cache(cache)),
        )
        .route("/me", get(mine).layer(mine_by_user))
        .layer(ContextLayer::new(user))
        .with_state(Arc::new(site))
}

/// Serve until the standard input ends, as it does when the starter is gone.
pub(crate) async fn work(orders: &Orders) {
    let database = Database::open(&orders.database_url).await;
    let cache = Cache::builder()
        .prefix("site")
        .redis(orders.cache_url.as_str())
        // Short, as it is waited for after a kill, but a busy machine must renew it in time.
        .lease_ttl(Duration::from_secs(3))
        .response_timeout(Duration::from_secs(5))
        .near_cache(if orders.role == "http-near" {
            1 << 20
        } else {
            0
        })
        .build()
        .unwrap();
    let id = std::process::id();
    let app = site(
        &cache,
        Site {
            database: database.clone(),
            id,
        },
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    database.count(&format!("port of {id}"), port.into()).await;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    axum::serve(listener, app).await.unwrap();
}
