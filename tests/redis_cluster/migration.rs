//! While a slot moves, its keys are on two nodes, and each command is sent to the right one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{RedisCluster, Turnstile};

use crate::common::{TTL, cache_on, settled, until};

#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

#[cacheable(key = "{t}:rows:<<id>>", skip(row))]
async fn read(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["{t}:rows:<<id>>"])]
async fn write(row: &Row, id: u32) -> u32 {
    let _ = id;
    row.0.fetch_add(1, Ordering::SeqCst) + 1
}

#[invalidate(patterns = ["{t}:rows:*"])]
async fn write_all(row: &Row) -> u32 {
    row.0.fetch_add(1, Ordering::SeqCst) + 1
}

/// Return the slot of the keys of these tests, its owner, and the master that it moves to.
fn slot_and_target(cluster: &RedisCluster) -> (u16, usize, usize) {
    let slot = cluster.slot("app:{t}:rows:0");
    let from = cluster.owner(slot);
    (slot, from, (from + 1) % 3)
}

/// Half of the keys are on the new node already, and new keys are stored there.
#[tokio::test]
async fn keys_on_both_nodes_are_read_stored_and_invalidated_while_a_slot_moves() {
    let cluster = RedisCluster::start();
    let (cache, other) = (cache_on(&cluster), cache_on(&cluster));
    let (slot, from, to) = slot_and_target(&cluster);
    let row = Row::default();
    settled(&cache).await;
    for id in 0..10 {
        cache.scope(read(&row, id)).await;
    }
    // The new node has not loaded the scripts.
    let _: () = redis::cmd("SCRIPT")
        .arg("FLUSH")
        .query(&mut cluster.masters()[to].connect())
        .unwrap();
    cluster.begin_move(slot, to);
    let half: Vec<String> = (0..5).map(|id| format!("app:{{t}}:rows:{id}")).collect();
    cluster.move_these(slot, to, &half);
    let held = |number: usize| {
        let mut redis = cluster.masters()[number].connect();
        redis.keys::<_, Vec<String>>("app:{t}:*").unwrap().len()
    };
    assert_eq!((held(from), held(to)), (5, 5));
    let hits = cache.stats().hits;
    for id in 0..10 {
        assert_eq!(cache.scope(read(&row, id)).await, 0);
    }
    assert_eq!(cache.stats().hits, hits + 10);
    for id in [2, 7] {
        other.scope(write(&row, id)).await;
    }
    assert_eq!(other.stats().invalidated, 2);
    for id in [2, 7, 20] {
        assert_eq!(cache.scope(read(&row, id)).await, 2, "recomputed");
    }
    assert_eq!(
        (held(from), held(to)),
        (4, 7),
        "new entries are stored on the new node"
    );
    other.scope(write_all(&row)).await;
    assert_eq!(other.stats().invalidated, 2 + 11);
    assert_eq!((held(from), held(to)), (0, 0));
    for id in 0..10 {
        assert_eq!(cache.scope(read(&row, id)).await, 3);
    }
    cluster.move_keys(slot, to);
    cluster.end_move(slot, to);
    for id in 0..10 {
        assert_eq!(other.scope(read(&row, id)).await, 3);
    }
    other.scope(write_all(&row)).await;
    assert_eq!(other.stats().invalidated, 13 + 10);
    assert_eq!(cache.scope(read(&row, 1)).await, 4);
    let stats = [cache.stats(), other.stats()];
    assert_eq!(stats.map(|stats| stats.errors), [0, 0], "not an outage");
}

#[cacheable(key = "{t}:slow:<<id>>", skip(gate))]
async fn slow(gate: &Turnstile, id: u32) -> u32 {
    let _ = id;
    gate.pass().await
}

fn started(cache: &Cache, gate: &Turnstile, id: u32) -> tokio::task::JoinHandle<u32> {
    let gate = gate.clone();
    tokio::spawn(cache.scope(async move { slow(&gate, id).await }))
}

/// The lease moves with its slot while the body runs. The fill and an invalidation find it on the
/// new node.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_moves_with_its_slot_is_filled_or_invalidated() {
    let cluster = RedisCluster::start();
    let (a, b) = (cache_on(&cluster), cache_on(&cluster));
    let (slot, from, to) = slot_and_target(&cluster);
    for (id, invalidated) in [(1, false), (2, true)] {
        let gate = Turnstile::new();
        let reader = started(&a, &gate, id);
        gate.entered().await;
        cluster.move_slot(slot, if invalidated { from } else { to });
        if invalidated {
            b.delete_pattern("*:slow:*").await.unwrap();
        }
        gate.let_through(1);
        assert_eq!(reader.await.unwrap(), 1);
        let stored = b.get::<u32>(&format!("{{t}}:slow:{id}")).await.unwrap();
        assert_eq!(stored, (!invalidated).then_some(1));
    }
    assert_eq!(a.stats().errors, 0);
}

#[tokio::test]
async fn patterns_delete_all_matches_while_index_sets_move() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    for id in 0..100 {
        let key = format!("user-{id}:cart");
        cache.set(&key, &id, TTL).await.unwrap();
    }
    for number in 0..16 {
        let slot = cluster.slot(&format!("app#index:{number}"));
        let to = (cluster.owner(slot) + 1) % 3;
        match number % 2 {
            0 => cluster.move_slot(slot, to),
            _ => cluster.begin_move(slot, to),
        }
    }
    assert_eq!(cache.delete_pattern("user-1?:*").await.unwrap(), 10);
    assert_eq!(cache.delete_pattern("user-7:*").await.unwrap(), 1);
    assert_eq!(cache.delete_pattern("*:cart").await.unwrap(), 89);
    assert_eq!(cache.stats().errors, 0);
}

/// A new master has no slots at first, so no slot map names it. Once it owns a slot, the set of
/// masters has changed: acknowledged invalidations are replayed, and the index is rebuilt.
#[tokio::test]
async fn a_new_master_is_used_once_it_owns_a_slot() {
    let cluster = RedisCluster::start_with_newcomer();
    let cache = cache_on(&cluster);
    let slot = cluster.slot("app:{t}:rows:0");
    let row = Row::default();
    for id in 0..10 {
        cache.scope(read(&row, id)).await;
    }
    cluster.begin_move(slot, 3);
    for id in 10..20 {
        assert_eq!(cache.scope(read(&row, id)).await, 0);
    }
    assert_eq!(cache.stats().errors, 0, "the new node loaded the scripts");
    cluster.move_keys(slot, 3);
    cluster.end_move(slot, 3);
    cache.scope(write_all(&row)).await;
    until("the row is cached again", || async {
        assert_eq!(cache.scope(read(&row, 1)).await, 1);
        matches!(cache.get::<u32>("{t}:rows:1").await, Ok(Some(1)))
    })
    .await;
    assert!(cache.delete_pattern("{t}:*").await.unwrap() >= 1);
    assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
}
