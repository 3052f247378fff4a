//! The near cache in front of a cluster, where each node sends the invalidations of its own keys. A
//! plain connection that deletes a key plays the part of another process: a second cache of this
//! process would remove the near entry itself.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::{Commands, Connection};
use tests::{RedisCluster, until_well};

use crate::common::{calls, is_master, patient, until};

#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

impl Row {
    fn write(&self, value: u32) {
        self.0.store(value, Ordering::SeqCst);
    }
}

#[cacheable(key = "{<<tag>>}:rows", skip(row))]
async fn read(row: &Row, tag: &str) -> Arc<u32> {
    let _ = tag;
    Arc::new(row.0.load(Ordering::SeqCst))
}

#[invalidate(patterns = ["{<<tag>>}:*"])]
async fn update(row: &Row, tag: &str, value: u32) {
    let _ = tag;
    row.write(value);
}

fn cache_on(cluster: &RedisCluster) -> Cache {
    patient(cluster).near_cache(1 << 20).build().unwrap()
}

/// Return a hash tag whose keys are on this master.
fn tag_on(cluster: &RedisCluster, master: usize) -> String {
    (0..)
        .map(|tag: u32| tag.to_string())
        .find(|tag| cluster.owner(cluster.slot(tag)) == master)
        .unwrap()
}

fn key(tag: &str) -> String {
    format!("app:{{{tag}}}:rows")
}

/// Return the number of commands so far that read or fill entries.
fn asked(nodes: &mut [Connection]) -> u64 {
    let of = |node: &mut Connection| calls(node, "get") + calls(node, "evalsha");
    nodes.iter_mut().map(of).sum()
}

fn masters(cluster: &RedisCluster) -> Vec<Connection> {
    cluster
        .masters()
        .iter()
        .map(|node| node.connect())
        .collect()
}

/// Read until a read sends no command to any node.
async fn until_near(nodes: &mut [Connection], cache: &Cache, row: &Row, tag: &str) {
    let nodes = RefCell::new(nodes);
    let asked = || asked(&mut nodes.borrow_mut());
    until("a hit comes from the near cache", || async {
        let before = asked();
        cache.scope(read(row, tag)).await;
        asked() == before
    })
    .await;
}

/// Read until the value is the new one, and assert that it stays.
async fn until_fresh(cache: &Cache, row: &Row, tag: &str, value: u32) {
    until("the new value is read", || async {
        *cache.scope(read(row, tag)).await == value
    })
    .await;
    for _ in 0..20 {
        assert_eq!(*cache.scope(read(row, tag)).await, value);
    }
}

#[tokio::test]
async fn each_node_invalidates_near_entries_of_its_keys() {
    let cluster = RedisCluster::start();
    let (cache, row) = (cache_on(&cluster), Row::default());
    let mut nodes = masters(&cluster);
    let tags: Vec<String> = (0..3).map(|number| tag_on(&cluster, number)).collect();
    for round in 1..10 {
        for (number, tag) in tags.iter().enumerate() {
            until_near(&mut nodes, &cache, &row, tag).await;
            row.write(round);
            let deleted: u32 = nodes[number].del(key(tag)).unwrap();
            assert_eq!(deleted, 1);
            until_fresh(&cache, &row, tag, round).await;
        }
    }
    assert_eq!(cache.stats().errors, 0);
}

/// Invalidations by key and by pattern, also of entries that were read once.
#[tokio::test]
async fn a_cache_never_reads_the_old_value_after_its_own_invalidation() {
    let cluster = RedisCluster::start();
    let (cache, row) = (cache_on(&cluster), Row::default());
    let mut nodes = masters(&cluster);
    let tags: Vec<String> = (0..3).map(|number| tag_on(&cluster, number)).collect();
    for round in 1..30 {
        for tag in &tags {
            if round < 4 {
                until_near(&mut nodes, &cache, &row, tag).await;
            }
            cache.scope(update(&row, tag, round)).await;
            assert_eq!(*cache.scope(read(&row, tag)).await, round);
        }
    }
}

/// The near cache trusts the connections to all nodes together, because pushes of one node may be
/// lost with its connection.
#[tokio::test]
async fn the_end_of_one_connection_empties_the_near_cache_for_all_nodes() {
    let cluster = RedisCluster::start();
    let (cache, row) = (cache_on(&cluster), Row::default());
    let mut nodes = masters(&cluster);
    let tags: Vec<String> = (0..3).map(|number| tag_on(&cluster, number)).collect();
    for round in 1..10 {
        for tag in &tags {
            until_near(&mut nodes, &cache, &row, tag).await;
        }
        let killed = round as usize % 3;
        let mut list = redis::cmd("CLIENT");
        let clients: String = list.arg("LIST").query(&mut nodes[killed]).unwrap();
        let tracking = clients.lines().find(|client| client.contains(" flags=t"));
        let id = tracking.and_then(|client| client.split(['=', ' ']).nth(1));
        redis::cmd("CLIENT")
            .arg(&["KILL", "ID", id.expect("a connection tracks keys")])
            .exec(&mut nodes[killed])
            .unwrap();
        row.write(round);
        for (node, tag) in nodes.iter_mut().zip(&tags) {
            let _: () = node.del(key(tag)).unwrap();
        }
        for tag in &tags {
            until_fresh(&cache, &row, tag, round).await;
        }
    }
    assert_eq!(cache.stats().errors, 0, "no call failed");
}

/// The old node sends an invalidation when the key leaves it. The new node tracks the key from the
/// first read there.
#[tokio::test]
async fn a_near_entry_whose_slot_moves_is_still_invalidated() {
    let cluster = RedisCluster::start();
    let (cache, row) = (cache_on(&cluster), Row::default());
    let mut nodes = masters(&cluster);
    let (from, to) = (0, 1);
    let tag = tag_on(&cluster, from);
    let slot = cluster.slot(&tag);
    until_near(&mut nodes, &cache, &row, &tag).await;
    cluster.begin_move(slot, to);
    cluster.move_keys(slot, to);
    // Another process invalidates the key, which the old node redirects to the new one.
    row.write(1);
    let mut both = redis::pipe();
    both.cmd("ASKING").ignore().del(key(&tag));
    let (deleted,): (u32,) = both.query(&mut nodes[to]).unwrap();
    assert_eq!(deleted, 1, "the key was on the new node");
    until_fresh(&cache, &row, &tag, 1).await;
    cluster.move_keys(slot, to);
    cluster.end_move(slot, to);
    for round in 2..6 {
        until_near(&mut nodes, &cache, &row, &tag).await;
        row.write(round);
        let deleted: u32 = nodes[to].del(key(&tag)).unwrap();
        assert_eq!(deleted, 1);
        until_fresh(&cache, &row, &tag, round).await;
    }
    assert_eq!(cache.stats().errors, 0);
}

#[tokio::test]
async fn a_promoted_replica_invalidates_near_entries() {
    let mut cluster = RedisCluster::start_with_replicas();
    let (cache, row) = (cache_on(&cluster), Row::default());
    let tags: Vec<String> = (0..3).map(|number| tag_on(&cluster, number)).collect();
    let mut nodes = masters(&cluster);
    for tag in &tags {
        until_near(&mut nodes, &cache, &row, tag).await;
    }
    cluster.master_mut(0).kill();
    // The end of its connection emptied the near cache. No call is cached until the masters agree
    // again.
    row.write(1);
    until_fresh(&cache, &row, &tags[1], 1).await;
    nodes[0] = cluster.replica(0).connect();
    until("the replica is master", || {
        let took_over = is_master(&mut nodes[0]);
        async move { took_over }
    })
    .await;
    row.write(2);
    for (node, tag) in nodes.iter_mut().zip(&tags) {
        until("the node accepts commands", || {
            let deleted = node.del::<_, u32>(key(tag)).is_ok();
            async move { deleted }
        })
        .await;
    }
    until_well(&cache).await;
    for round in 3..6 {
        for (number, tag) in tags.iter().enumerate() {
            until_near(&mut nodes, &cache, &row, tag).await;
            row.write(round);
            let deleted: u32 = nodes[number].del(key(tag)).unwrap();
            assert_eq!(deleted, 1);
            until_fresh(&cache, &row, tag, round).await;
        }
    }
}
