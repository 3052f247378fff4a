//! Which entries viewers share, and which they don't.

use std::sync::Arc;

use cache_runtime::Cache;
use serde_json::{Value, json};
use tests::on_both_stores;
use tokio::task::JoinSet;

use crate::harness::{Service, hits_and_misses};

const ESCROWS: &str = "{ myEscrows { id } }";

/// Return the escrows of each viewer in the sample data.
fn expected() -> [(&'static str, Value); 3] {
    [
        ("ada", json!({ "myEscrows": [{ "id": 1 }] })),
        ("grace", json!({ "myEscrows": [{ "id": 1 }, { "id": 2 }] })),
        ("lin", json!({ "myEscrows": [{ "id": 2 }] })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_never_share_their_escrows() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        for _ in 0..3 {
            for (viewer, escrows) in expected() {
                assert_eq!(service.data(viewer, ESCROWS).await, escrows, "{viewer}");
            }
        }
        assert_eq!(hits_and_misses(&cache, "user_escrows"), (6, 3));
        assert_eq!(service.db.reads(), 3);
    })
    .await;
}

/// Computations that run at the same time aren't shared either.
#[tokio::test(flavor = "multi_thread")]
async fn viewers_who_ask_at_the_same_time_never_share_their_escrows() {
    on_both_stores(async |cache: Cache| {
        let service = Arc::new(Service::start(&cache).await);
        let mut requests = JoinSet::new();
        for (viewer, escrows) in expected().into_iter().cycle().take(60) {
            let service = Arc::clone(&service);
            requests.spawn(async move {
                assert_eq!(service.data(viewer, ESCROWS).await, escrows, "{viewer}");
            });
        }
        while let Some(done) = requests.join_next().await {
            done.unwrap();
        }
        assert_eq!(service.db.reads(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_refused_whatever_is_cached() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        for _ in 0..2 {
            let message = service.error(None, ESCROWS).await;
            assert!(message.contains("sign in"), "{message}");
            service.data("ada", ESCROWS).await;
        }
        assert_eq!(service.send(Some("mallory"), ESCROWS).await.status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_viewers_share_the_lists() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let lists = "{ errands { title } banks(country: \"GH\") { name } }";
        let first = service.data("ada", lists).await;
        assert_eq!(service.data("grace", lists).await, first);
        let visitor = service.send(None, lists).await;
        assert_eq!(visitor.body["data"], first);
        assert_eq!(hits_and_misses(&cache, "errands"), (2, 1));
        assert_eq!(hits_and_misses(&cache, "banks"), (2, 1));
        // Each country and each filter has an entry of its own.
        let other = "{ errands(status: DONE) { title } banks(country: \"NG\") { name } }";
        let other = service.data("ada", other).await;
        assert_eq!(
            other["errands"],
            json!([{ "title": "Fetch the punch cards" }])
        );
        assert_eq!(other["banks"][0]["name"], "Access Bank");
    })
    .await;
}

/// The entry has all fields of the type, whichever the first request selected.
#[tokio::test(flavor = "multi_thread")]
async fn a_hit_has_the_fields_that_an_earlier_request_did_not_select() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        service
            .data("ada", "{ errands(status: OPEN) { id } }")
            .await;
        let all = "{ errands(status: OPEN) { id title reward status poster { name } } }";
        let expected = json!({ "errands": [{
            "id": 3,
            "title": "Water the plants",
            "reward": 10,
            "status": "OPEN",
            "poster": { "name": "Ada" },
        }] });
        assert_eq!(service.data("lin", all).await, expected);
        assert_eq!(hits_and_misses(&cache, "errands"), (1, 1));
    })
    .await;
}
