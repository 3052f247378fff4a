//! `GET /events`.

use axum::body::{Body, Bytes};
use axum::http::Response;
use cache_runtime::Cache;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tests::{on_both_stores, soon, until};

use super::{Api, READ, error};
use crate::support::request_with;

/// A client that reads events.
struct Reader {
    response: Response<Body>,
    text: String,
}

impl Reader {
    async fn open(api: &Api, query: &str) -> Self {
        let uri = api.server.uri(&format!("/deep/admin/cache/events{query}"));
        let request = request_with("GET", &uri, READ, "");
        let response = soon(api.client.request(request)).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut reader = Self {
            response: response.map(Body::new),
            text: String::new(),
        };
        // From here on, nothing is missed.
        assert_eq!(reader.block().await, ": watching");
        reader
    }

    /// Return the next block: a comment or an event.
    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let frame = soon(self.response.body_mut().frame())
                .await
                .expect("it goes on");
            let data: Bytes = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Return the next change of this kind.
    async fn change(&mut self, kind: &str) -> Value {
        loop {
            let block = self.block().await;
            let Some(event) = block.strip_prefix("event: ") else {
                continue;
            };
            let (name, data) = event.split_once("\ndata: ").unwrap();
            let change: Value = serde_json::from_str(data).unwrap();
            assert_eq!(change["kind"], name);
            if name == kind {
                return change;
            }
        }
    }
}

#[tokio::test]
async fn fills_and_removals_are_told_as_they_happen() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        let mut reader = Reader::open(&api, "?pattern=posts:*").await;
        let field = |name: &str| {
            reader
                .response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(field("content-type"), Some("text/event-stream"));
        assert_eq!(
            (field("cache-control"), field("content-length")),
            (Some("no-store"), None)
        );
        cache.set("other", &1, 60).await.unwrap();
        // A line break must not end an event.
        cache.set("posts:1\n\ndata: x", &1, 60).await.unwrap();
        let filled = reader.change("filled").await;
        assert_eq!(filled["path"], "posts:1\n\ndata: x");
        cache.delete_pattern("posts:*").await.unwrap();
        assert_eq!(reader.change("removed").await["path"], filled["path"]);
    })
    .await;
}

#[tokio::test]
async fn clients_are_bounded_and_one_that_leaves_makes_room() {
    let cache = Cache::builder().build().unwrap();
    let api = Api::of(&cache).await;
    let mut readers = Vec::new();
    for _ in 0..32 {
        readers.push(Reader::open(&api, "").await);
    }
    let refused = api.ask("GET", "/events", READ, "").await;
    assert_eq!(
        (refused.status.as_u16(), refused.field("retry-after")),
        (503, Some("10"))
    );
    assert!(error(&refused).contains("32 clients"));
    drop(readers.pop());
    let is_open = || async {
        let uri = api.server.uri("/deep/admin/cache/events");
        let request = request_with("GET", &uri, READ, "");
        soon(api.client.request(request)).await.unwrap().status() == 200
    };
    until("a place is free", is_open).await;
    // All see the change.
    cache.set("a", &1, 60).await.unwrap();
    for reader in &mut readers {
        assert_eq!(reader.change("filled").await["path"], "a");
    }
}

#[tokio::test]
async fn a_misspelt_parameter_is_refused_and_head_has_no_stream() {
    let api = Api::of(&Cache::builder().build().unwrap()).await;
    let wrong = api.ask("GET", "/events?patern=a", READ, "").await;
    assert_eq!(wrong.status, 400);
    let head = api.ask("HEAD", "/events", READ, "").await;
    assert_eq!((head.status.as_u16(), &*head.body), (200, ""));
    assert_eq!(head.field("content-type"), Some("text/event-stream"));
}
