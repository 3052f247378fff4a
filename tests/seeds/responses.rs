//! THE_BOT: cached responses, keys, presets, fields, administration.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use cache_http::{CacheLayer, ContextLayer, Privacy, User, cache_control, headers_for, page};
use cache_runtime::{
    ANY, Cache, CacheModel, Warm, cacheable, invalidate, pattern, testing, topology, ttl, warmer,
};
use serde::{Deserialize, Serialize};
use tests::http::{Count, fetch, fetch_with, request, send};
use tests::{on_both_stores, on_both_stores_with, until};

use crate::admin::{ask, routes};
use crate::common::{assert_about, fill, present};
use crate::table::Table;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheModel)]
#[cache(table = "materials", patterns = ["materials:<<id>>:*", "materials:list:*"])]
struct Material {
    id: u64,
    title: String,
    department: u64,
    updated_at: u64,
}

fn material(id: u64, title: &str) -> Material {
    Material {
        id,
        title: title.to_owned(),
        department: id % 2,
        updated_at: 1,
    }
}

#[derive(Clone, Default)]
struct Db {
    materials: Table<u64, Material>,
    logins: Count,
}

impl Db {
    fn new() -> Self {
        let rows = (1..=3).map(|id| (id, material(id, "draft")));
        Self {
            materials: Table::with(rows),
            logins: Count::default(),
        }
    }
}

// The functions that read and write.

#[cacheable(key = "materials:<<id>>", ttl = preset("material_detail"), skip(db))]
async fn get_material(db: &Db, id: u64) -> Option<Material> {
    db.materials.find(&id).await
}

#[cacheable(key = "materials:list", ttl = preset("materials_list"), skip(db))]
async fn all_materials(db: &Db) -> Vec<Material> {
    db.materials.select(|_| true).await
}

#[cacheable(key = "departments:<<user.department>>:materials", ttl = 600, skip(db))]
async fn department_materials(db: &Db, user: &Account) -> Vec<Material> {
    let department = user.department;
    db.materials
        .select(|material| material.department == department)
        .await
}

#[cacheable(key = "materials:count", ttl = 600, skip(db))]
async fn count_materials(db: &Db) -> usize {
    db.materials.select(|_| true).await.len()
}

struct Account {
    id: u64,
    department: u64,
}

#[invalidate(patterns = [
    "materials:<<material.id>>:*",
    "materials:list:*",
    "materials:count",
    "departments:<<material.department>>:*",
])]
async fn save_material(db: &Db, material: Material) {
    db.materials.save(material.id, material).await;
}

#[invalidate(patterns = ["materials:<<id>>:*", "materials:list:*", "departments:<<result.department>>:*"])]
async fn delete_material(db: &Db, id: u64) -> Option<Material> {
    db.materials.delete(&id).await
}

// The application.

fn session(parts: &Parts) -> Option<u64> {
    let token = parts.headers.get("authorization")?.to_str().ok()?;
    token.strip_prefix("Token user-")?.parse().ok()
}

async fn list(State(db): State<Db>) -> Json<Vec<Material>> {
    Json(db.materials.select(|_| true).await)
}

async fn show(State(db): State<Db>, Path(id): Path<u64>) -> Result<Json<Material>, StatusCode> {
    let found = db.materials.find(&id).await;
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn update(State(db): State<Db>, Path(id): Path<u64>, title: String) -> StatusCode {
    let updated_at = match db.materials.find(&id).await {
        Some(found) => found.updated_at + 1,
        None => return StatusCode::NOT_FOUND,
    };
    let changed = material(id, &title);
    let changed = Material {
        updated_at,
        ..changed
    };
    save_material(&db, changed).await;
    StatusCode::NO_CONTENT
}

async fn create(State(db): State<Db>, title: String) -> StatusCode {
    let id = 1 + db.materials.select(|_| true).await.len() as u64;
    save_material(&db, material(id, &title)).await;
    StatusCode::CREATED
}

fn materials(db: &Db) -> Router {
    let list_page = CacheLayer::new(page!("materials:list:page")).ttl("30m");
    let page = CacheLayer::new(page!("materials:<<id>>:page")).ttl("1h");
    Router::new()
        .route("/materials", get(list).post(create).layer(list_page))
        .route("/materials/{id}", get(show).put(update).layer(page))
        .with_state(db.clone())
}

async fn dashboard(State(db): State<Db>, user: User) -> String {
    let materials = db.materials.select(|_| true).await;
    format!("{} materials for user {user}", materials.len())
}

fn dashboards(db: &Db) -> Router {
    let page = CacheLayer::new(page!("dashboard:<<user>>:page")).ttl("5m");
    Router::new()
        .route("/dashboard", get(dashboard).layer(page))
        .layer(ContextLayer::new(session))
        .with_state(db.clone())
}

fn put(uri: &str, title: &str) -> axum::http::Request<axum::body::Body> {
    tests::http::request_with("PUT", uri, &[], title.to_owned())
}

// Responses.

#[tokio::test]
async fn a_response_is_cached_for_thirty_minutes() {
    on_both_stores(|_| async {
        let db = Db::new();
        let app = materials(&db);
        let first = fetch(&app, "/materials").await;
        assert_eq!(first.cache(), "fwd=uri-miss; stored");
        let second = fetch(&app, "/materials").await;
        assert_eq!(second.body, first.body);
        let left: u64 = second.cache()["hit; ttl=".len()..].parse().unwrap();
        assert!((1_740..=1_800).contains(&left), "{left} s");
        assert_eq!(db.materials.queries(), 1);
    })
    .await;
}

#[tokio::test]
async fn each_user_has_a_dashboard_of_their_own() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let app = dashboards(&db);
        for _ in 0..2 {
            for user in ["1", "2"] {
                let token = format!("Token user-{user}");
                let answer = fetch_with(&app, "/dashboard", &[("authorization", &token)]).await;
                assert_eq!(answer.body, format!("3 materials for user {user}"));
                assert_eq!(answer.field("cache-control"), Some("private, no-cache"));
            }
        }
        assert_eq!(db.materials.queries(), 2);
        // One user's pages are below one path.
        assert_eq!(cache.delete_pattern("dashboard:1:*").await.unwrap(), 1);
        let second = [("authorization", "Token user-2")];
        assert!(fetch_with(&app, "/dashboard", &second).await.is_hit());
    })
    .await;
}

#[tokio::test]
async fn a_saved_material_is_seen_by_the_next_request() {
    on_both_stores(|_| async {
        let db = Db::new();
        let app = materials(&db);
        for uri in ["/materials", "/materials/1", "/materials/2"] {
            fetch(&app, uri).await;
        }
        save_material(&db, material(1, "final")).await;
        assert!(fetch(&app, "/materials/1").await.body.contains("final"));
        assert!(fetch(&app, "/materials").await.body.contains("final"));
        assert!(fetch(&app, "/materials/2").await.is_hit());
    })
    .await;
}

#[tokio::test]
async fn list_and_detail_are_cached_and_a_write_removes_both() {
    on_both_stores(|_| async {
        let db = Db::new();
        let app = materials(&db);
        for uri in ["/materials", "/materials/1"] {
            fetch(&app, uri).await;
            assert!(fetch(&app, uri).await.is_hit());
        }
        assert_eq!(db.materials.queries(), 2);
        let answer = send(&app, put("/materials/1", "final")).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for uri in ["/materials", "/materials/1"] {
            assert!(fetch(&app, uri).await.body.contains("final"), "{uri}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_value_is_computed_once_in_ten_minutes() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let count = || async { db.materials.select(|_| true).await.len() };
        for _ in 0..2 {
            assert_eq!(cache.get_or_set("users:active:count", 600, count).await, 3);
        }
        assert_eq!(db.materials.queries(), 1);
        assert_about(cache.ttl("users:active:count").await.unwrap(), 600);
    })
    .await;
}

// Keys.

#[tokio::test]
async fn keys_are_built_from_parts_and_named_parameters() {
    let prefix = |builder: cache_runtime::CacheBuilder| builder.prefix("thebot");
    on_both_stores_with(prefix, |cache| async move {
        let production = cache.namespace("production");
        let keys = [
            production.key(("materials", "list")),
            production.key_with("search", [("query", "python"), ("page", "1")]),
            production.user(42, "notifications"),
        ];
        let expected = [
            "production:v1:materials:list",
            "production:v1:search:page=1:query=python",
            "production:v1:user_42:notifications",
        ];
        assert_eq!(keys, expected);
        for key in &keys {
            cache.set(key, "value", 60).await.unwrap();
            let full = format!("thebot:{key}");
            assert!(cache.exists(&full).await.unwrap(), "{full}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_pattern_deletes_all_materials_and_nothing_else() {
    on_both_stores(|cache| async move {
        let production = cache.namespace("production");
        let keys = [
            production.key(("materials", "list")),
            production.key(("materials", 7, "page")),
            production.key(("materials-of-others", 7)),
            production.user(42, "materials"),
        ];
        let keys = keys.each_ref().map(String::as_str);
        fill(&cache, &keys).await;
        let pattern = production.pattern(("materials", ANY));
        assert_eq!(production.invalidate(pattern).await.unwrap(), 2);
        assert_eq!(present(&cache, &keys).await, keys[2..]);
    })
    .await;
}

// Invalidation.

/// The application's invalidations by hand. A value in a pattern is escaped.
mod invalidator {
    use cache_runtime::{Cache, CacheError, pattern};

    pub(super) async fn material(id: u64) -> Result<u64, CacheError> {
        let material = pattern!("materials:<<id>>:*");
        let lists = pattern!("materials:list:*");
        Ok(remove(&material).await? + remove(&lists).await?)
    }

    pub(super) async fn user_data(user: u64) -> Result<u64, CacheError> {
        Ok(remove(&pattern!("users:<<user>>:*")).await? + dashboard(user).await?)
    }

    pub(super) async fn dashboard(user: u64) -> Result<u64, CacheError> {
        remove(&pattern!("dashboard:<<user>>:*")).await
    }

    pub(super) async fn assignments(id: u64) -> Result<u64, CacheError> {
        remove(&pattern!("assignments:<<id>>:*")).await
    }

    async fn remove(pattern: &str) -> Result<u64, CacheError> {
        Cache::current().delete_pattern(pattern).await
    }
}

#[tokio::test]
async fn each_invalidation_by_hand_removes_what_it_names() {
    const PATHS: [&str; 10] = [
        "materials:123",
        "materials:123:page",
        "materials:1234",
        "materials:list",
        "users:42:profile",
        "dashboard:42",
        "dashboard:42:page",
        "dashboard:421",
        "assignments:456",
        "assignments:457",
    ];
    on_both_stores(|cache| async move {
        fill(&cache, &PATHS).await;
        assert_eq!(invalidator::material(123).await.unwrap(), 3);
        let left = present(&cache, &PATHS).await;
        assert_eq!(left[0], "materials:1234");
        assert_eq!(left.len(), 7);

        fill(&cache, &PATHS).await;
        assert_eq!(invalidator::user_data(42).await.unwrap(), 3);
        assert_eq!(present(&cache, &PATHS[4..8]).await, ["dashboard:421"]);

        fill(&cache, &PATHS).await;
        assert_eq!(invalidator::dashboard(42).await.unwrap(), 2);
        let left = present(&cache, &PATHS[4..8]).await;
        assert_eq!(left, ["users:42:profile", "dashboard:421"]);

        assert_eq!(invalidator::assignments(456).await.unwrap(), 1);
        assert_eq!(present(&cache, &PATHS[8..]).await, ["assignments:457"]);
    })
    .await;
}

/// Invalidate the entries that depend on a row, as hooks and triggers do.
async fn changed(cache: &Cache, row: &impl CacheModel) {
    for pattern in row.cache_patterns() {
        cache.delete_pattern(&pattern).await.unwrap();
    }
}

#[tokio::test]
async fn a_model_names_what_a_saved_or_deleted_row_invalidates() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        assert_eq!(
            material(1, "").cache_patterns(),
            ["materials:1:*", "materials:list:*"]
        );
        all_materials(&db).await;
        get_material(&db, 2).await;
        // Saved past the annotated functions.
        get_material(&db, 1).await;
        let saved = material(1, "final");
        db.materials.save(1, saved.clone()).await;
        changed(&cache, &saved).await;
        assert_eq!(get_material(&db, 1).await, Some(saved));
        assert_eq!(all_materials(&db).await[0].title, "final");
        // Deleted.
        let deleted = db.materials.delete(&1).await.unwrap();
        changed(&cache, &deleted).await;
        assert_eq!(get_material(&db, 1).await, None);
        assert_eq!(all_materials(&db).await.len(), 2);
        let paths = ["materials:2"];
        assert_eq!(present(&cache, &paths).await, paths);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_material_leaves_its_lists() {
    on_both_stores(|_| async {
        let db = Db::new();
        let user = Account {
            id: 7,
            department: 1,
        };
        assert_eq!(department_materials(&db, &user).await.len(), 2);
        assert_eq!(all_materials(&db).await.len(), 3);
        assert!(delete_material(&db, 1).await.is_some());
        assert_eq!(department_materials(&db, &user).await.len(), 1);
        assert_eq!(all_materials(&db).await.len(), 2);
        assert_eq!(get_material(&db, 1).await, None);
    })
    .await;
}

// TTLs.

fn with_presets(builder: cache_runtime::CacheBuilder) -> cache_runtime::CacheBuilder {
    builder
        .default_ttl(Duration::from_secs(300))
        .preset("materials_list", Duration::from_secs(1_800))
        .preset("material_detail", Duration::from_secs(3_600))
        .preset("reports", Duration::from_secs(300))
}

#[cacheable(key = "presets:default")]
async fn by_default() -> u32 {
    1
}

#[cacheable(key = "presets:short", ttl = ttl::SHORT)]
async fn short() -> u32 {
    1
}

#[cacheable(key = "presets:medium", ttl = ttl::MEDIUM)]
async fn medium() -> u32 {
    1
}

#[cacheable(key = "presets:long", ttl = ttl::LONG)]
async fn long() -> u32 {
    1
}

#[cacheable(key = "presets:static", ttl = ttl::STATIC)]
async fn fixed() -> u32 {
    1
}

#[cacheable(key = "presets:reports", ttl = preset("reports"))]
async fn report_preset() -> u32 {
    1
}

#[tokio::test]
async fn ttls_have_names() {
    on_both_stores_with(with_presets, |cache| async move {
        by_default().await;
        short().await;
        medium().await;
        long().await;
        fixed().await;
        report_preset().await;
        for (name, seconds) in [
            ("default", 300),
            ("short", 60),
            ("medium", 600),
            ("long", 3_600),
            ("static", 86_400),
            ("reports", 300),
        ] {
            let left = cache.ttl(&format!("presets:{name}")).await.unwrap();
            assert_about(left, seconds);
        }
    })
    .await;
}

#[tokio::test]
async fn functions_take_their_ttl_from_presets() {
    on_both_stores_with(with_presets, |cache| async move {
        let db = Db::new();
        all_materials(&db).await;
        get_material(&db, 1).await;
        assert_about(cache.ttl("materials:list").await.unwrap(), 1_800);
        assert_about(cache.ttl("materials:1").await.unwrap(), 3_600);
    })
    .await;
}

// Fields.

async fn with_fields() -> impl IntoResponse {
    (headers_for("30m", Privacy::Public, ["accept"]), "the list")
}

async fn private() -> impl IntoResponse {
    let fields = [("cache-control", cache_control("5m", Privacy::Private))];
    (fields, "the dashboard")
}

async fn live() -> impl IntoResponse {
    ([("cache-control", "no-store")], "the feed")
}

#[tokio::test]
async fn a_handler_sets_the_fields_for_browsers() {
    on_both_stores(|_| async {
        let layer = CacheLayer::new(page!("fields:<<path>>"))
            .ttl("30m")
            .vary(["accept"]);
        let handlers = get(async |Path(path): Path<String>| match &*path {
            "public" => with_fields().await.into_response(),
            "private" => private().await.into_response(),
            _ => live().await.into_response(),
        });
        let app: Router = Router::new().route("/{path}", handlers.layer(layer));
        let public = fetch(&app, "/public").await;
        let cache_control = "public, max-age=1800";
        assert_eq!(public.field("cache-control"), Some(cache_control));
        assert_eq!(public.field("vary"), Some("accept"));
        assert!(public.field("expires").is_some());
        assert!(fetch(&app, "/public").await.is_hit());
        // A private or a live response isn't stored: the key has no user.
        for (uri, cache_control) in [("/private", "private, max-age=300"), ("/live", "no-store")] {
            for _ in 0..2 {
                let answer = fetch(&app, uri).await;
                assert_eq!(answer.field("cache-control"), Some(cache_control));
                assert!(!answer.is_hit());
            }
        }
    })
    .await;
}

// Administration.

#[tokio::test]
async fn the_statistics_are_a_route() {
    on_both_stores(|cache| async move {
        let (app, db) = (routes(), Db::new());
        assert_eq!(
            fetch(&app, "/cache-stats").await.status,
            StatusCode::UNAUTHORIZED
        );
        for _ in 0..4 {
            all_materials(&db).await;
        }
        let (status, answer) = ask(&app, "GET", "/cache-stats", "").await;
        assert_eq!(
            (status, &answer["status"]),
            (StatusCode::OK, &"success".into())
        );
        let figures = &answer["cache_stats"];
        let store = cache.health().await.store;
        assert_eq!(figures["backend"], store);
        assert_eq!(figures["hit_rate"], 75.0);
        assert_eq!(figures["keys_count"], 1);
        assert_eq!(figures["evicted_keys"], 0);
        assert!(figures["memory_usage"].as_u64() > Some(0));
        assert!(figures["memory_usage_human"].is_string());
        assert!(figures["uptime_seconds"].is_u64());
    })
    .await;
}

#[tokio::test]
async fn the_health_is_a_route() {
    on_both_stores(|cache| async move {
        let app = routes();
        let refused = fetch(&app, "/cache-health").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let (status, health) = ask(&app, "GET", "/cache-health", "").await;
        assert_eq!((status, &health["healthy"]), (StatusCode::OK, &true.into()));
        assert_eq!(health["store"], cache.health().await.store);
        for test in ["set", "get", "delete"] {
            assert!(health[test].is_f64(), "{test}");
        }
    })
    .await;
    // No server listens there.
    let dead = Cache::builder()
        .redis("redis://127.0.0.1:1")
        .build()
        .unwrap();
    let answer = dead.scope(async { ask(&routes(), "GET", "/cache-health", "").await });
    let (status, health) = answer.await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(health["cause"].is_string());
}

#[tokio::test]
async fn clearing_is_a_route() {
    const PATHS: [&str; 3] = ["materials:v1:list", "materials:v2:1", "other:v1:1"];
    on_both_stores(|cache| async move {
        let app = routes();
        fill(&cache, &PATHS).await;
        let refused = send(&app, request("POST", "/cache-clear", &[])).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(present(&cache, &PATHS).await, PATHS);
        // A namespace, in all of its versions.
        let body = r#"{"namespace": "materials"}"#;
        let (_, answer) = ask(&app, "POST", "/cache-clear", body).await;
        assert_eq!(answer["removed"], 2);
        assert_eq!(present(&cache, &PATHS).await, PATHS[2..]);
        let (status, _) = ask(&app, "POST", "/cache-clear", "").await;
        assert_eq!(status, StatusCode::OK);
        assert!(present(&cache, &PATHS).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn resetting_the_statistics_is_a_route() {
    on_both_stores(|cache| async move {
        all_materials(&Db::new()).await;
        assert_eq!(cache.stats().misses, 1);
        let app = routes();
        let refused = send(&app, request("POST", "/cache-reset-stats", &[])).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(cache.stats().misses, 1);
        let (_, answer) = ask(&app, "POST", "/cache-reset-stats", "").await;
        assert_eq!(answer["status"], "success");
        assert_eq!(cache.stats().misses, 0);
    })
    .await;
}

// Advanced use.

#[tokio::test]
async fn a_request_can_pass_the_cache_by() {
    on_both_stores(|_| async {
        let count = Count::default();
        let runs = count.clone();
        let report = async move || format!("report {}", runs.next());
        let layer = CacheLayer::new(page!("reports:<<id>>:page"))
            .ttl("10m")
            .bypass(|parts| parts.headers.contains_key("x-preview"));
        let app: Router = Router::new().route("/reports/{id}", get(report).layer(layer));
        assert_eq!(fetch(&app, "/reports/1").await.body, "report 1");
        let preview = fetch_with(&app, "/reports/1", &[("x-preview", "1")]).await;
        assert_eq!(
            (&*preview.body, preview.cache()),
            ("report 2", "fwd=bypass")
        );
        let again = fetch(&app, "/reports/1").await;
        assert_eq!((&*again.body, again.is_hit()), ("report 1", true));
        // A conditional request for the stored page.
        let tag = again.field("etag").unwrap();
        let answer = fetch_with(&app, "/reports/1", &[("if-none-match", tag)]).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
        assert_eq!(count.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_result_of_a_query_is_cached() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for _ in 0..2 {
            assert_eq!(count_materials(&db).await, 3);
        }
        assert_eq!(db.materials.queries(), 1);
        assert_about(cache.ttl("materials:count").await.unwrap(), 600);
        save_material(&db, material(4, "new")).await;
        assert_eq!(count_materials(&db).await, 4);
    })
    .await;
}

#[tokio::test]
async fn a_version_of_the_data_answers_304_without_the_handler() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let runs = Count::default();
        let (versions, counted) = (db.clone(), runs.clone());
        let layer = CacheLayer::new(page!("materials:<<id>>:page"))
            .ttl("10m")
            .etag_by(move |parts| {
                let db = versions.clone();
                async move {
                    let id = parts.uri.path().strip_prefix("/materials/")?.parse().ok()?;
                    let found = db.materials.find(&id).await?;
                    Some(found.updated_at)
                }
            });
        let shown = async move |db: State<Db>, id: Path<u64>| {
            counted.next();
            show(db, id).await
        };
        let app = Router::new()
            .route("/materials/{id}", get(shown).put(update).layer(layer))
            .with_state(db);
        let first = fetch(&app, "/materials/1").await;
        let fields = [("if-none-match", first.field("etag").unwrap())];
        // Without a stored page, too.
        cache.delete_pattern("materials:1:*").await.unwrap();
        let second = fetch_with(&app, "/materials/1", &fields).await;
        assert_eq!(second.status, StatusCode::NOT_MODIFIED);
        assert_eq!(second.cache(), "hit; detail=etag-by");
        assert_eq!(runs.get(), 1);
        send(&app, put("/materials/1", "final")).await;
        let third = fetch_with(&app, "/materials/1", &fields).await;
        assert_eq!(third.status, StatusCode::OK);
        assert!(third.body.contains("final"));
        assert_eq!(runs.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_login_is_not_cached() {
    on_both_stores(|_| async {
        let db = Db::new();
        let login = async |State(db): State<Db>| format!("login {}", db.logins.next());
        let page = CacheLayer::new(page!("accounts:list:page")).ttl("30m");
        let app = Router::new()
            .route("/accounts", get(list).post(login).layer(page))
            .with_state(db.clone());
        fetch(&app, "/accounts").await;
        assert!(fetch(&app, "/accounts").await.is_hit());
        for number in 1..=2 {
            let answer = send(&app, request("POST", "/accounts", &[])).await;
            assert_eq!(answer.body, format!("login {number}"));
            assert_eq!(answer.cache(), "fwd=method; detail=method");
        }
    })
    .await;
}

#[tokio::test]
async fn each_department_has_an_entry_of_its_own() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for (id, department, count) in [(1, 0, 1), (2, 0, 1), (3, 1, 2)] {
            let user = Account { id, department };
            assert_eq!(
                department_materials(&db, &user).await.len(),
                count,
                "user {}",
                user.id
            );
        }
        // Two users of one department share the entry.
        assert_eq!(db.materials.queries(), 2);
        let paths = ["departments:0:materials", "departments:1:materials"];
        assert_eq!(present(&cache, &paths).await, paths);
    })
    .await;
}

#[warmer("materials", every = "10m")]
async fn warm_materials(warm: Warm, db: Db) {
    warm.each(1..=3, |id| get_material(&db, id)).await;
}

#[tokio::test]
async fn warming_fills_the_cache() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        cache.add_warmer(warm_materials_warmer(db.clone())).unwrap();
        let report = cache.warm("materials", vec![]).await.unwrap();
        assert_eq!((report.counts.computed, db.materials.queries()), (3, 3));
        let report = cache.warm("materials", vec![]).await.unwrap();
        assert_eq!((report.counts.fresh, db.materials.queries()), (3, 3));
        let hits = cache.stats().hits;
        for id in 1..=3 {
            assert!(get_material(&db, id).await.is_some());
        }
        assert_eq!(db.materials.queries(), 3);
        assert_eq!(cache.stats().hits, hits + 3);
    })
    .await;
}

#[tokio::test]
async fn an_entry_says_whether_it_is_there_and_how_long_it_lives() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let path = get_material_cache_path(&db, 1);
        assert!(!cache.exists(&path).await.unwrap());
        assert_eq!(cache.ttl(&path).await.unwrap(), None);
        get_material(&db, 1).await;
        assert!(cache.exists(&path).await.unwrap());
        assert!(cache.ttl(&path).await.unwrap() > Some(Duration::from_secs(200)));
        cache
            .set("brief", &1, Duration::from_millis(20))
            .await
            .unwrap();
        until("the entry expires", || async {
            !cache.exists("brief").await.unwrap()
        })
        .await;
    })
    .await;
}

// Mistakes.

#[tokio::test]
async fn a_response_to_a_known_user_is_not_shared() {
    on_both_stores(|_| async {
        let count = Count::default();
        let runs = count.clone();
        let handler = async move || format!("run {}", runs.next());
        // The key has no user, and the handler may have looked at one.
        let page = CacheLayer::new(page!("secrets:page")).ttl("1h");
        let app: Router = Router::new().route("/", get(handler).layer(page));
        for (number, field) in [("authorization", "Token user-1"), ("cookie", "session=1")]
            .iter()
            .enumerate()
        {
            let answer = fetch_with(&app, "/", &[*field]).await;
            assert_eq!(answer.body, format!("run {}", number + 1));
            assert!(
                answer.cache().starts_with("fwd=bypass"),
                "{}",
                answer.cache()
            );
        }
    })
    .await;
}

#[cacheable(key = "constants:<<name>>")]
async fn constant(name: &str) -> usize {
    name.len()
}

#[tokio::test]
async fn every_entry_ends_and_a_read_without_a_write_is_listed() {
    on_both_stores(|cache| async move {
        constant("pi").await;
        assert_about(cache.ttl("constants:pi").await.unwrap(), 300);
    })
    .await;
    let reads = topology().never_invalidated();
    let of_this_module = |name: &str| {
        let mut reads = reads.iter();
        reads.any(|read| read.function == name && read.module.ends_with("responses"))
    };
    assert!(of_this_module("constant"));
    assert!(!of_this_module("get_material"));
}

// Troubleshooting.

#[tokio::test]
async fn a_value_that_was_set_is_read_back() {
    on_both_stores(|cache| async move {
        cache.set("test", "value", 300).await.unwrap();
        let found: Option<String> = cache.get("test").await.unwrap();
        assert_eq!(found.as_deref(), Some("value"));
        let health = cache.health_check().await.unwrap();
        assert!(health.healthy, "{health:?}");
    })
    .await;
}

#[tokio::test]
async fn a_write_can_be_checked_against_a_read() {
    testing::assert_invalidates("save_material", "get_material");
    testing::assert_invalidates("delete_material", "department_materials");
    on_both_stores(|cache| async move {
        let db = Db::new();
        get_material(&db, 1).await;
        let id = 1;
        let removed = cache.delete_pattern(&pattern!("materials:<<id>>:*")).await;
        assert_eq!(removed.unwrap(), 1);
        get_material(&db, 1).await;
        assert_eq!(db.materials.queries(), 2);
    })
    .await;
}
