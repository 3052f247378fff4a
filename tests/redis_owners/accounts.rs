//! Accounts: bounded, exact, and cheap to read.

use redis::Commands;
use tests::{RedisServer, Runs, until};

use crate::{brief, builder, cache_on, entries, file, fill, keys};

/// How often the server has run a command.
fn calls_of(server: &RedisServer, command: &str) -> u64 {
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut server.connect())
        .unwrap();
    let line = format!("cmdstat_{command}:calls=");
    let calls = info.lines().find_map(|stat| stat.strip_prefix(&line));
    let digits = calls.and_then(|rest| rest.split(',').next());
    digits.map_or(0, |digits| digits.parse().unwrap())
}

#[tokio::test]
async fn an_invalidation_of_an_owner_costs_what_it_removes() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    fill(&cache, 1, 0..2_000).await;
    fill(&cache, 2, 0..5).await;
    // The scan that completes the directory has ended.
    assert_eq!(entries(&cache, 2).await, 5);
    let (scans, deletes) = (calls_of(&server, "scan"), calls_of(&server, "unlink"));
    assert_eq!(cache.invalidate_owner(2).await.unwrap(), 5);
    assert_eq!(calls_of(&server, "scan"), scans);
    assert_eq!(calls_of(&server, "unlink") - deletes, 5);
    assert_eq!(calls_of(&server, "keys"), 0);
    assert_eq!(cache.invalidate_owner(1).await.unwrap(), 2_000);
}

#[tokio::test]
async fn accounts_of_owners_without_entries_are_deleted() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    let calls = async {
        for user in 0..40 {
            brief(user, 1).await;
        }
    };
    cache.scope(calls).await;
    assert!(keys(&server, "app#owner:*:sizes").len() >= 30);
    // An account outlives its entries by the time that a lease may last. Here the clock of the
    // directory is moved instead of waiting for it.
    let mut admin = server.connect();
    until("the entries have expired", || async {
        keys(&server, "app:brief:*").is_empty()
    })
    .await;
    for user in 0..40 {
        let _: u32 = admin.zadd("app#owners", user, 1).unwrap();
    }
    let runs = Runs::default();
    until("the accounts are deleted", || {
        let (cache, runs, server) = (&cache, &runs, &server);
        async move {
            cache.scope(file_refresh(100, 1, runs)).await;
            keys(server, "app#owner:*:sizes") == ["app#owner:{100}:sizes"]
        }
    })
    .await;
    assert_eq!(entries(&cache, 100).await, 1);
}

use crate::file_refresh;

#[tokio::test]
async fn other_types_at_the_keys_of_an_account_fail_no_operation() {
    let server = RedisServer::start();
    let cache = builder(server.url())
        .owner_capacity(1 << 20)
        .build()
        .unwrap();
    fill(&cache, 1, 0..3).await;
    let mut admin = server.connect();
    for part in ["sizes", "ages", "expiries", "calls"] {
        let key = format!("app#owner:{{1}}:{part}");
        let _: () = admin.del(&key).unwrap();
        let _: () = admin.set(&key, "not an account").unwrap();
        let runs = Runs::default();
        cache.scope(file(1, 7, &runs)).await;
        fill(&cache, 1, 0..3).await;
        let stats = cache.owner_stats(1).await.unwrap();
        assert!(stats.entries >= 3, "{part}: {stats:?}");
        assert!(cache.invalidate_owner(1).await.unwrap() >= 3, "{part}");
        assert_eq!(keys(&server, "app:file:1:*"), [""; 0], "{part}");
    }
    let _: () = admin.del("app#owners").unwrap();
    let _: () = admin.set("app#owners", "not a directory").unwrap();
    fill(&cache, 1, 0..3).await;
    assert_eq!(cache.invalidate_owner(1).await.unwrap(), 3);
    assert_eq!(cache.stats().errors, 0);
}

/// The near cache of another process hears of entries that made room, as of any deleted key.
#[tokio::test(flavor = "multi_thread")]
async fn entries_that_made_room_leave_the_near_caches() {
    let server = RedisServer::start();
    let near = || {
        let builder = builder(server.url()).owner_capacity(3_500);
        builder.near_cache(1 << 20).build().unwrap()
    };
    let (one, two) = (near(), near());
    let runs = Runs::default();
    until("the entry is in both near caches", || async {
        one.scope(file(1, 0, &runs)).await;
        two.scope(file(1, 0, &runs)).await;
        one.stats().entries > 0 && two.stats().entries > 0
    })
    .await;
    fill(&one, 1, 1..4).await;
    assert!(!one.exists("file:1:0").await.unwrap());
    let before = runs.count();
    until("the entry is computed again", || async {
        two.scope(file(1, 0, &runs)).await;
        runs.count() > before
    })
    .await;
    assert!(two.owner_stats(1).await.unwrap().bytes <= 3_500);
}
