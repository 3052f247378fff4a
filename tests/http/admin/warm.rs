//! `GET /warmers` and `POST /warm`.

use std::sync::Arc;

use cache_runtime::{Cache, Warmer};
use serde_json::json;
use tests::{on_both_stores, until};
use tokio::sync::Semaphore;

use super::{ADMIN, Api, READ, error, json};

/// A warmer that stores an entry for each argument.
fn squares(cache: &Cache) -> Warmer {
    let cache = cache.clone();
    Warmer::new("squares", move |warm| {
        let cache = cache.clone();
        async move {
            for arg in warm.args() {
                cache.set(&format!("warmed:{arg}"), &1, 60).await.unwrap();
            }
        }
    })
}

#[tokio::test]
async fn a_warmer_runs_with_its_arguments_and_reports() {
    on_both_stores(|cache| async move {
        cache.add_warmer(squares(&cache)).unwrap();
        let api = Api::of(&cache).await;
        let warmers = api.get("/warmers").await;
        assert_eq!(warmers["warmers"][0]["name"], "squares");
        assert_eq!(warmers["warmers"][0]["last"], json!(null));
        let warmed = api
            .post("/warm", r#"{"name": "squares", "args": ["3", "4"]}"#)
            .await;
        assert_eq!(warmed.status, 200, "{}", warmed.body);
        let report = json(&warmed)["report"].clone();
        assert_eq!(
            (&report["warmer"], &report["outcome"]),
            (&json!("squares"), &json!("complete"))
        );
        assert_eq!(report["args"], json!(["3", "4"]));
        assert!(cache.inspect("warmed:4").await.unwrap().is_some());
        assert_eq!(api.get("/warmers").await["warmers"][0]["last"], report);
    })
    .await;
}

#[tokio::test]
async fn mistakes_and_missing_rights_run_nothing() {
    let cache = Cache::builder().build().unwrap();
    cache.add_warmer(squares(&cache)).unwrap();
    let api = Api::of(&cache).await;
    let mistakes = [
        ("", 400, "isn't a JSON object"),
        ("[\"squares\"]", 400, "isn't a JSON object"),
        ("{}", 400, "missing field `name`"),
        (
            r#"{"name": "squares", "arg": []}"#,
            400,
            "unknown field `arg`",
        ),
        (
            r#"{"name": "squares", "args": [3]}"#,
            400,
            "expected a string",
        ),
        (r#"{"name": "square"}"#, 404, "squares"),
    ];
    for (body, status, mistake) in mistakes {
        let refused = api.post("/warm", body).await;
        assert_eq!(refused.status, status, "{body}");
        let error = error(&refused);
        assert!(error.contains(mistake), "{body}: {error}");
    }
    let body = r#"{"name": "squares", "args": ["3"]}"#;
    assert_eq!(api.ask("POST", "/warm", READ, body).await.status, 403);
    let foreign = [("x-access", "admin"), ("sec-fetch-site", "cross-site")];
    assert_eq!(api.ask("POST", "/warm", &foreign, body).await.status, 403);
    assert_eq!(api.ask("GET", "/warm", ADMIN, "").await.status, 405);
    assert_eq!(cache.stats().entries, 0);
}

#[tokio::test]
async fn a_run_goes_on_without_its_client_and_a_second_one_is_refused() {
    let cache = Cache::builder().build().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let (of_warmer, store) = (Arc::clone(&gate), cache.clone());
    let slow = Warmer::new("slow", move |_| {
        let (gate, cache) = (Arc::clone(&of_warmer), store.clone());
        async move {
            gate.acquire().await.unwrap().forget();
            cache.set("warmed", &1, 60).await.unwrap();
        }
    });
    cache.add_warmer(slow).unwrap();
    let api = Api::of(&cache).await;
    let body = r#"{"name": "slow"}"#;
    let is_running = || async { !api.get("/warmers").await["warmers"][0]["running"].is_null() };
    tokio::select! {
        _ = api.post("/warm", body) => panic!("the gate is closed"),
        () = until("it runs", is_running) => {}
    }
    let second = api.post("/warm", body).await;
    assert_eq!(second.status, 409, "{}", second.body);
    gate.add_permits(1);
    let is_warmed = || async { cache.inspect("warmed").await.unwrap().is_some() };
    until("it has ended", is_warmed).await;
}
