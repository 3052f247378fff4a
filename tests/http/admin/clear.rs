//! `POST /clear`.

use axum::body::{Body, Bytes};
use cache_runtime::Cache;
use futures_util::stream;
use serde_json::json;
use tests::on_both_stores;

use super::{ADMIN, Api, error, json};

async fn fill(cache: &Cache) {
    let entries = [
        ("chat:v1:online", 1),
        ("chat:v2:online", 2),
        ("chats:1", 3),
        ("posts:1", 4),
        ("posts:1:comments", 5),
        ("posts:10", 6),
    ];
    cache.set_many(entries, 60).await.unwrap();
}

#[tokio::test]
async fn all_a_namespace_or_a_pattern_is_cleared() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        let bodies = [
            ("{}", 6),
            (" { } ", 6),
            (r#"{"namespace": "chat"}"#, 2),
            (r#"{"namespace": "nothing"}"#, 0),
            // A name has no wildcards.
            (r#"{"namespace": "*"}"#, 0),
            (r#"{"pattern": "posts:1:*"}"#, 2),
            (r#"{"pattern": "chat*"}"#, 3),
        ];
        for (body, entries) in bodies {
            fill(&cache).await;
            let cleared = api.post("/clear", body).await;
            let message = "Cache cleared";
            let expected = json!({"status": "success", "message": message, "entries": entries});
            assert_eq!(json(&cleared), expected, "{body}");
            let rest = cache.clear().await.unwrap();
            assert_eq!(rest, 6 - entries, "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_counts_what_would_be_cleared_and_clears_nothing() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        fill(&cache).await;
        let dry_run = |body: &'static str| {
            let api = &api;
            async move { json(&api.post("/clear", body).await) }
        };
        let all = dry_run(r#"{"dry_run": true}"#).await;
        assert_eq!(
            (&all["entries"], &all["has_more"]),
            (&json!(6), &json!(false))
        );
        assert_eq!(all["examples"].as_array().unwrap().len(), 6);
        let chat = dry_run(r#"{"namespace": "chat", "dry_run": true}"#).await;
        assert_eq!(chat["entries"], 2);
        let posts = dry_run(r#"{"pattern": "posts:1:*", "dry_run": true}"#).await;
        let mut examples = posts["examples"].as_array().unwrap().clone();
        examples.sort_unstable_by_key(ToString::to_string);
        assert_eq!(examples, ["posts:1", "posts:1:comments"]);
        let cleared = api.post("/clear", r#"{"dry_run": false}"#).await;
        assert_eq!(json(&cleared)["entries"], 6, "nothing was cleared before");
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_over_many_entries_is_bounded() {
    let cache = Cache::builder().build().unwrap();
    let entries = (0..10_001).map(|n| (format!("many:{n}"), n));
    cache.set_many(entries, 60).await.unwrap();
    let api = Api::of(&cache).await;
    let counted = json(&api.post("/clear", r#"{"dry_run": true}"#).await);
    assert_eq!(
        (&counted["entries"], &counted["has_more"]),
        (&json!(10_000), &json!(true))
    );
    assert_eq!(counted["examples"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_body_with_a_mistake_clears_nothing_and_the_answer_names_it() {
    let cache = Cache::builder().build().unwrap();
    let api = Api::of(&cache).await;
    fill(&cache).await;
    let mistakes = [
        ("", "isn't a JSON object"),
        ("  ", "isn't a JSON object"),
        ("null", "isn't a JSON object"),
        ("[]", "isn't a JSON object"),
        (r#"["chat", "posts:*"]"#, "isn't a JSON object"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{} {}", "trailing characters at line 1 column 4"),
        (r#"{"patern": "posts:*"}"#, "unknown field `patern`"),
        (
            r#"{"pattern": null}"#,
            "invalid type: null, expected a string",
        ),
        (
            r#"{"namespace": null}"#,
            "invalid type: null, expected a string",
        ),
        (r#"{"dry_run": "yes"}"#, "expected a boolean"),
        (r#"{"dry_run": null}"#, "expected a boolean"),
        (r#"{"pattern": ["a"]}"#, "invalid type: sequence"),
        (
            r#"{"pattern": "a", "pattern": "b"}"#,
            "duplicate field `pattern`",
        ),
        (r#"{"pattern": ""}"#, "`pattern` is empty"),
        (r#"{"namespace": ""}"#, "`namespace` is empty"),
        (r#"{"namespace": "a", "pattern": "b"}"#, "not both"),
        ("pattern=posts", "isn't a JSON object"),
    ];
    for (body, mistake) in mistakes {
        let refused = api.post("/clear", body).await;
        assert_eq!(refused.status, 400, "{body}");
        let error = error(&refused);
        assert!(error.contains(mistake), "{body}: {error}");
    }
    assert_eq!(cache.clear().await.unwrap(), 6);
}

#[tokio::test]
async fn a_long_body_is_refused_whether_its_length_is_told_or_not() {
    let cache = Cache::builder().build().unwrap();
    let api = Api::of(&cache).await;
    fill(&cache).await;
    let long = |bytes: usize| {
        let padding = " ".repeat(bytes - 2);
        Bytes::from(format!("{{{padding}}}"))
    };
    let chunked = |body: Bytes| {
        let halves = [body.slice(..body.len() / 2), body.slice(body.len() / 2..)];
        Body::from_stream(stream::iter(halves.map(Ok::<_, std::io::Error>)))
    };
    let limit = 16 << 10;
    for body in [long(limit + 1).into(), chunked(long(limit + 1))] {
        let refused = api.ask("POST", "/clear", ADMIN, body).await;
        assert_eq!(refused.status, 413);
        assert!(error(&refused).contains("16384 bytes"));
    }
    assert_eq!(cache.stats().entries, 6);
    for body in [long(limit).into(), chunked(long(limit))] {
        fill(&cache).await;
        let cleared = api.ask("POST", "/clear", ADMIN, body).await;
        assert_eq!(json(&cleared)["entries"], 6);
    }
}
