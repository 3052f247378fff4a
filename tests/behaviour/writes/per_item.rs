//! Patterns with `..`: one for each value.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cache_runtime::{Cache, invalidate, topology};
use tests::{Gate, begin_to_wait, on_both_stores, until};

const KEYS: [&str; 6] = [
    "items:1",
    "items:1:comments",
    "items:2",
    "items:3",
    "items:10",
    "items:list",
];

async fn fill(cache: &Cache) {
    cache.set_many(KEYS.map(|key| (key, 1)), 600).await.unwrap();
}

async fn left(cache: &Cache) -> Vec<&'static str> {
    let found = cache.get_many::<i32>(KEYS).await.unwrap();
    let left = KEYS.into_iter().zip(found);
    left.filter_map(|(key, found)| found.map(|_| key)).collect()
}

#[invalidate(patterns = ["items:<<ids..>>:*"])]
async fn write_slice(ids: &[u32]) -> usize {
    ids.len()
}

#[invalidate(patterns = ["items:{{ids..}}:*", "items:list"])]
async fn write_vec(ids: Vec<String>) -> Vec<String> {
    ids
}

#[invalidate(patterns = ["items:<<ids.iter().filter(|id| **id > 1)..>>"])]
fn write_iterator(ids: &BTreeSet<u32>) {
    let _ = ids;
}

#[invalidate(patterns = ["<<kind>>:<<result.1..>>"])]
async fn write_result(kind: &str, ids: &[u32]) -> Result<(u8, Vec<u32>), String> {
    match ids {
        [] => Err("nothing".to_owned()),
        ids => Ok((0, ids.to_vec())),
    }
}

#[tokio::test]
async fn one_pattern_for_each_item() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        assert_eq!(write_slice(&[1, 3, 3, 77]).await, 4);
        assert_eq!(left(&cache).await, ["items:2", "items:10", "items:list"]);
        fill(&cache).await;
        write_vec(vec!["10".to_owned(), "*".to_owned()]).await;
        assert_eq!(
            left(&cache).await,
            ["items:1", "items:1:comments", "items:2", "items:3"],
            "a wildcard in a value is escaped"
        );
        fill(&cache).await;
        tokio::task::spawn_blocking({
            let cache = cache.clone();
            move || cache.scope_sync(|| write_iterator(&BTreeSet::from([1, 2, 3])))
        })
        .await
        .unwrap();
        assert_eq!(
            left(&cache).await,
            ["items:1", "items:1:comments", "items:10", "items:list"]
        );
    })
    .await;
}

#[tokio::test]
async fn without_items_there_is_no_pattern() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        write_slice(&[]).await;
        assert_eq!(left(&cache).await, KEYS);
        write_vec(Vec::new()).await;
        assert_eq!(left(&cache).await, KEYS[..5], "the other pattern stays");
    })
    .await;
}

#[tokio::test]
async fn items_of_the_returned_value() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        write_result("items", &[2, 10]).await.unwrap();
        assert_eq!(
            left(&cache).await,
            ["items:1", "items:1:comments", "items:3", "items:list"]
        );
        fill(&cache).await;
        write_result("items", &[]).await.unwrap_err();
        assert_eq!(left(&cache).await, KEYS);
    })
    .await;
}

/// The value of another placeholder in each pattern, known only after the body.
#[invalidate(patterns = ["items:<<ids..>>:<<result>>", "items:<<result>>"])]
async fn write_both(ids: [u32; 2]) -> Option<String> {
    (ids[0] > 0).then(|| "comments".to_owned())
}

#[tokio::test]
async fn items_beside_the_returned_value() {
    on_both_stores(|cache| async move {
        cache.set("items:comments", &1, 60).await.unwrap();
        fill(&cache).await;
        write_both([2, 1]).await.unwrap();
        assert!(!cache.exists("items:comments").await.unwrap());
        assert_eq!(
            left(&cache).await,
            ["items:1", "items:2", "items:3", "items:10", "items:list"]
        );
        fill(&cache).await;
        assert_eq!(write_both([0, 1]).await, None);
        assert_eq!(left(&cache).await, KEYS);
    })
    .await;
}

#[invalidate(patterns = ["items:<<ids..>>", "items:list:<<result..>>"])]
async fn write_pending(gate: &Gate, ids: &[u32]) -> Vec<u32> {
    gate.pass().await;
    ids.to_vec()
}

/// The outcome of a write that was dropped isn't known, so `result` becomes `*`.
#[tokio::test]
async fn a_dropped_write_invalidates_its_items() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        cache.set("items:list:9", &1, 60).await.unwrap();
        let gate = Gate::new();
        let mut write = Box::pin(write_pending(&gate, &[1, 2]));
        begin_to_wait(&cache, &mut write).await;
        drop(write);
        for key in ["items:1", "items:2", "items:list:9"] {
            until("the key is gone", || async {
                !cache.exists(key).await.unwrap()
            })
            .await;
        }
        assert_eq!(
            left(&cache).await,
            ["items:1:comments", "items:3", "items:10"],
            "the list goes with `items:list:*`"
        );
    })
    .await;
}

#[invalidate(patterns = ["items:<<ids..>>"])]
async fn write_set(ids: HashSet<u32>) {
    drop(ids);
}

#[invalidate(patterns = ["items:<<id..>>"])]
async fn write_option(id: Option<&str>) {
    let _ = id;
}

#[invalidate(patterns = ["items:<<ids..>>"])]
async fn write_shared(ids: Arc<[u64]>) {
    drop(ids);
}

#[invalidate(patterns = ["items:<<ids..>>"])]
async fn write_texts(ids: &Vec<&str>) {
    let _ = ids;
}

#[invalidate(patterns = ["items:<<range.clone()..>>"])]
async fn write_range(range: std::ops::Range<u8>) {
    let _ = range;
}

#[tokio::test]
async fn every_collection() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        write_set(HashSet::from([1])).await;
        write_option(None).await;
        write_option(Some("2")).await;
        assert_eq!(
            left(&cache).await,
            ["items:1:comments", "items:3", "items:10", "items:list"]
        );
        write_shared(Arc::from([3])).await;
        write_texts(&vec!["10"]).await;
        assert_eq!(left(&cache).await, ["items:1:comments", "items:list"]);
        fill(&cache).await;
        write_range(1..4).await;
        assert_eq!(
            left(&cache).await,
            ["items:1:comments", "items:10", "items:list"]
        );
    })
    .await;
}

/// A fill that began before such a write is refused, as after any other write.
#[tokio::test]
async fn a_computation_from_before_is_not_stored() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let reader = tokio::spawn({
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.get_or_set("items:2", 60, || gate.pass()).await }
        });
        gate.reached_by(1).await;
        write_slice(&[1, 2]).await;
        gate.open();
        reader.await.unwrap();
        assert!(!cache.exists("items:2").await.unwrap());
    })
    .await;
}

#[test]
fn the_topology_shows_it_as_a_placeholder() {
    let topology = topology();
    let shown = topology.writes.iter().flat_map(|write| &write.patterns);
    assert!(shown.clone().any(|pattern| pattern.contains("ids..")));
}
