use std::collections::BTreeMap;

use super::*;
use crate::clock::NEVER;
use crate::pattern::Span;

/// Marsaglia's xorshift: the same numbers in each run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn entry(bytes: usize, expires: Moment) -> Entry {
    Entry {
        payload: Payload::Nothing,
        version: 0,
        fresh_until: expires,
        expires,
        compute: Duration::ZERO,
        paused_until: 0,
        stored: 0,
        bytes,
        owned: None,
    }
}

fn put(store: &MemoryStore, key: &str, bytes: usize, expires: Moment, now: Moment) -> bool {
    store.insert(key, entry(bytes, expires), now).stored
}

fn has(store: &MemoryStore, key: &str, now: Moment) -> bool {
    store.get(key, now).is_some()
}

/// Few keys, so that they collide: paths with siblings, children and variants.
fn key(numbers: &mut Numbers) -> String {
    let paths = ["posts", "users", "postscript", "é"];
    let mut key = paths[numbers.below(4) as usize].to_owned();
    for _ in 0..numbers.below(3) {
        key.push_str([":1", ":12", ":list", "-1"][numbers.below(4) as usize]);
    }
    if numbers.below(3) == 0 {
        key.push_str(["#a", "#b"][numbers.below(2) as usize]);
    }
    key
}

const PATTERNS: [&str; 16] = [
    "posts",
    "posts:*",
    "posts:1",
    "posts:1:*",
    "posts*",
    "*",
    "*:1",
    "*:list",
    "p?sts:1",
    "é*",
    "[pu]*:12",
    "users:*:1",
    "users:[!1]*",
    "none:*",
    "posts:\\*",
    "posts:1?",
];

#[test]
fn the_capacity_is_never_exceeded() {
    for capacity in [0, 1, 300, 10_000, 9 << 20] {
        let (store, mut numbers) = (MemoryStore::new(capacity, Eviction::HitRatio), Numbers(7));
        for step in 0..2_000 {
            let bytes = numbers.below(capacity as u64 / 8 + 400) as usize;
            put(&store, &format!("key:{step}"), bytes, NEVER, 0);
            assert!(store.size().1 <= capacity as u64, "{capacity}");
        }
        store.assert_consistent();
    }
}

#[test]
fn an_entry_that_is_too_large_is_refused() {
    let store = MemoryStore::new(1_000, Eviction::HitRatio);
    assert!(put(&store, "small", 10, NEVER, 0));
    assert!(!put(&store, "large", 2_000, NEVER, 0));
    assert!(!has(&store, "large", 0));
    assert!(has(&store, "small", 0));
    // Keeping the old value under its key would be wrong.
    assert!(!put(&store, "small", 2_000, NEVER, 0));
    assert!(!has(&store, "small", 0));
    store.assert_consistent();
}

#[test]
fn expired_entries_leave_before_living_ones() {
    let store = MemoryStore::new(100 * 320, Eviction::HitRatio);
    for number in 0..40 {
        // They are read, and expire.
        put(&store, &format!("o{number:03}"), 90, 1_000_000_000, 0);
        assert!(has(&store, &format!("o{number:03}"), 0));
        put(&store, &format!("k{number:03}"), 90, NEVER, 0);
    }
    let now = 1_100_000_000;
    for number in 0..45 {
        assert!(put(&store, &format!("n{number:03}"), 90, NEVER, now));
    }
    let living = (0..40).filter(|number| has(&store, &format!("k{number:03}"), now));
    assert_eq!(living.count(), 40);
    assert_eq!((store.evicted(), store.expired()), (0, 40));
    store.assert_consistent();
}

#[test]
fn an_entry_that_is_stored_again_keeps_its_place() {
    let store = MemoryStore::new(100 * 320, Eviction::HitRatio);
    for round in 0..30 {
        for number in 0..50 {
            let key = format!("k{number:03}");
            assert!(has(&store, &key, 0) || put(&store, &key, 90, NEVER, 0));
            // As a refresh does.
            assert!(put(&store, &key, 90, NEVER, 0));
        }
        for number in 0..200 {
            put(&store, &format!("scan:{round}:{number}"), 90, NEVER, 0);
        }
    }
    let left = (0..50).filter(|number| has(&store, &format!("k{number:03}"), 0));
    assert!(left.count() >= 40);
    store.assert_consistent();
}

/// Random operations with values of all sizes.
#[test]
fn the_store_stays_bounded_and_consistent() {
    for goal in [Eviction::HitRatio, Eviction::ComputeTime] {
        let capacity = 60_000;
        let (store, mut numbers) = (MemoryStore::new(capacity, goal), Numbers(23));
        let mut now = 0;
        for step in 0..20_000 {
            now += numbers.below(20_000_000);
            let key = format!("k{}", numbers.below(600));
            match numbers.below(8) {
                0..4 => {
                    let bytes = 1 << numbers.below(13);
                    let ttl = numbers.below(20_000_000_000);
                    let entry = Entry {
                        compute: Duration::from_micros(1 << numbers.below(20)),
                        ..entry(bytes, now + ttl)
                    };
                    store.insert(&key, entry, now);
                }
                4..7 => {
                    store.get(&key, now);
                }
                _ => {
                    store.remove(&key, now);
                }
            }
            assert!(store.size().1 <= capacity as u64);
            if step % 500 == 0 {
                store.assert_consistent();
            }
        }
        assert!(store.evicted() > 100 && store.expired() > 100);
    }
}

#[test]
fn entries_that_were_read_stay() {
    let store = MemoryStore::new(100 * 320, Eviction::HitRatio);
    for number in 0..90 {
        assert!(put(&store, &format!("k{number:03}"), 90, NEVER, 0));
    }
    for number in (0..90).step_by(3) {
        assert!(has(&store, &format!("k{number:03}"), 0));
    }
    for number in 0..60 {
        assert!(put(&store, &format!("n{number:03}"), 90, NEVER, 0));
    }
    for number in (0..90).step_by(3) {
        assert!(
            has(&store, &format!("k{number:03}"), 0),
            "{number} was read"
        );
    }
    store.assert_consistent();
}

#[test]
fn expired_entries_are_removed_without_a_read() {
    let store = MemoryStore::new(1 << 20, Eviction::HitRatio);
    for number in 0..500 {
        put(&store, &format!("old:{number}"), 10, 100, 0);
    }
    assert!(has(&store, "old:1", 99));
    assert!(!has(&store, "old:1", 100), "its time is over");
    assert!(!store.remove("old:2", 100), "no living one was there");
    for number in 0..300 {
        put(&store, &format!("new:{number}"), 10, NEVER, 100);
    }
    assert_eq!(store.size().0, 300, "the sweep outran the growth");
    store.assert_consistent();
}

#[test]
fn slots_are_reused() {
    let store = MemoryStore::new(1 << 20, Eviction::HitRatio);
    for round in 0..200 {
        for number in 0..50 {
            put(&store, &format!("{round}:{number}"), 10, NEVER, 0);
            // A single key, replaced repeatedly.
            put(&store, "one", 10, NEVER, 0);
        }
        let pattern = Pattern::new(format!("{round}:*"));
        assert_eq!(store.remove_matching(&pattern, 0), 50);
        store.assert_consistent();
    }
    assert_eq!(store.size().0, 1);
    let slots: usize = store
        .shards
        .iter()
        .map(|shard| {
            shard
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .slot_count()
        })
        .sum();
    assert!(slots <= 400, "{slots} slots for 51 entries");
}

#[test]
fn the_store_agrees_with_a_naive_model() {
    let (store, mut numbers) = (MemoryStore::new(1 << 20, Eviction::HitRatio), Numbers(42));
    let mut model: BTreeMap<String, Moment> = BTreeMap::new();
    let mut now = 0;
    for step in 0..20_000 {
        now += numbers.below(3);
        let key = key(&mut numbers);
        let living = |model: &BTreeMap<String, Moment>, key: &str| {
            model.get(key).is_some_and(|expires| *expires > now)
        };
        match numbers.below(10) {
            0..4 => {
                let expires = now + numbers.below(60);
                assert!(put(&store, &key, 10, expires, now));
                model.insert(key, expires);
            }
            4..7 => assert_eq!(has(&store, &key, now), living(&model, &key), "{key}"),
            7 => {
                assert_eq!(store.remove(&key, now), living(&model, &key), "{key}");
                model.remove(&key);
            }
            8 => {
                let taken = store.take(&key).is_some_and(|entry| entry.expires > now);
                assert_eq!(taken, living(&model, &key), "{key}");
                model.remove(&key);
            }
            _ if step % 7 == 0 => {
                let text = PATTERNS[numbers.below(PATTERNS.len() as u64) as usize];
                let pattern = Pattern::new(text);
                let meant = |key: &str| pattern.matches(key.as_bytes());
                let matching = model.keys().filter(|key| meant(key) && living(&model, key));
                let expected = matching.count() as u64;
                assert_eq!(store.remove_matching(&pattern, now), expected, "{text}");
                model.retain(|key, _| !meant(key));
            }
            _ => {}
        }
        if step % 100 == 0 {
            store.assert_consistent();
        }
    }
    for (key, expires) in model {
        assert_eq!(has(&store, &key, now), expires > now, "{key}");
    }
}

/// The spans that a pattern's removal visits contain every key that it matches.
#[test]
fn removal_by_pattern_equals_a_filter_over_all_keys() {
    let mut numbers = Numbers(9);
    let mut keys: Vec<String> = (0..400).map(|_| key(&mut numbers)).collect();
    keys.sort();
    keys.dedup();
    for text in PATTERNS {
        let (store, pattern) = (
            MemoryStore::new(1 << 20, Eviction::HitRatio),
            Pattern::new(text),
        );
        for key in &keys {
            put(&store, key, 10, NEVER, 0);
        }
        let (meant, kept): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| pattern.matches(key.as_bytes()));
        assert_eq!(
            store.remove_matching(&pattern, 0),
            meant.len() as u64,
            "{text}"
        );
        assert!(meant.iter().all(|key| !has(&store, key, 0)), "{text}");
        assert!(kept.iter().all(|key| has(&store, key, 0)), "{text}");
        let within = |key: &&&String| {
            let spans = pattern.spans();
            spans.iter().any(|span| match span {
                Span::Exact(exact) => key.as_bytes() == &exact[..],
                Span::Prefix(prefix) => key.as_bytes().starts_with(prefix),
            })
        };
        assert!(meant.iter().all(|key| within(&key)), "{text}");
        store.assert_consistent();
    }
}

#[test]
fn get_stale_finds_an_entry_until_its_grace_ends() {
    let store = MemoryStore::new(1 << 20, Eviction::HitRatio);
    let stale = Entry {
        fresh_until: 100,
        ..entry(1, 200)
    };
    store.insert("a", stale, 0);
    assert!(store.get("a", 99).is_some());
    assert!(store.get("a", 100).is_none());
    let sight = store.get_stale("a", 199).expect("the entry is stale");
    assert_eq!((sight.fresh_until, sight.paused_until), (100, 0));
    assert!(store.get_stale("a", 200).is_none());
    // An existing entry is removed and counted, fresh or stale.
    assert!(store.remove("a", 150));
    assert!(store.get_stale("a", 150).is_none());
    store.assert_consistent();
}

#[test]
fn a_pause_is_recorded_on_an_existing_entry() {
    let store = MemoryStore::new(1 << 20, Eviction::HitRatio);
    assert_eq!(store.pause("a", 0, 50), None);
    let stale = Entry {
        fresh_until: 100,
        ..entry(1, 200)
    };
    store.insert("a", stale, 0);
    assert_eq!(store.pause("a", 150, 160), Some(100));
    assert_eq!(
        store.get_stale("a", 150).map(|sight| sight.paused_until),
        Some(160)
    );
    assert_eq!(store.pause("a", 200, 210), None, "it has ended");
    // The entry that replaces it has no pause.
    store.insert("a", entry(1, 300), 150);
    assert_eq!(
        store.get_stale("a", 150).map(|sight| sight.paused_until),
        Some(0)
    );
    store.assert_consistent();
}

#[test]
fn an_entry_of_four_gibibytes_is_not_stored_however_large_the_store() {
    let store = MemoryStore::new(1 << 50, Eviction::HitRatio);
    let largest = (u32::MAX as usize) - slot::cost_besides("a".len());
    assert!(put(&store, "a", largest, NEVER, 0));
    store.assert_consistent();
    assert!(!put(&store, "a", largest + 1, NEVER, 0));
    assert!(!put(&store, "a", usize::MAX, NEVER, 0));
    assert!(!has(&store, "a", 0), "the entry that it replaces is gone");
    store.assert_consistent();
}
