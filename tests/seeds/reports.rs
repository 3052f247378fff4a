//! T_REPORT_007: reports, their types, their owners, and warming on login.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use cache_http::{CacheLayer, ContextLayer, NoStore, User, page};
use cache_runtime::{
    Cache, CacheBuilder, CallOutcome, Warm, assert_hit, assert_miss, cacheable, invalidate,
    pattern, testing, topology,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tests::RedisServer;
use tests::http::{Count, fetch, fetch_with, request_with, send};
use tests::{Stores, events_of, on_both_stores, on_both_stores_with, until, until_blocking};
use tracing::Level;

use crate::child::{is_child, rerun};
use crate::common::assert_about;
use crate::table::Table;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    id: u64,
    author: u64,
    updated_at: u64,
    progress: u32,
}

#[derive(Clone, Default)]
struct Db {
    reports: Table<u64, Report>,
}

impl Db {
    /// Twelve reports of user 7; the last ones are the latest.
    fn new() -> Self {
        let report = |id| Report {
            id,
            author: 7,
            updated_at: id,
            progress: 50,
        };
        Self {
            reports: Table::with((1..=12).map(|id| (id, report(id)))),
        }
    }
}

// The functions that read and write.

#[cacheable(
    key = "report:<<id>>:<<user>>",
    ttl = preset("reports:<<kind>>"),
    owner = user,
    skip(db)
)]
async fn report(db: &Db, id: u64, user: u64, kind: &str) -> Option<Report> {
    db.reports.find(&id).await
}

#[cacheable(key = "reports:list:<<user>>", ttl = preset("reports:analytics"), skip(db))]
async fn reports(db: &Db, user: u64, filters: HashMap<String, String>) -> Vec<Report> {
    let _ = filters; // in place of a WHERE clause
    db.reports.select(|report| report.author == user).await
}

#[cacheable(key = "reports:stats:<<user>>", ttl = preset("reports:analytics"), skip(db))]
async fn progress(db: &Db, user: u64) -> u32 {
    let reports = db.reports.select(|report| report.author == user).await;
    reports.iter().map(|report| report.progress).sum()
}

#[invalidate(patterns = [
    "report:<<report.id>>:*",
    "reports:list:<<report.author>>",
    "reports:stats:<<report.author>>",
])]
async fn save_report(db: &Db, report: Report) {
    db.reports.save(report.id, report).await;
}

fn report_types(builder: CacheBuilder) -> CacheBuilder {
    let ttls = [
        ("student_progress", 300),
        ("grade_distribution", 900),
        ("analytics", 1_800),
        ("custom", 3_600),
        ("default", 600),
    ];
    builder.presets("reports", ttls)
}

// The application.

fn session(parts: &Parts) -> Option<u64> {
    let token = parts.headers.get("authorization")?.to_str().ok()?;
    token.strip_prefix("Token user-")?.parse().ok()
}

fn id_of(user: &User) -> Result<u64, StatusCode> {
    user.id().parse().map_err(|_| StatusCode::UNAUTHORIZED)
}

async fn list(user: User, State(db): State<Db>) -> Result<Json<Vec<Report>>, StatusCode> {
    let found = reports(&db, id_of(&user)?, HashMap::new()).await;
    Ok(Json(found))
}

async fn retrieve(
    user: User,
    State(db): State<Db>,
    Path(id): Path<u64>,
) -> Result<Json<Report>, StatusCode> {
    let found = report(&db, id, id_of(&user)?, "custom").await;
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn cache_stats(user: User) -> Result<Json<Value>, StatusCode> {
    id_of(&user)?;
    let store = Cache::current().store_stats().await;
    let store = store.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(
        json!({ "keys_count": store.entries, "memory_usage": store.bytes }),
    ))
}

async fn hit_rate(user: User) -> Result<Json<Value>, StatusCode> {
    let owner = Cache::current().owner_stats(id_of(&user)?).await;
    let owner = owner.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let percent = (owner.hit_rate * 1_000.0).round() / 10.0;
    Ok(Json(
        json!({ "hit_rate": percent, "total_requests": owner.hits + owner.misses }),
    ))
}

#[derive(Deserialize)]
struct WarmReports {
    report_ids: Vec<u64>,
    report_type: String,
}

async fn warm(
    user: User,
    State(db): State<Db>,
    Json(wanted): Json<WarmReports>,
) -> Result<Json<Value>, StatusCode> {
    let user = id_of(&user)?;
    // The body runs only for reports that aren't cached.
    let call = |id| report(&db, id, user, &wanted.report_type);
    let counts = Warm::current().each(wanted.report_ids.clone(), call).await;
    Ok(Json(json!({ "warmed": counts.fresh + counts.computed })))
}

#[derive(Deserialize)]
struct Login {
    user: u64,
    role: String,
}

async fn login(State(db): State<Db>, Json(login): Json<Login>) -> Json<Value> {
    let user = login.user;
    if ["teacher", "tutor"].contains(&&*login.role) {
        // In the background: the login doesn't wait, and can't fail because of it.
        Warm::current().for_user_with(user, move |warm| async move {
            let mut latest = db.reports.select(|report| report.author == user).await;
            latest.sort_by_key(|report| std::cmp::Reverse(report.updated_at));
            let latest = latest.into_iter().take(10).map(|found| found.id);
            warm.each(latest, |id| report(&db, id, user, "analytics"))
                .await;
        });
    }
    Json(json!({ "token": format!("user-{user}") }))
}

fn app(db: &Db) -> Router {
    let page = CacheLayer::new(page!("report:<<id>>:<<user>>:page")).ttl("30m");
    let caching = Router::new()
        .route("/stats", get(cache_stats))
        .route("/hit-rate", get(hit_rate))
        .route("/warm", post(warm));
    let reports = Router::new()
        .nest("/cache", caching)
        .route("/", get(list))
        .route("/{id}", get(retrieve).layer(page));
    Router::new()
        .nest("/api/reports", reports)
        .route("/login", post(login))
        .layer(ContextLayer::new(session))
        .with_state(db.clone())
}

const USER: [(&str, &str); 1] = [("authorization", "Token user-7")];

/// Send a request of user 7 and return the JSON of the answer.
async fn ask(app: &Router, method: &str, uri: &str, body: &str) -> Value {
    let fields = [USER[0], ("content-type", "application/json")];
    let answer = send(app, request_with(method, uri, &fields, body.to_owned())).await;
    assert!(answer.status.is_success(), "{uri}: {}", answer.status);
    serde_json::from_str(&answer.body).unwrap()
}

// Steps 1 to 5.

#[test]
fn a_write_is_registered_because_it_is_annotated() {
    let topology = topology();
    let of_this_module = |module: &str| module.ends_with("::reports");
    let mut reads = topology.reads.iter();
    assert!(reads.any(|read| read.function == "report" && of_this_module(read.module)));
    let mut writes = topology.writes.iter();
    let is_save = |name, module| name == "save_report" && of_this_module(module);
    assert!(writes.any(|write| is_save(write.function, write.module)));
    // Every pattern of these tests can remove something.
    assert!(
        topology.dead_patterns().is_empty(),
        "{:?}",
        topology.dead_patterns()
    );
}

#[tokio::test]
async fn each_action_has_the_ttl_of_its_report_type() {
    on_both_stores_with(report_types, |cache| async move {
        let (db, none) = (Db::new(), HashMap::new());
        let app = app(&db);
        for uri in ["/api/reports", "/api/reports/1"] {
            let answer = fetch_with(&app, uri, &USER).await;
            assert_eq!(answer.status, StatusCode::OK, "{uri}");
        }
        progress(&db, 7).await;
        for (path, seconds) in [
            (reports_cache_path(&db, 7, none), 1_800),
            (report_cache_path(&db, 1, 7, "custom"), 3_600),
            (progress_cache_path(&db, 7), 1_800),
        ] {
            assert_about(cache.ttl(&path).await.unwrap(), seconds);
        }
        // The change of one report reaches all three, and the page.
        let changed = Report {
            progress: 60,
            ..report(&db, 1, 7, "custom").await.unwrap()
        };
        save_report(&db, changed).await;
        assert_eq!(progress(&db, 7).await, 11 * 50 + 60);
        for uri in ["/api/reports", "/api/reports/1"] {
            let answer = fetch_with(&app, uri, &USER).await;
            assert!(answer.body.contains(r#""progress":60"#), "{uri}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_cache_has_routes_beside_those_of_the_reports() {
    on_both_stores(|_| async {
        let app = app(&Db::new());
        let routes = ["", "/1", "/cache/stats", "/cache/hit-rate"];
        for route in routes {
            let uri = format!("/api/reports{route}");
            let refused = fetch(&app, &uri).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{uri}");
            ask(&app, "GET", &uri, "").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_warms_the_ten_latest_reports_of_a_teacher() {
    on_both_stores(|cache| async move {
        let (db, kind) = (Db::new(), "analytics");
        let app = app(&db);
        for role in ["student", "teacher"] {
            let body = json!({ "user": 7, "role": role }).to_string();
            let answer = ask(&app, "POST", "/login", &body).await;
            assert_eq!(answer["token"], "user-7");
            if role == "student" {
                assert_eq!(db.reports.queries(), 0);
            }
        }
        until("the oldest of the ten is cached", || async {
            let path = report_cache_path(&db, 3, 7, kind);
            cache.exists(&path).await.unwrap()
        })
        .await;
        for id in 3..=12 {
            assert_hit!(cache, report(&db, id, 7, kind).await).unwrap();
        }
        assert_miss!(cache, report(&db, 2, 7, kind).await).unwrap();
    })
    .await;
}

#[test]
fn the_store_is_redis_if_the_environment_names_one() {
    let test = "reports::the_store_is_redis_if_the_environment_names_one";
    if !is_child() {
        let server = RedisServer::start();
        rerun(
            test,
            &[
                ("REDIS_URL", &*server.url()),
                ("CACHE_KEY_PREFIX", "reports"),
            ],
        );
        rerun(test, &[("CACHE_KEY_PREFIX", "reports")]);
        return;
    }
    let expected = match std::env::var_os("REDIS_URL") {
        Some(_) => "redis",
        None => "memory",
    };
    let cache = Cache::from_env().unwrap();
    assert_eq!(cache.prefix(), "reports");
    // The timeout is the default one, which a busy machine may exceed at first.
    until_blocking("the health check passes", || {
        let health = cache.blocking().health_check();
        health.is_ok_and(|health| health.store == expected)
    });
}

// Step 6: the integration's tests.

#[tokio::test]
async fn a_report_is_stored_and_the_call_says_whether_it_was_a_hit() {
    on_both_stores_with(report_types, |cache| async move {
        let db = Db::new();
        let stored = report_refresh(&db, 1, 7, "analytics").await;
        let (found, call) = cache.traced(report(&db, 1, 7, "analytics")).await;
        assert_eq!((found, call.outcome), (stored, CallOutcome::Hit));
        assert_about(call.ttl_left, 1_800);
        assert_eq!(db.reports.queries(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_routes_tell_the_hit_rate_and_warm_reports() {
    on_both_stores(|_| async {
        let db = Db::new();
        let app = app(&db);
        let body = r#"{"report_ids": [1, 2, 3], "report_type": "custom"}"#;
        let answer = ask(&app, "POST", "/api/reports/cache/warm", body).await;
        assert_eq!(answer["warmed"], 3);
        // Fresh reports aren't computed again.
        ask(&app, "POST", "/api/reports/cache/warm", body).await;
        assert_eq!(db.reports.queries(), 3);
        // The page's handler finds the report.
        ask(&app, "GET", "/api/reports/1", "").await;
        assert_eq!(db.reports.queries(), 3);
        let rate = ask(&app, "GET", "/api/reports/cache/hit-rate", "").await;
        assert_eq!(rate["total_requests"], 7);
        assert_eq!(rate["hit_rate"], 57.1);
        let stats = ask(&app, "GET", "/api/reports/cache/stats", "").await;
        // Three reports and a page.
        assert_eq!(stats["keys_count"], 4);
    })
    .await;
}

#[tokio::test]
async fn a_second_request_with_the_tag_is_answered_304() {
    on_both_stores(|_| async {
        let db = Db::new();
        let app = app(&db);
        let uri = "/api/reports/2";
        let first = fetch_with(&app, uri, &USER).await;
        let tag = first.field("etag").unwrap();
        let fields = [USER[0], ("if-none-match", tag)];
        let second = fetch_with(&app, uri, &fields).await;
        assert_eq!(
            (second.status, &*second.body),
            (StatusCode::NOT_MODIFIED, "")
        );
        // Another user's page is another one.
        let other = [("authorization", "Token user-8"), fields[1]];
        assert!(!fetch_with(&app, uri, &other).await.is_hit());
        // A changed report has another tag.
        let changed = Report {
            progress: 100,
            ..report(&db, 2, 7, "custom").await.unwrap()
        };
        save_report(&db, changed).await;
        let third = fetch_with(&app, uri, &fields).await;
        assert_eq!(third.status, StatusCode::OK);
        assert_ne!(third.field("etag"), Some(tag));
    })
    .await;
}

// Step 7.

#[tokio::test]
async fn the_hit_rate_and_the_memory_of_a_user_are_known() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for user in [7, 7, 7, 7, 8] {
            report(&db, 1, user, "custom").await.unwrap();
        }
        report(&db, 2, 7, "custom").await.unwrap();
        let stats = cache.owner_stats(7).await.unwrap();
        assert_eq!((stats.hits, stats.misses, stats.hit_rate), (3, 2, 0.6));
        assert_eq!(stats.entries, 2);
        assert!(stats.bytes > 0);
        let other = cache.owner_stats(8).await.unwrap();
        assert_eq!((other.hits, other.misses, other.entries), (0, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn all_reports_of_a_user_are_removed() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for (id, user) in [(1, 7), (2, 7), (1, 70)] {
            report(&db, id, user, "custom").await.unwrap();
        }
        assert_eq!(cache.invalidate_owner(7).await.unwrap(), 2);
        assert_eq!(cache.owner_stats(7).await.unwrap().entries, 0);
        assert_hit!(cache, report(&db, 1, 70, "custom").await).unwrap();
        assert_miss!(cache, report(&db, 1, 7, "custom").await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_report_of_a_user_is_removed_in_all_its_types() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for kind in ["custom", "analytics"] {
            for (id, user) in [(1, 7), (1, 70), (10, 7)] {
                report(&db, id, user, kind).await;
            }
        }
        let (id, user) = (1, 7);
        let removed = cache
            .delete_pattern(&pattern!("report:<<id>>:<<user>>:*"))
            .await;
        assert_eq!(removed.unwrap(), 2);
        assert_hit!(cache, report(&db, 1, 70, "custom").await);
        assert_hit!(cache, report(&db, 10, 7, "custom").await);
        // One type of it.
        assert!(report_invalidate(&db, 1, 70, "custom").await.unwrap());
        assert_hit!(cache, report(&db, 1, 70, "analytics").await);
    })
    .await;
}

// Options.

#[tokio::test]
async fn each_report_type_has_a_ttl() {
    on_both_stores_with(report_types, |cache| async move {
        let db = Db::new();
        for (kind, seconds) in [
            ("student_progress", 300),
            ("grade_distribution", 900),
            ("analytics", 1_800),
            ("custom", 3_600),
            ("anything else", 600),
        ] {
            report(&db, 1, 7, kind).await;
            let path = report_cache_path(&db, 1, 7, kind);
            assert_about(cache.ttl(&path).await.unwrap(), seconds);
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_takes_no_more_than_the_limit() {
    const LIMIT: u64 = 2_000;
    let limited = |builder: CacheBuilder| builder.owner_capacity(LIMIT as usize);
    on_both_stores_with(limited, |cache| async move {
        let db = Db::new();
        report(&db, 1, 8, "custom").await.unwrap();
        for kind in 0..100 {
            let kind = kind.to_string();
            report(&db, 1, 7, &kind).await.unwrap();
            let stats = cache.owner_stats(7).await.unwrap();
            assert!((1..=LIMIT).contains(&stats.bytes), "{stats:?}");
        }
        // The latest entry is there, and the oldest made room for it.
        assert_hit!(cache, report(&db, 1, 7, "99").await).unwrap();
        assert_miss!(cache, report(&db, 1, 7, "0").await).unwrap();
        // Those of others stay.
        assert_hit!(cache, report(&db, 1, 8, "custom").await).unwrap();
    })
    .await;
}

/// Return whether the second request is answered without the handler.
async fn is_cached(handlers: axum::routing::MethodRouter, layer: CacheLayer) -> bool {
    let app: Router = Router::new().route("/", handlers.layer(layer));
    let first = fetch(&app, "/").await.body;
    fetch(&app, "/").await.body == first
}

#[tokio::test]
async fn caching_is_switched_off_for_a_view() {
    on_both_stores(|_| async {
        for enabled in [true, false] {
            let runs = Count::default();
            let view = get(async move || runs.next().to_string());
            let layer = CacheLayer::new(page!("view:page")).enabled(enabled);
            assert_eq!(is_cached(view, layer).await, enabled);
            Cache::current().clear().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn caching_is_switched_off_for_an_action() {
    on_both_stores(|_| async {
        let (db, runs) = (Db::new(), Count::default());
        let view = get(async move || (Extension(NoStore), runs.next().to_string()));
        assert!(!is_cached(view, CacheLayer::new(page!("action:page"))).await);
        // Of a function, one call.
        for _ in 0..2 {
            report_no_cache(&db, 1, 7, "custom").await.unwrap();
        }
        assert_eq!(db.reports.queries(), 2);
    })
    .await;
}

// Troubleshooting.

#[tokio::test]
async fn the_health_check_pings_and_reads_what_it_wrote() {
    on_both_stores(|cache| async move {
        let health = cache.health_check().await.unwrap();
        assert!(health.healthy, "{health:?}");
        cache.set("test", "value", 10).await.unwrap();
        let found: Option<String> = cache.get("test").await.unwrap();
        assert_eq!(found.as_deref(), Some("value"));
        assert_eq!(cache.prefix(), "quickpost");
    })
    .await;
}

#[tokio::test]
async fn the_order_of_filters_is_not_part_of_the_key() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let filters: Vec<(String, String)> = (0..20)
            .map(|number| (format!("filter {number}"), number.to_string()))
            .collect();
        // Two maps of one content are iterated in different orders.
        let map = || filters.iter().rev().cloned().collect::<HashMap<_, _>>();
        assert_miss!(cache, reports(&db, 7, map()).await);
        for _ in 0..10 {
            assert_hit!(cache, reports(&db, 7, map()).await);
        }
        assert_miss!(cache, reports(&db, 7, HashMap::new()).await);
    })
    .await;
}

#[test]
fn the_log_tells_hits_misses_and_what_was_removed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stores = Stores::new();
    for (store, cache) in &stores.caches {
        let db = Db::new();
        let events = events_of(Level::DEBUG, || {
            runtime.block_on(cache.scope(async {
                progress(&db, 7).await;
                progress(&db, 7).await;
                cache.delete_pattern("reports:stats:*").await.unwrap();
            }));
        });
        let messages: Vec<&str> = events.iter().map(|event| &*event.message).collect();
        for expected in [
            "[Cache] MISS: quickpost:reports:stats:7",
            "[Cache] HIT: quickpost:reports:stats:7",
            "[Cache] INVALIDATE: quickpost:reports:stats:* (1 keys)",
        ] {
            assert!(messages.contains(&expected), "{store}: {messages:#?}");
        }
    }
}

#[test]
fn each_write_is_checked_against_the_reads_it_changes() {
    for read in ["report", "reports", "progress"] {
        testing::assert_invalidates("save_report", read);
    }
}
