//! Errors aren't cached.

use cache_runtime::Cache;
use serde_json::{Value, json};
use tests::on_both_stores;

use crate::harness::{Service, hits_and_misses};

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_not_cached() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let query = "{ banks(country: \"GH\") { code } }";
        service.db.set_down(true);
        for _ in 0..2 {
            assert_eq!(
                service.error(Some("ada"), query).await,
                "the database is down"
            );
        }
        service.db.set_down(false);
        let expected = json!({ "banks": [{ "code": "130" }] });
        assert_eq!(service.data("ada", query).await, expected);
        assert_eq!(service.data("ada", query).await, expected);
        assert_eq!(hits_and_misses(&cache, "banks"), (1, 3));
    })
    .await;
}

/// The response has both, and only the list is cached.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_one_field_leaves_the_others_cached() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let query = "{ errands(status: OPEN) { title poster { name } } }";
        service
            .data("ada", "{ errands(status: OPEN) { id } }")
            .await;
        service.db.set_down(true);
        let response = service.send(Some("ada"), query).await;
        assert_eq!(response.status, 200);
        let errand = &response.body["data"]["errands"][0];
        assert_eq!(errand["title"], "Water the plants");
        assert_eq!(errand["poster"], Value::Null);
        let message = &response.body["errors"][0]["message"];
        assert_eq!(message, "the database is down");
        service.db.set_down(false);
        let data = service.data("ada", query).await;
        assert_eq!(data["errands"][0]["poster"]["name"], "Ada");
        assert_eq!(hits_and_misses(&cache, "errands"), (2, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_needs_no_database() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let query = "{ myEscrows { amount errand { title } runner { name } } }";
        let before = service.data("grace", query).await;
        service.db.set_down(true);
        assert_eq!(service.data("grace", query).await, before);
    })
    .await;
}
