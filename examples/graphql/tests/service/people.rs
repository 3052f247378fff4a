//! People are loaded in batches, and each is cached.

use cache_runtime::Cache;
use serde_json::json;
use tests::on_both_stores;

use crate::harness::{Service, hits_and_misses};

/// On one thread the loader can't begin a batch before all fields of the request are in it.
#[tokio::test]
async fn a_batch_is_one_query_and_asks_only_for_people_who_are_not_cached() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        // Ada and Grace, who posted three errands.
        service.data("ada", "{ errands { poster { name } } }").await;
        assert_eq!(hits_and_misses(&cache, "people"), (0, 2));
        assert_eq!(service.db.reads(), 2);
        // Grace again, and Lin.
        let escrows = "{ myEscrows { runner { name } } }";
        let expected = json!([{ "runner": { "name": "Grace" } }, { "runner": { "name": "Lin" } }]);
        assert_eq!(service.data("grace", escrows).await["myEscrows"], expected);
        assert_eq!(hits_and_misses(&cache, "people"), (1, 3));
        assert_eq!(service.db.reads(), 4);
        // All of them.
        service.data("grace", escrows).await;
        assert_eq!(hits_and_misses(&cache, "people"), (3, 3));
        assert_eq!(service.db.reads(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_removes_one_person_and_no_errand() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let query = "{ errands { poster { name } } }";
        service.data("ada", query).await;
        let rename = "mutation { rename(name: \"Grace M. Hopper\") { name } }";
        service.data("grace", rename).await;
        assert_eq!(cache.stats().invalidated, 1);
        let errands = service.data("ada", query).await["errands"].clone();
        assert_eq!(errands[1]["poster"]["name"], "Grace M. Hopper");
        assert_eq!(hits_and_misses(&cache, "errands"), (1, 1));
        assert_eq!(hits_and_misses(&cache, "people"), (1, 3));
    })
    .await;
}
