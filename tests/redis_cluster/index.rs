//! The index, whose sets are on other nodes than their entries: lost, partial or swept, and what
//! its members contain.

use std::time::Duration;

use cache_runtime::cacheable;
use redis::Commands;
use tests::{RedisCluster, Turnstile};

use crate::common::{TTL, all_members, cache_on, calls, members, patient, settled, until};

/// Return the token of an entry: eight bytes, which follow eight bytes of magic and format.
fn token(entry: &[u8]) -> &[u8] {
    &entry[8..16]
}

#[tokio::test]
async fn an_index_member_is_a_key_and_the_token_of_its_entry() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    for id in 0..10 {
        cache.set(&format!("posts:{id}"), &id, TTL).await.unwrap();
    }
    let members = members(&cluster);
    assert_eq!(members.len(), 10);
    for id in 0..10 {
        let key = format!("app:posts:{id}");
        let entry: Vec<u8> = cluster.connect_for(&key).get(&key).unwrap();
        let expected = [format!("posts:{id}").as_bytes(), b"\0", token(&entry)].concat();
        assert!(members.contains(&expected), "{key}");
    }
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_by_one_scan() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    for lost in ["all", "one", "recreated", "of another type"] {
        cache.set("posts:1", &1, TTL).await.unwrap();
        cache.set("users:1", &1, TTL).await.unwrap();
        let mut sets = cluster.keys("app#index:*");
        assert_eq!(sets.len(), 16);
        if lost == "one" {
            sets.retain(|set| {
                let members: Vec<Vec<u8>> = cluster.connect_for(set).zrange(set, 0, -1).unwrap();
                members.iter().any(|member| member.starts_with(b"posts:1"))
            });
            assert_eq!(sets.len(), 1);
        }
        for set in &sets {
            let mut redis = cluster.connect_for(set);
            let _: () = redis.del(set).unwrap();
            if lost == "of another type" {
                let _: () = redis.set(set, "theirs").unwrap();
            }
        }
        if lost == "recreated" {
            cache.set("posts:2", &1, TTL).await.unwrap();
        }
        assert!(
            cache.delete_pattern("posts:*").await.unwrap() >= 1,
            "{lost}"
        );
        assert_eq!(cluster.keys("app:*"), ["app:users:1"], "{lost}");
        let before = scans(&cluster);
        assert_eq!(cache.delete_pattern("users:*").await.unwrap(), 1, "{lost}");
        assert_eq!(scans(&cluster), before, "{lost}: rebuilt by one scan");
    }
}

fn scans(cluster: &RedisCluster) -> u64 {
    let nodes = cluster.masters().iter();
    nodes.map(|node| calls(&mut node.connect(), "scan")).sum()
}

#[tokio::test]
async fn unregistered_keys_are_found_by_a_scan_of_all_nodes() {
    let cluster = RedisCluster::start();
    for id in 0..60 {
        let key = format!("app:posts:{id}");
        let mut redis = cluster.connect_for(&key);
        let _: () = match id % 3 {
            0 => redis.set(&key, "an older release's bytes").unwrap(),
            1 => redis.set(&key, "").unwrap(),
            _ => redis.rpush(&key, "a list").unwrap(),
        };
    }
    let cache = cache_on(&cluster);
    assert_eq!(cache.delete_pattern("posts:1*").await.unwrap(), 11);
    let swept = cluster.keys("app:*").len();
    assert_eq!(swept, 49, "the sweeper keeps keys that are not entries");
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 49);
}

#[tokio::test]
async fn unusual_keys_are_deleted_by_exactly_the_patterns_that_match() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    let odd = [
        "",
        "\0",
        "\0\0",
        "\0whole",
        "a",
        "a\0",
        "a\0tokens..",
        "a\0tokens..\0tokens..",
        "aa",
    ];
    for scanned in [false, true] {
        for (key, value) in odd.iter().zip(0_u32..) {
            cache.set(key, &value, TTL).await.unwrap();
        }
        if scanned {
            for set in cluster.keys("app#index:*") {
                let _: () = cluster.connect_for(&set).del(&set).unwrap();
            }
        }
        assert_eq!(cache.delete_pattern("a").await.unwrap(), 1);
        assert_eq!(cluster.keys("app:*").len(), odd.len() - 1);
        assert_eq!(cache.delete_pattern("a\0*").await.unwrap(), 3);
        assert_eq!(cache.delete_pattern("\0*").await.unwrap(), 3);
        assert_eq!(cache.delete_pattern("").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("*").await.unwrap(), 1);
        assert_eq!(cluster.keys("app:*"), Vec::<String>::new());
    }
}

#[cacheable(key = "slow:<<id>>", skip(gate))]
async fn slow(gate: &Turnstile, id: u32) -> u32 {
    let _ = id;
    gate.pass().await
}

/// A sweeper finds the first entry expired, and removes its member after a second lease was taken.
#[tokio::test(flavor = "multi_thread")]
async fn removing_an_expired_member_keeps_the_member_of_a_new_lease() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    let gate = Turnstile::new();
    cache.set("slow:1", &0_u32, TTL).await.unwrap();
    let dead = members(&cluster);
    let _: () = cluster.connect_for("app:slow:1").del("app:slow:1").unwrap();
    let reader = tokio::spawn(cache.scope({
        let gate = gate.clone();
        async move { slow(&gate, 1).await }
    }));
    gate.entered().await;
    for set in cluster.keys("app#index:*") {
        let _: () = cluster.connect_for(&set).zrem(&set, &dead).unwrap();
    }
    assert_eq!(members(&cluster).len(), 1, "the member of the new lease");
    cache.delete_pattern("slow:*").await.unwrap();
    gate.let_through(1);
    assert_eq!(reader.await.unwrap(), 1);
    assert_eq!(cache.get::<u32>("slow:1").await.unwrap(), None);
}

/// The index is lost while a value is being refreshed. The scan registers the value under its own
/// token, and the new value of the refresh under the refresh's token.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_registers_a_value_and_the_claim_on_it() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    let gate = Turnstile::new();
    cache.set("slow:1", &0_u32, TTL).await.unwrap();
    let refresh = tokio::spawn(cache.scope({
        let gate = gate.clone();
        async move { slow_refresh(&gate, 1).await }
    }));
    gate.entered().await;
    for set in cluster.keys("app#index:*") {
        let _: () = cluster.connect_for(&set).del(&set).unwrap();
    }
    assert_eq!(
        cache.delete_pattern("other:*").await.unwrap(),
        0,
        "the pattern scans the keys"
    );
    assert_eq!(members(&cluster).len(), 2);
    gate.let_through(1);
    assert_eq!(refresh.await.unwrap(), 1);
    assert_eq!(cache.get::<u32>("slow:1").await.unwrap(), Some(1));
    assert_eq!(cache.delete_pattern("slow:*").await.unwrap(), 1);
}

#[tokio::test]
async fn expired_entries_are_removed_from_the_index() {
    let cluster = RedisCluster::start();
    let cache = cache_on(&cluster);
    settled(&cache).await;
    for round in 0..12 {
        let entries: Vec<(String, u32)> = (0..300)
            .map(|id| (format!("short:{round}:{id}"), id))
            .collect();
        let short = Duration::from_millis(20);
        cache.set_many(&entries, short).await.unwrap();
    }
    // The sweeper removes the rest. It runs again as long as it finds expired members.
    until("the sweeper removes expired members", || async {
        let (members, live) = (members(&cluster).len(), cluster.keys("app:short:*").len());
        members <= 2 * live + 16 * 30
    })
    .await;
}

#[tokio::test]
async fn marks_of_earlier_scans_and_of_other_masters_are_removed() {
    let cluster = RedisCluster::start();
    let cache = patient(&cluster).build().unwrap();
    settled(&cache).await;
    for number in 0..16 {
        let set = format!("app#index:{number}");
        let mut redis = cluster.connect_for(&set);
        let _: () = redis.del(&set).unwrap();
        for mark in ["\0building:cut off", "\0whole", "\0whole:0123456789abcdef"] {
            let _: () = redis.zadd(&set, mark, 0).unwrap();
        }
    }
    cache.set("posts:1", &1, TTL).await.unwrap();
    assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 1);
    let marks = all_members(&cluster);
    let ours = marks.iter().filter(|mark| mark.starts_with(b"\0whole:"));
    assert_eq!(ours.count(), 16, "marks of other masters are ignored");
    assert_eq!(
        marks
            .iter()
            .filter(|mark| mark.starts_with(b"\0building:"))
            .count(),
        0
    );
}
