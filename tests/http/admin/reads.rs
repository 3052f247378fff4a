//! The answers of the routes that change nothing.

use axum::Router;
use cache_http::{CacheLayer, admin, page};
use cache_runtime::{Cache, cacheable, invalidate};
use serde_json::{Value, json};
use tests::on_both_stores;

use super::{ADMIN, Api, READ, by_header, error};

#[cacheable(key = "admin:squares:<<n>>", ttl = 60)]
async fn square(n: u32) -> u32 {
    n * n
}

#[invalidate(patterns = ["admin:squares:<<n>>"])]
async fn forget(n: u32) {}

fn of_square(functions: &Value) -> &Value {
    let functions = functions.as_array().unwrap();
    let is_square = |function: &&Value| {
        function["function"] == "square" && function["module"] == "http::admin::reads"
    };
    functions.iter().find(is_square).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(|key| &**key)
        .collect()
}

#[tokio::test]
async fn stats_have_the_sizes_of_the_store_and_the_counters_of_each_function() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        for n in [1, 2, 1, 1] {
            square(n).await;
        }
        let stats = api.get("/stats").await;
        assert_eq!(keys(&stats), ["cache_stats", "status"]);
        assert_eq!(stats["status"], "success");
        let stats = &stats["cache_stats"];
        let expected = [
            "backend",
            "evicted_keys",
            "functions",
            "hit_rate",
            "keys_count",
            "memory_usage",
            "memory_usage_human",
            "uptime_seconds",
        ];
        assert_eq!(keys(stats), expected);
        assert_eq!(stats["backend"], cache.health().await.store);
        assert_eq!(
            (&stats["keys_count"], &stats["hit_rate"]),
            (&json!(2), &json!(50.0))
        );
        assert_eq!(stats["evicted_keys"], 0);
        assert!(stats["memory_usage"].as_u64().unwrap() > 0);
        assert!(stats["memory_usage_human"].as_str().unwrap().len() > 1);
        assert!(stats["uptime_seconds"].as_u64().unwrap() < 3_600);
        let square = of_square(&stats["functions"]);
        assert_eq!(
            (&square["hits"], &square["misses"], &square["hit_rate"]),
            (&json!(2), &json!(2), &json!(50.0))
        );
    })
    .await;
}

#[tokio::test]
async fn the_hit_rate_is_that_since_the_counters_were_set_back() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        assert_eq!(api.get("/hit-rate").await["hit_rate"], 0.0);
        for _ in 0..3 {
            square(7).await;
        }
        let rates = api.get("/hit-rate").await;
        assert_eq!(rates["status"], "success");
        assert_eq!(
            (&rates["hit_rate"], &rates["misses"]),
            (&json!(66.67), &json!(1))
        );
        assert_eq!(of_square(&rates["functions"])["answered"], 2);
        assert_eq!(rates["functions"].as_array().unwrap().len(), 1);
        let reset = api.post("/reset-stats", "").await;
        let message = "Cache statistics reset";
        assert_eq!(
            super::json(&reset),
            json!({"status": "success", "message": message})
        );
        square(7).await;
        assert_eq!(api.get("/hit-rate").await["hit_rate"], 100.0);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_works_is_healthy() {
    on_both_stores(|cache| async move {
        let health = Api::of(&cache).await.get("/health").await;
        assert_eq!(health["status"], "healthy");
        assert_eq!(health["backend"], cache.health().await.store);
        let passed = json!({"set": "passed", "get": "passed", "delete": "passed"});
        assert_eq!(health["tests"], passed);
        assert!(health["seconds"]["set"].as_f64().unwrap() > 0.0);
    })
    .await;
}

#[tokio::test]
async fn the_doctor_tells_problems_of_the_store_and_of_the_program() {
    on_both_stores(|cache| async move {
        let doctor = Api::of(&cache).await.get("/doctor").await;
        let findings = doctor["findings"].as_array().unwrap();
        let of = |check: &str| findings.iter().find(|finding| finding["check"] == check);
        let store = if cache.snapshot().store == "redis" {
            "eviction"
        } else {
            "store"
        };
        assert!(of(store).unwrap()["text"].is_string(), "{doctor}");
        assert_eq!(of("fleet").unwrap()["level"], "ok");
        let levels = findings
            .iter()
            .map(|finding| finding["level"].as_str().unwrap());
        assert!(
            levels
                .clone()
                .all(|level| ["ok", "note", "problem"].contains(&level))
        );
        // Each problem has a fix.
        let problems = findings
            .iter()
            .filter(|finding| finding["level"] == "problem");
        assert!(problems.clone().all(|problem| problem["fix"].is_string()));
    })
    .await;
}

#[tokio::test]
async fn the_metrics_are_the_text_for_prometheus() {
    let cache = Cache::builder().prefix("shown").build().unwrap();
    let api = Api::of(&cache).await;
    cache.set("answer", &42, 60).await.unwrap();
    let answer = api.ask("GET", "/metrics", READ, "").await;
    assert_eq!(
        answer.field("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let line = "cache_fills_total{cache=\"shown\",function=\"Cache\"} 1\n";
    assert!(answer.body.contains(line), "{}", answer.body);
}

#[tokio::test]
async fn the_topology_shows_reads_and_writes() {
    let cache = Cache::builder().build().unwrap();
    cache.scope(forget(1)).await;
    let topology = Api::of(&cache).await.get("/topology").await;
    let expected = [
        "dead_patterns",
        "edges",
        "never_invalidated",
        "reads",
        "status",
        "writes",
    ];
    assert_eq!(keys(&topology), expected);
    assert_eq!(
        of_square(&topology["reads"])["template"],
        "admin:squares:<<n>>"
    );
    let mut writes = topology["writes"].as_array().unwrap().iter();
    let forget = writes.find(|write| write["function"] == "forget").unwrap();
    assert_eq!(forget["patterns"], json!(["admin:squares:<<n>>"]));
    let reached = topology["edges"].as_array().unwrap().iter().map(|edge| {
        let at = |side: usize| usize::try_from(edge[side].as_u64().unwrap()).unwrap();
        let (write, read) = (&topology["writes"][at(0)], &topology["reads"][at(1)]);
        (write["function"].clone(), read["function"].clone())
    });
    let of_forget = reached.filter(|(write, _)| write == "forget");
    let expected = (json!("forget"), json!("square"));
    assert_eq!(of_forget.collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn the_topology_is_a_graph_if_asked_for() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    let graph = api.ask("GET", "/topology?format=mermaid", READ, "").await;
    assert_eq!(graph.body, cache_runtime::topology().mermaid());
    let wrong = api.ask("GET", "/topology?format=dot", READ, "").await;
    assert_eq!(wrong.status, 400);
    assert!(error(&wrong).contains("`mermaid`"), "{}", wrong.body);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_as_json() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    for path in ["/key/s", "/stats/more", "/Stats", "/a/../stats", "/static"] {
        let unknown = api.ask("GET", path, ADMIN, "").await;
        assert_eq!(unknown.status, 404, "{path}");
        assert!(error(&unknown).contains("GET /stats"), "{}", unknown.body);
    }
    assert_eq!(api.ask("GET", "/stats/?a=b", ADMIN, "").await.status, 200);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "FOO"] {
        let refused = api.ask(method, "/stats", ADMIN, "{}").await;
        assert_eq!(
            (refused.status.as_u16(), refused.field("allow")),
            (405, Some("GET, HEAD"))
        );
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let refused = api.ask(method, "/clear", ADMIN, "").await;
        assert_eq!(
            (refused.status.as_u16(), refused.field("allow")),
            (405, Some("POST"))
        );
    }
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    for path in ["/stats", "/metrics", "/topology", "/unknown"] {
        let get = api.ask("GET", path, READ, "").await;
        let head = api.ask("HEAD", path, READ, "").await;
        assert_eq!((head.status, &*head.body), (get.status, ""), "{path}");
        for field in ["content-type", "cache-control", "x-content-type-options"] {
            assert_eq!(head.field(field), get.field(field), "{path} {field}");
        }
        assert!(
            head.field("content-length")
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > 0
        );
    }
}

#[tokio::test]
async fn no_answer_may_be_stored_or_taken_for_another_type() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    let requests = [
        ("GET", "/stats", READ, 200),
        ("GET", "/metrics", READ, 200),
        ("GET", "/unknown", READ, 404),
        ("GET", "/clear", ADMIN, 405),
        ("GET", "/stats", &[], 401),
        ("POST", "/clear", READ, 403),
        ("POST", "/clear", ADMIN, 400),
    ];
    for (method, path, fields, status) in requests {
        let answer = api.ask(method, path, fields, "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_cache_layer_around_it_stores_nothing() {
    on_both_stores(|cache| async move {
        let layer = CacheLayer::new(page!("admin:layer")).ttl(60).cache(&cache);
        let service = admin(&cache).access(by_header);
        let app = Router::new().nest_service("/deep/admin/cache", service);
        let api = Api::start(app.layer(layer)).await;
        // The layer counts its own misses, too.
        assert_eq!(api.get("/hit-rate").await["misses"], 1);
        square(3).await;
        let rates = api.get("/hit-rate").await;
        assert_eq!(of_square(&rates["functions"])["misses"], 1);
        assert_eq!(cache.delete_pattern("admin:layer:*").await.unwrap(), 0);
    })
    .await;
}
