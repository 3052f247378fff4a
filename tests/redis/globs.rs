//! The memory store's globs compared with those of a real server, on the same keys and patterns.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use cache_runtime::Cache;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::RedisServer;

const TTL: Duration = Duration::from_secs(60);

/// Generate a text of few characters, so that patterns match keys: all that are special in globs,
/// and one of two bytes.
fn text(characters: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let characters: Vec<char> = characters.chars().collect();
    prop::collection::vec(prop::sample::select(characters), length).prop_map(String::from_iter)
}

#[test]
fn a_glob_matches_the_same_keys_in_memory_and_in_redis() {
    let server = RedisServer::start();
    let redis = RefCell::new(server.connect());
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    let keys = prop::collection::btree_set(text("ab:-]^\\*?[é", 1..7), 40);
    let patterns = prop::collection::vec(text("ab:-]^\\*?[é", 0..7), 40);
    let checked = runner.run(&(keys, patterns), |(keys, patterns)| {
        let redis = &mut *redis.borrow_mut();
        let mut fill = redis::pipe();
        fill.cmd("FLUSHALL").ignore();
        for key in &keys {
            fill.cmd("SET").arg(format!("p:{key}")).arg(1).ignore();
        }
        fill.query::<()>(redis).unwrap();
        for pattern in patterns {
            // The rule for a final `:*` differs from Redis, and has tests of its own.
            if pattern.ends_with('*') && pattern.trim_end_matches('*').ends_with(':') {
                continue;
            }
            let matched: BTreeSet<String> = redis::cmd("KEYS")
                .arg(format!("p:{pattern}"))
                .query(redis)
                .unwrap();
            let expected: BTreeSet<String> = keys
                .iter()
                .filter(|key| !matched.contains(&format!("p:{key}")))
                .cloned()
                .collect();
            prop_assert_eq!(
                left_in_memory(&keys, &pattern),
                expected,
                "pattern {:?}",
                pattern
            );
        }
        Ok(())
    });
    checked.unwrap();
}

fn left_in_memory(keys: &BTreeSet<String>, pattern: &str) -> BTreeSet<String> {
    let cache = Cache::builder().build().unwrap().blocking();
    for key in keys {
        cache.set(key, &1, TTL).unwrap();
    }
    let removed = cache.delete_pattern(pattern).unwrap();
    let left: BTreeSet<String> = keys
        .iter()
        .filter(|key| cache.exists(key).unwrap())
        .cloned()
        .collect();
    assert_eq!(removed, (keys.len() - left.len()) as u64);
    left
}

#[test]
fn a_pattern_deletes_the_same_paths_variants_and_children_on_both_stores() {
    let server = RedisServer::start();
    let on_redis = Cache::builder()
        .redis(server.url())
        .build()
        .unwrap()
        .blocking();
    let on_memory = Cache::builder().build().unwrap().blocking();
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let keys = prop::collection::btree_set(text("ab:#", 1..8), 30);
    let patterns = prop::collection::vec(text("ab:*?", 1..6), 8);
    let checked = runner.run(&(keys, patterns), |(keys, patterns)| {
        for pattern in patterns {
            let entries: Vec<(&str, u8)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
            on_redis.set_many(&entries, TTL).unwrap();
            on_memory.set_many(&entries, TTL).unwrap();
            prop_assert_eq!(
                on_redis.delete_pattern(&pattern).unwrap(),
                on_memory.delete_pattern(&pattern).unwrap(),
                "pattern {:?}",
                pattern
            );
            for key in &keys {
                let (there, here) = (
                    on_redis.exists(key).unwrap(),
                    on_memory.exists(key).unwrap(),
                );
                prop_assert_eq!(there, here, "key {:?} after {:?}", key, pattern);
            }
        }
        Ok(())
    });
    checked.unwrap();
}
