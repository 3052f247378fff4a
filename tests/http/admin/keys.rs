//! `GET /keys` and `GET /key`.

use cache_runtime::{Cache, Codec, cacheable, invalidate};
use serde_json::{Value, json};
use tests::{on_both_stores, on_both_stores_with};

use super::{ADMIN, Api, READ, error, json};

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>";

#[cacheable(key = "drawers:<<n>>", ttl = 60)]
async fn drawer(n: u32) -> Vec<String> {
    vec![format!("secret {n}")]
}

#[invalidate(patterns = ["drawers:<<n>>:*"])]
async fn empty(n: u32) {}

fn paths(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["path"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        let posts = (0..25).map(|n| (format!("posts:{n:02}"), n));
        cache.set_many(posts, 60).await.unwrap();
        cache.set(HOSTILE, &1, 60).await.unwrap();
        let (mut found, mut query) = (Vec::new(), "?pattern=posts:*&limit=10".to_owned());
        loop {
            let page = api.get(&format!("/keys{query}")).await;
            assert_eq!(
                (&page["status"], &page["pattern"]),
                (&json!("success"), &json!("posts:*"))
            );
            let entry = &page["entries"][0];
            assert_eq!(entry["kind"], "value");
            assert!(entry["ttl"].as_f64().unwrap() <= 60.0, "seconds");
            assert!(paths(&page).len() <= 10);
            found.extend(paths(&page).into_iter().map(str::to_owned));
            assert_eq!(page["more"], json!(!page["next"].is_null()));
            match page["next"].as_str() {
                Some(next) => query = format!("?pattern=posts:*&limit=10&after={next}"),
                None => break,
            }
        }
        let all: Vec<String> = (0..25).map(|n| format!("posts:{n:02}")).collect();
        assert_eq!(found, all);
        let all = api.get("/keys").await;
        assert_eq!((paths(&all).len(), &all["next"]), (26, &Value::Null));
        assert!(paths(&all).contains(&HOSTILE));
    })
    .await;
}

#[tokio::test]
async fn a_level_has_branches_and_entries() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        let entries = ["posts:1", "posts:1:page", "posts:2", "top"];
        cache
            .set_many(entries.map(|key| (key, 1)), 60)
            .await
            .unwrap();
        let top = api.get("/keys?level=").await;
        assert_eq!((&top["level"], paths(&top)), (&json!(""), vec!["top"]));
        let branch = json!([{"prefix": "posts:", "entries": 3, "more": false}]);
        assert_eq!((&top["branches"], &top["more"]), (&branch, &json!(false)));
        let posts = api.get("/keys?level=posts%3A").await;
        assert_eq!(paths(&posts), ["posts:1", "posts:2"]);
        assert_eq!(posts["branches"][0]["prefix"], "posts:1:");
        let first = api.get("/keys?level=posts:&limit=1").await;
        assert_eq!(
            (paths(&first), &first["more"]),
            (vec!["posts:1"], &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn mistakes_in_the_query_are_named() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    let mistakes = [
        ("/keys?limit=0", "`limit` is a number from 1 to 1000"),
        ("/keys?limit=1001", "`limit` is a number from 1 to 1000"),
        ("/keys?limit=ten", "`limit` is a number from 1 to 1000"),
        ("/keys?patern=a", "no parameter \"patern\""),
        (
            "/keys?pattern=a&pattern=b",
            "`pattern` is there several times",
        ),
        ("/keys?pattern=a&level=b:", "not both"),
        ("/keys?level=b", "ends in `:`"),
        ("/keys?after=x", "`after`: \"x\" isn't the `next` of a page"),
        ("/keys?pattern=%zz", "percent-encoding"),
        ("/key", "`key` is missing"),
        ("/key?key=a&value=yes", "`value` is 1"),
        ("/key?key=a&values=1", "no parameter \"values\""),
    ];
    for (path, mistake) in mistakes {
        let refused = api.ask("GET", path, ADMIN, "").await;
        assert_eq!(refused.status, 400, "{path}");
        let error = error(&refused);
        assert!(error.contains(mistake), "{path}: {error}");
    }
    let absent = api.ask("GET", "/key?key=a", READ, "").await;
    assert_eq!(
        (absent.status.as_u16(), &*error(&absent)),
        (404, "nothing is cached at \"a\"")
    );
}

#[tokio::test]
async fn a_value_is_shown_only_if_asked_for_and_only_to_administrators() {
    let described = |builder: cache_runtime::CacheBuilder| builder.codec(Codec::MessagePack);
    on_both_stores_with(described, |cache| async move {
        let api = Api::of(&cache).await;
        drawer(7).await;
        cache.scope(empty(1)).await;
        let hidden = api.ask("GET", "/key?key=drawers:7", ADMIN, "").await;
        assert!(!hidden.body.contains("secret"), "{}", hidden.body);
        let seen = json(&hidden);
        assert_eq!(
            (&seen["path"], &seen["kind"]),
            (&json!("drawers:7"), &json!("value"))
        );
        assert_eq!(seen["functions"], json!(["http::admin::keys::drawer"]));
        assert_eq!(seen["removed_by"], json!(["http::admin::keys::empty"]));
        assert_eq!((&seen["stale"], seen.get("value")), (&json!(false), None));
        let refused = api.ask("GET", "/key?key=drawers:7&value=1", READ, "").await;
        assert_eq!(refused.status, 403);
        assert!(error(&refused).contains("`Access::Admin`"));
        let shown = api
            .ask("GET", "/key?key=drawers:7&value=1", ADMIN, "")
            .await;
        assert_eq!(json(&shown)["value"], json!(["secret 7"]));
        let refused = api
            .ask("GET", "/key?key=drawers:7&value=raw", READ, "")
            .await;
        assert_eq!(refused.status, 403);
        let raw = api
            .ask("GET", "/key?key=drawers:7&value=raw", ADMIN, "")
            .await;
        assert_eq!(raw.field("content-type"), Some("application/octet-stream"));
        assert!(raw.body.contains("secret 7"), "{}", raw.body);
        let wrong = api
            .ask("GET", "/key?key=drawers:7&value=all", ADMIN, "")
            .await;
        assert_eq!(wrong.status, 400);
        assert!(error(&wrong).contains("`raw`"));
    })
    .await;
}

#[tokio::test]
async fn a_value_whose_codec_leaves_out_names_is_null() {
    on_both_stores_with(
        |builder| builder.codec(Codec::Postcard),
        |cache| async move {
            let api = Api::of(&cache).await;
            drawer(8).await;
            let entry = cache.inspect("drawers:8").await.unwrap().unwrap();
            let shown = json(
                &api.ask("GET", "/key?key=drawers:8&value=1", ADMIN, "")
                    .await,
            );
            // The memory store has the value itself.
            let expected = match entry.codec {
                Some(_) => Value::Null,
                None => json!(["secret 8"]),
            };
            assert_eq!(shown["value"], expected);
        },
    )
    .await;
}
