//! `Cache::watch` in a cluster.

use std::collections::BTreeSet;

use cache_runtime::{Cache, ChangeKind};
use tests::{PATIENCE, RedisCluster, soon};

#[tokio::test]
async fn the_changes_of_all_masters_are_told() {
    let cluster = RedisCluster::start();
    let builder = Cache::builder().prefix("quickpost");
    let builder = builder.redis_cluster(cluster.urls());
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    let mut watch = cache.watch("posts:*").await.unwrap();
    let paths: BTreeSet<String> = (0..30).map(|id| format!("posts:{id}")).collect();
    let entries = paths.iter().map(|path| (path.as_str(), 1));
    cache.set_many(entries, 600).await.unwrap();
    for (wanted, done) in [(ChangeKind::Filled, false), (ChangeKind::Removed, true)] {
        let mut told = BTreeSet::new();
        while told.len() < paths.len() {
            let change = soon(watch.next()).await.unwrap();
            if change.kind == wanted {
                told.insert(change.path.unwrap());
            }
        }
        assert_eq!(told, paths);
        if !done {
            cache.delete_pattern("posts:*").await.unwrap();
        }
    }
}
