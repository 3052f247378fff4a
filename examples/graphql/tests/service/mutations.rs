//! The query after a mutation is fresh.

use cache_runtime::{Cache, topology};
use serde_json::json;
use tests::on_both_stores;

use crate::harness::{Service, hits_and_misses};

const VIEWERS: [&str; 3] = ["ada", "grace", "lin"];

/// Reads all that a viewer can see.
const ALL: &str = "{
    errands { id title reward status poster { name } }
    open: errands(status: OPEN) { id }
    done: errands(status: DONE, first: 1) { id }
    one: errand(id: 1) { status } two: errand(id: 2) { status } three: errand(id: 3) { status }
    four: errand(id: 4) { title poster { name } }
    myEscrows { id amount state errand { title status } payer { name } runner { name } }
    banks(country: \"NG\") { code name }
}";

/// Mutations in an order in which all succeed, with the viewer who sends each. Most select fields
/// that are cached and that the mutation changes.
const MUTATIONS: [(&str, &str); 6] = [
    (
        "grace",
        "mutation { createErrand(title: \"Write a compiler\", reward: 50) { id poster { name } } }",
    ),
    (
        "ada",
        "mutation { fundEscrow(errand: 3, runner: 3) { id errand { status } runner { name } } }",
    ),
    ("lin", "mutation { completeErrand(id: 3) { status } }"),
    ("ada", "mutation { releaseEscrow(id: 3) { state } }"),
    (
        "ada",
        "mutation { releaseEscrow(id: 1) { state payer { name } } }",
    ),
    ("lin", "mutation { rename(name: \"Lin Lanying\") { name } }"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_that_of_a_service_without_a_cache() {
    on_both_stores(async |cache: Cache| {
        let cached = Service::start(&cache).await;
        let off = Cache::builder().enabled(false).build().unwrap();
        let uncached = Service::start(&off).await;
        for (sender, mutation) in MUTATIONS {
            // Twice, so that each value is cached before the mutation.
            for viewer in VIEWERS.into_iter().chain(VIEWERS) {
                let expected = uncached.data(viewer, ALL).await;
                assert_eq!(cached.data(viewer, ALL).await, expected, "{viewer}");
            }
            let expected = uncached.data(sender, mutation).await;
            assert_eq!(cached.data(sender, mutation).await, expected, "{mutation}");
            for viewer in VIEWERS {
                let expected = uncached.data(viewer, ALL).await;
                assert_eq!(
                    cached.data(viewer, ALL).await,
                    expected,
                    "{mutation}, {viewer}"
                );
            }
        }
        assert!(cached.db.reads() < uncached.db.reads() / 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_removes_what_it_changes_and_nothing_else() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        for viewer in VIEWERS {
            service.data(viewer, ALL).await;
        }
        cache.reset_stats();
        // Between Ada and Grace: Lin's escrows stay.
        let release = "mutation { releaseEscrow(id: 1) { state } }";
        service.data("ada", release).await;
        assert_eq!(cache.stats().invalidated, 2);
        for viewer in VIEWERS {
            service.data(viewer, ALL).await;
        }
        assert_eq!(hits_and_misses(&cache, "user_escrows"), (1, 2));
        assert_eq!(hits_and_misses(&cache, "errands"), (9, 0));
        assert_eq!(hits_and_misses(&cache, "banks"), (3, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_that_fails_removes_nothing() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        service.data("grace", ALL).await;
        for mutation in [
            "mutation { releaseEscrow(id: 1) { id } }",
            "mutation { completeErrand(id: 1) { id } }",
            "mutation { fundEscrow(errand: 99, runner: 1) { id } }",
        ] {
            service.error(Some("grace"), mutation).await;
            service.error(None, mutation).await;
        }
        assert_eq!(cache.stats().invalidated, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_errand_is_found_by_its_id_at_once() {
    on_both_stores(async |cache: Cache| {
        let service = Service::start(&cache).await;
        let find = "{ errand(id: 4) { title } }";
        assert_eq!(service.data("ada", find).await, json!({ "errand": null }));
        let create = "mutation { createErrand(title: \"Sleep\", reward: 0) { id } }";
        let created = json!({ "createErrand": { "id": 4 } });
        assert_eq!(service.data("ada", create).await, created);
        let found = json!({ "errand": { "title": "Sleep" } });
        assert_eq!(service.data("ada", find).await, found);
    })
    .await;
}

#[test]
fn every_pattern_reaches_a_template() {
    // The schema is linked into this program.
    let _ = graphql_example::schema;
    let dead = topology().dead_patterns();
    assert!(dead.is_empty(), "{dead:?}");
    let forgotten = topology().never_invalidated().into_iter();
    let of_the_service = forgotten.filter(|read| read.module.starts_with("graphql_example"));
    let forgotten: Vec<_> = of_the_service.map(|read| read.function).collect();
    assert_eq!(forgotten, ["banks"]);
}
