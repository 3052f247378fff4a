//! The demo shows what it says.

use cache_runtime::Cache;
use graphql_example::demo;
use tests::on_both_stores;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_hits_what_it_can() {
    on_both_stores(async |cache: Cache| {
        let report = demo::run(&cache).await.unwrap();
        let costs: Vec<_> = report
            .0
            .iter()
            .map(|row| (row.hits, row.misses, row.removed, row.reads))
            .collect();
        let expected = [
            (0, 2, 0, 2),
            (2, 0, 0, 0),
            (1, 0, 0, 0),
            (0, 2, 0, 2),
            (1, 2, 0, 2),
            (2, 0, 0, 0),
            (0, 0, 0, 0),
            (0, 1, 0, 1),
            (1, 0, 0, 0),
            (0, 1, 0, 1),
            (0, 0, 2, 0),
            (0, 1, 0, 1),
            (0, 1, 0, 1),
            (1, 0, 0, 0),
            (0, 0, 1, 0),
            (0, 0, 0, 0),
            (0, 1, 0, 1),
        ];
        assert_eq!(costs, expected, "{report}");
    })
    .await;
}
