//! Annotated functions whose keys, leases and index sets are on three nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable, invalidate, write_through};
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

/// A cached function that invalidates the entries of another function.
#[cacheable(key = "views:<<id>>", skip(table))]
#[invalidate(patterns = ["rows:<<id>>"])]
async fn touch(table: &Table, id: u32) -> u32 {
    let _ = id;
    table.version.fetch_add(1, Ordering::SeqCst) + 1
}

#[tokio::test]
async fn annotated_functions_hit_miss_and_invalidate_on_every_node() {
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
    assert_eq!(
        a.scope(read(&table, 8)).await,
        0,
        "other rows are still cached"
    );
    assert_eq!(b.stats().invalidated, 1);
    b.scope(write_all(&table)).await;
    assert_eq!(
        b.stats().invalidated,
        1 + 30,
        "each removed entry is counted once"
    );
    for id in 0..30 {
        assert_eq!(a.scope(read(&table, id)).await, 2);
    }
}

#[tokio::test]
async fn a_function_with_both_attributes_caches_and_invalidates() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let table = Table::default();
    cache
        .scope(async {
            assert_eq!(read(&table, 1).await, 0);
            assert_eq!(touch(&table, 1).await, 1);
            assert_eq!(read(&table, 1).await, 1);
            assert_eq!(touch(&table, 1).await, 1, "the value comes from the cache");
        })
        .await;
    assert_eq!(table.version.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_pattern_counts_a_refreshed_entry_once() {
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
async fn concurrent_callers_of_two_processes_run_one_body() {
    let cluster = RedisCluster::start();
    let caches = [cache_on(&cluster), cache_on(&cluster)];
    let gate = Turnstile::new();
    let callers: Vec<_> = (0..60)
        .map(|number| started(&caches[number % 2], &gate, 1))
        .collect();
    gate.entered().await;
    let key = "app:slow:1:page";
    until("all callers have read the key", || async {
        calls(&mut cluster.connect_for(key), "get") >= 60
    })
    .await;
    gate.let_through(100);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(gate.runs.count(), 1);
}

/// The lease is on one node and its index member on another, where the pattern finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flight_invalidated_through_another_node_is_not_stored_and_not_joined() {
    let cluster = RedisCluster::start();
    let (a, b) = (cache_on(&cluster), cache_on(&cluster));
    for pattern in ["slow:*", "slow:<id>:*", "*:page", "slow:<id>:page"] {
        for id in 0..6 {
            let gate = Turnstile::new();
            let stale = started(&a, &gate, id);
            gate.entered().await;
            let pattern = pattern.replace("<id>", &id.to_string());
            assert_eq!(
                b.delete_pattern(&pattern).await.unwrap(),
                0,
                "a lease is not an entry"
            );
            // A new caller must not join the invalidated flight.
            let fresh = started(&a, &gate, id);
            gate.entered().await;
            gate.let_through(2);
            assert_eq!(stale.await.unwrap(), 1);
            assert_eq!(fresh.await.unwrap(), 2);
            let stored = b.get::<u32>(&format!("slow:{id}:page")).await.unwrap();
            assert_eq!(stored, Some(2), "{pattern}: only the later value is stored");
            b.clear().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_dead_process_delays_callers_until_its_ttl() {
    let cluster = RedisCluster::start();
    let lease = Duration::from_millis(400);
    let cache = patient(&cluster).lease_ttl(lease).build().unwrap();
    // A lease that is no longer renewed, as a process leaves it that dies in its body.
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
    // Without escaping, the second user would end the hash tag early, and the third would widen the
    // pattern.
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
    assert_eq!(slots.len(), users.len(), "each user has a slot of its own");
    for left in (0..users.len()).rev() {
        cache.scope(forget(users[left])).await;
        assert_eq!(cluster.keys("app:*").len(), 4 * left);
    }
    assert_eq!(members(&cluster).len(), 0);
}

#[write_through(key = "rows:<<id>>")]
async fn write_through_row(table: &Table, gate: &Turnstile, id: u32) -> u32 {
    let version = table.version.fetch_add(1, Ordering::SeqCst) + 1;
    gate.pass().await;
    version
}

fn writing(
    cache: &Cache,
    table: &Table,
    gate: &Turnstile,
    id: u32,
) -> tokio::task::JoinHandle<u32> {
    let (table, gate) = (table.clone(), gate.clone());
    tokio::spawn(cache.scope(async move { write_through_row(&table, &gate, id).await }))
}

#[tokio::test]
async fn a_write_through_is_a_hit_on_every_node_and_two_of_a_row_store_nothing() {
    let cluster = RedisCluster::start();
    let (a, b) = (cache_on(&cluster), cache_on(&cluster));
    let (table, gate) = (Table::default(), Turnstile::new());
    gate.let_through(64);
    for id in 0..30 {
        let version = writing(&a, &table, &gate, id).await.unwrap();
        assert_eq!(b.scope(read(&table, id)).await, version);
    }
    assert_eq!(table.runs(), 0, "all are hits");

    for id in 0..6 {
        let gates = [Turnstile::new(), Turnstile::new()];
        let mut writers = Vec::new();
        for (cache, gate) in [&a, &b].into_iter().zip(&gates) {
            writers.push(writing(cache, &table, gate, id));
            gate.entered().await;
        }
        for (gate, writer) in gates.iter().zip(writers) {
            gate.let_through(1);
            writer.await.unwrap();
            assert_eq!(a.get::<u32>(&format!("rows:{id}")).await.unwrap(), None);
        }
    }

    // An invalidation in between, which finds the lease by its pattern.
    let gate = Turnstile::new();
    let writer = writing(&a, &table, &gate, 9);
    gate.entered().await;
    b.delete_pattern("rows:*").await.unwrap();
    gate.let_through(1);
    writer.await.unwrap();
    assert_eq!(a.get::<u32>("rows:9").await.unwrap(), None);
}
