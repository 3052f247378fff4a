//! Annotated functions, whose keys, leases and sets are on three nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Commands;
use tests::{RedisCluster, Turnstile};

use crate::common::{cache_on, calls, members, patient, until};

#[derive(Clone, Default)]
struct Table {
    version: Arc<AtomicU32>,
    runs: Arc<AtomicU32>,
}

impl Table {
    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "rows:<<id>>", skip(table))]
async fn read(table: &Table, id: u32) -> u32 {
    let _ = id;
    table.runs.fetch_add(1, Ordering::SeqCst);
    table.version.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn write(table: &Table, id: u32) -> u32 {
    let _ = id;
    table.version.fetch_add(1, Ordering::SeqCst) + 1
}

#[invalidate(patterns = ["rows:*"])]
async fn write_all(table: &Table) -> u32 {
    table.version.fetch_add(1, Ordering::SeqCst) + 1
}

/// Reads through, and changes what others have read.
#[cacheable(key = "views:<<id>>", skip(table))]
#[invalidate(patterns = ["rows:<<id>>"])]
async fn touch(table: &Table, id: u32) -> u32 {
    let _ = id;
    table.version.fetch_add(1, Ordering::SeqCst) + 1
}

#[tokio::test]
async fn misses_hits_and_invalidations_on_every_node() {
    let cluster = RedisCluster::start();
    let (a, b) = (cache_on(&cluster), cache_on(&cluster));
    let table = Table::default();
    for id in 0..30 {
        assert_eq!(a.scope(read(&table, id)).await, 0);
        assert_eq!(b.scope(read(&table, id)).await, 0, "another process hits");
    }
    assert_eq!(table.runs(), 30);
    b.scope(write(&table, 7)).await;
    assert_eq!(a.scope(read(&table, 7)).await, 1);
    assert_eq!(a.scope(read(&table, 8)).await, 0, "the others stand");
    assert_eq!(b.stats().invalidated, 1);
    b.scope(write_all(&table)).await;
    assert_eq!(b.stats().invalidated, 1 + 30, "counted exactly");
    for id in 0..30 {
        assert_eq!(a.scope(read(&table, id)).await, 2);
    }
}

#[tokio::test]
async fn a_read_that_invalidates_does_both() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let table = Table::default();
    cache
        .scope(async {
            assert_eq!(read(&table, 1).await, 0);
            assert_eq!(touch(&table, 1).await, 1);
            assert_eq!(read(&table, 1).await, 1);
            assert_eq!(touch(&table, 1).await, 1, "from the cache");
        })
        .await;
    assert_eq!(table.version.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refresh_leaves_one_member_that_counts() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let table = Table::default();
    for version in 0..20 {
        table.version.store(version, Ordering::SeqCst);
        assert_eq!(cache.scope(read_refresh(&table, 1)).await, version);
        assert_eq!(cache.scope(read(&table, 1)).await, version);
    }
    assert_eq!(cache.delete_pattern("rows:*").await.unwrap(), 1);
    assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
}

#[cacheable(key = "slow:<<id>>:page", skip(gate))]
async fn slow(gate: &Turnstile, id: u32) -> u32 {
    gate.pass().await
}

fn started(cache: &Cache, gate: &Turnstile, id: u32) -> tokio::task::JoinHandle<u32> {
    let gate = gate.clone();
    tokio::spawn(cache.scope(async move { slow(&gate, id).await }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_herd_in_two_processes_computes_once() {
    let cluster = RedisCluster::start();
    let caches = [cache_on(&cluster), cache_on(&cluster)];
    let gate = Turnstile::new();
    let callers: Vec<_> = (0..60)
        .map(|number| started(&caches[number % 2], &gate, 1))
        .collect();
    gate.entered().await;
    let key = "app:slow:1:page";
    until("all have looked", || async {
        calls(&mut cluster.connect_for(key), "get") >= 60
    })
    .await;
    gate.let_through(100);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(gate.runs.count(), 1);
}

/// The lease is on one node, its member on another, and the pattern comes by way of the latter.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_invalidation_overtook_is_filled() {
    let cluster = RedisCluster::start();
    let (a, b) = (cache_on(&cluster), cache_on(&cluster));
    for pattern in ["slow:*", "slow:<id>:*", "*:page", "slow:<id>:page"] {
        for id in 0..6 {
            let gate = Turnstile::new();
            let stale = started(&a, &gate, id);
            gate.entered().await;
            let pattern = pattern.replace("<id>", &id.to_string());
            assert_eq!(b.delete_pattern(&pattern).await.unwrap(), 0, "no value");
            // Who comes now must not join the flight from before.
            let fresh = started(&a, &gate, id);
            gate.entered().await;
            gate.let_through(2);
            assert_eq!(stale.await.unwrap(), 1);
            assert_eq!(fresh.await.unwrap(), 2);
            let stored = b.get::<u32>(&format!("slow:{id}:page")).await.unwrap();
            assert_eq!(stored, Some(2), "{pattern}: only the later one");
            b.clear().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_dead_holder_delays_nobody_for_long() {
    let cluster = RedisCluster::start();
    let lease = Duration::from_millis(400);
    let cache = patient(&cluster).lease_ttl(lease).build().unwrap();
    // As a process that dies in its body leaves it: a lease with a lifetime, which nobody renews.
    let gate = Turnstile::new();
    let holder = started(&cache, &gate, 1);
    gate.entered().await;
    let key = "app:slow:1:page";
    let bytes: Vec<u8> = cluster.connect_for(key).get(key).unwrap();
    gate.let_through(1);
    holder.await.unwrap();
    let mut foreign = bytes;
    foreign[8] ^= 0xFF;
    let _: () = cluster.connect_for(key).pset_ex(key, foreign, 400).unwrap();
    gate.let_through(1);
    let begun = Instant::now();
    assert_eq!(started(&cache, &gate, 1).await.unwrap(), 2);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[cacheable(key = "{<<user>>}:cart", skip(runs))]
async fn cart(runs: &AtomicU32, user: &str) -> u32 {
    let _ = user;
    runs.fetch_add(1, Ordering::SeqCst)
}

#[cacheable(key = "{<<user>>}:orders:<<page>>", skip(runs))]
async fn orders(runs: &AtomicU32, user: &str, page: u32) -> u32 {
    let _ = (user, page);
    runs.fetch_add(1, Ordering::SeqCst)
}

#[invalidate(patterns = ["{<<user>>}:*"])]
async fn forget(user: &str) {
    let _ = user;
}

#[tokio::test]
async fn a_hash_tag_puts_the_keys_of_one_user_on_one_node() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let runs = AtomicU32::new(0);
    // The second would leave its braces, and the third widen the pattern, if they were not escaped.
    let users = ["42", "4}2{", "*", "}", "ü"];
    cache
        .scope(async {
            for user in users {
                cart(&runs, user).await;
                for page in 0..3 {
                    orders(&runs, user, page).await;
                }
            }
        })
        .await;
    assert!(cluster.keys("app:{42}:cart").len() == 1);
    let mut slots: Vec<u16> = Vec::new();
    for user in users {
        let keys = cache.scope(async {
            [
                cart_cache_key(&runs, user),
                orders_cache_key(&runs, user, 0),
                orders_cache_key(&runs, user, 1),
            ]
        });
        let keys = keys.await;
        let of_user: Vec<u16> = keys.iter().map(|key| cluster.slot(key)).collect();
        assert!(of_user.iter().all(|slot| *slot == of_user[0]), "{keys:?}");
        assert_eq!(keys[0].matches(['{', '}']).count(), 2, "{keys:?}");
        slots.push(of_user[0]);
    }
    slots.dedup();
    assert_eq!(slots.len(), users.len(), "each on its own");
    for left in (0..users.len()).rev() {
        cache.scope(forget(users[left])).await;
        assert_eq!(cluster.keys("app:*").len(), 4 * left);
    }
    assert_eq!(members(&cluster).len(), 0);
}
