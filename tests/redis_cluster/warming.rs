//! Warmers on a cluster.

use cache_runtime::{Cache, CacheError, Warm, WarmOutcome, Warmer, cacheable};
use tests::{Gate, RedisCluster};

use crate::common::cache_on;

#[cacheable(key = "topics:<<id>>", ttl = 600)]
async fn topic(id: u32) -> String {
    format!("topic {id}")
}

/// Return a warmer of topics on all nodes, which waits for the gate after them.
fn topics(gate: &Gate) -> Warmer {
    let gate = gate.clone();
    Warmer::new("topics", move |warm: Warm| {
        let gate = gate.clone();
        async move {
            warm.each(0..60, topic).await;
            gate.pass().await;
        }
    })
}

#[tokio::test]
async fn one_cache_warms_all_nodes_and_another_one_finds_the_entries_fresh() {
    let cluster = RedisCluster::start();
    let (first, second): (Cache, Cache) = (cache_on(&cluster), cache_on(&cluster));
    let gate = Gate::new();
    first.add_warmer(topics(&gate)).unwrap();
    second.add_warmer(topics(&gate)).unwrap();
    let running = tokio::spawn({
        let first = first.clone();
        async move { first.warm("topics", vec![]).await.unwrap() }
    });
    gate.reached_by(1).await;
    let busy = second.warm("topics", vec![]).await.unwrap_err();
    assert!(matches!(busy, CacheError::WarmerBusy { .. }), "{busy}");
    gate.open();
    let report = running.await.unwrap();
    assert_eq!(report.outcome, WarmOutcome::Complete);
    assert_eq!((report.counts.computed, report.counts.fresh), (60, 0));
    let report = second.warm("topics", vec![]).await.unwrap();
    assert_eq!((report.counts.computed, report.counts.fresh), (0, 60));
    assert_eq!(cluster.keys("app:topics:*").len(), 60);
    assert_eq!(second.delete_pattern("topics:*").await.unwrap(), 60);
    let report = second.warm("topics", vec!["again".to_owned()]).await;
    assert_eq!(report.unwrap().counts.computed, 60);
}
