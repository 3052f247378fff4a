//! Accounts that the server loses, by eviction for instance. No invalidation misses an entry.

use redis::Commands;
use tests::{Gate, RedisServer};

use crate::{builder, cache_on, entries, fill, keys, thumbnail};

fn delete(server: &RedisServer, keys: &[&str]) {
    let _: () = server.connect().del(keys).unwrap();
}

const ACCOUNT: [&str; 3] = [
    "app#owner:{1}:sizes",
    "app#owner:{1}:ages",
    "app#owner:{1}:expiries",
];

async fn with_entries(server: &RedisServer) -> (cache_runtime::Cache, Gate) {
    let cache = cache_on(server);
    let gate = Gate::new();
    gate.open();
    for user in [1, 2] {
        fill(&cache, user, 0..4).await;
        cache.scope(thumbnail(user, 1, &gate)).await;
    }
    assert_eq!(entries(&cache, 1).await, 5);
    (cache, gate)
}

#[tokio::test]
async fn an_invalidation_finds_the_entries_of_a_lost_account() {
    for lost in [
        &ACCOUNT[..],
        &["app#owners"],
        &["app#owners", ACCOUNT[0], ACCOUNT[1], ACCOUNT[2]],
    ] {
        let server = RedisServer::start();
        let (cache, gate) = with_entries(&server).await;
        delete(&server, lost);
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 5, "{lost:?}");
        assert_eq!(keys(&server, "app:file:1:*"), [""; 0]);
        assert_eq!(entries(&cache, 2).await, 5, "{lost:?}");
        let before = gate.count();
        cache.scope(thumbnail(1, 1, &gate)).await;
        cache.scope(thumbnail(2, 1, &gate)).await;
        assert_eq!(gate.count() - before, 1, "{lost:?}");
    }
}

/// The next fill of the owner writes a new account. It must not pass for a complete one.
#[tokio::test]
async fn a_fill_after_the_loss_does_not_hide_it() {
    let server = RedisServer::start();
    let (cache, _) = with_entries(&server).await;
    delete(&server, &ACCOUNT);
    fill(&cache, 1, 10..12).await;
    assert_eq!(cache.invalidate_owner(1).await.unwrap(), 7);
    assert_eq!(keys(&server, "app:file:1:*"), [""; 0]);
}

#[tokio::test]
async fn the_bytes_of_a_lost_account_are_counted_again() {
    let server = RedisServer::start();
    let (cache, _) = with_entries(&server).await;
    let before = cache.owner_stats(1).await.unwrap();
    delete(&server, &ACCOUNT);
    let after = cache.owner_stats(1).await.unwrap();
    assert_eq!((after.entries, after.bytes), (before.entries, before.bytes));
    // And bounded again.
    let limited = builder(server.url()).owner_capacity(4_000).build().unwrap();
    fill(&limited, 1, 20..22).await;
    assert!(limited.owner_stats(1).await.unwrap().bytes <= 4_000);
}

/// A lease doesn't name its owner, so a scan can't put it into an account.
#[tokio::test(flavor = "multi_thread")]
async fn a_computation_whose_account_was_lost_stores_nothing() {
    let server = RedisServer::start();
    let (cache, _) = with_entries(&server).await;
    let gate = Gate::new();
    let (caller, its_gate) = (cache.clone(), gate.clone());
    let call = tokio::spawn(async move { caller.scope(thumbnail(1, 9, &its_gate)).await });
    gate.reached_by(1).await;
    delete(&server, &ACCOUNT);
    cache.invalidate_owner(1).await.unwrap();
    gate.open();
    assert_eq!(call.await.unwrap(), 1);
    assert_eq!(cache.scope(thumbnail(1, 9, &gate)).await, 2);
}

#[tokio::test]
async fn a_flushed_server_starts_afresh() {
    let server = RedisServer::start();
    let (cache, _) = with_entries(&server).await;
    redis::cmd("FLUSHALL").exec(&mut server.connect()).unwrap();
    assert_eq!(cache.invalidate_owner(1).await.unwrap(), 0);
    fill(&cache, 1, 0..3).await;
    assert_eq!(entries(&cache, 1).await, 3);
    assert_eq!(cache.invalidate_owner(1).await.unwrap(), 3);
}
