use std::collections::BTreeMap;

use super::*;

/// Marsaglia's xorshift: the same numbers in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// An index beside what it must agree with. A place keeps its text when its key has gone, as a shard's need not.
#[derive(Default)]
struct Both {
    index: Index,
    model: BTreeMap<String, u32>,
    texts: Vec<String>,
}

impl Both {
    fn insert(&mut self, key: &str) {
        let place = self.texts.len() as u32;
        let texts = &self.texts;
        self.index.insert(key.as_bytes(), place, |place| {
            texts[place as usize].as_bytes()
        });
        self.model.entry(key.to_owned()).or_insert(place);
        self.texts.push(key.to_owned());
    }

    fn remove(&mut self, key: &str) {
        // A place that isn't the key's own is no reason to remove it.
        assert!(!self.index.remove(key.as_bytes(), u32::MAX >> 1));
        match self.model.remove(key) {
            Some(place) => assert!(self.index.remove(key.as_bytes(), place), "{key:?}"),
            None => assert!(!self.index.remove(key.as_bytes(), self.texts.len() as u32)),
        }
    }

    fn key_at<'a>(&'a self) -> impl Fn(u32) -> &'a [u8] {
        |place| self.texts[place as usize].as_bytes()
    }

    fn with_prefix(&self, prefix: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        self.index
            .visit(prefix, self.key_at(), |place| found.push(place));
        found.sort_unstable();
        found
    }

    fn drop_prefix(&mut self, prefix: &str) {
        for place in self.with_prefix(prefix.as_bytes()) {
            let key = self.texts[place as usize].clone();
            assert!(self.index.remove(key.as_bytes(), place));
        }
        self.model.retain(|key, _| !key.starts_with(prefix));
    }

    #[track_caller]
    fn check(&self, key: &str) {
        let found = self.index.find(key.as_bytes(), self.key_at());
        assert_eq!(found, self.model.get(key).copied(), "{key:?}");
        let begins = self
            .model
            .iter()
            .filter(|(known, _)| known.starts_with(key));
        let mut begins: Vec<u32> = begins.map(|(_, place)| *place).collect();
        begins.sort_unstable();
        assert_eq!(self.with_prefix(key.as_bytes()), begins, "{key:?}");
        assert_eq!(self.index.len(), self.model.len());
    }
}

/// Keys that are prefixes of each other, that hold what no key should, that differ late, and the empty one.
fn key(numbers: &mut Numbers) -> String {
    const PARTS: [&str; 12] = [
        "",
        "a",
        "b",
        "\0",
        "\0\0",
        ":",
        "posts:",
        "é",
        "ê",
        "\u{10ffff}",
        "12345678",
        "123456789",
    ];
    (0..numbers.below(5))
        .map(|_| PARTS[numbers.below(PARTS.len())])
        .collect()
}

#[test]
fn it_agrees_with_an_ordered_map() {
    for seed in 1..=20 {
        let (mut both, mut numbers) = (Both::default(), Numbers(seed * 0x9E37_79B9));
        for _ in 0..2_000 {
            let key = key(&mut numbers);
            match numbers.below(20) {
                0..9 => both.insert(&key),
                9..18 => both.remove(&key),
                18 => both.drop_prefix(&key),
                _ => both.check(&key),
            }
        }
        for _ in 0..100 {
            both.check(&key(&mut numbers));
        }
        both.drop_prefix("");
        assert_eq!(both.index.len(), 0);
        assert!(both.index.root.is_none());
    }
}

#[test]
fn a_prefix_that_ends_within_a_character_is_one() {
    let mut both = Both::default();
    both.insert("é");
    both.insert("ê");
    both.insert("e");
    assert_eq!(both.with_prefix(&"é".as_bytes()[..1]), [0, 1]);
    assert_eq!(both.with_prefix(&[0xff]), [0u32; 0]);
}

#[test]
fn forks_are_used_again() {
    let mut both = Both::default();
    for round in 0..100 {
        for number in 0..50 {
            both.insert(&format!("{round}:{number}"));
        }
        both.drop_prefix(&format!("{round}:"));
    }
    assert!(both.index.forks.len() < 50, "{}", both.index.forks.len());
}

/// No more forks than bits stand above a key, whatever else there is, so nobody's keys make others' slow.
#[test]
fn the_depth_is_bounded_by_the_length_of_the_key() {
    let mut both = Both::default();
    for length in 0..500 {
        both.insert(&"a".repeat(length));
    }
    both.insert("b");
    let mut node = both.index.root.expect("it isn't empty");
    let mut depth = 0;
    while let Kind::Fork(at) = node.kind() {
        let fork = &both.index.forks[at];
        node = fork.sides[side(b"b", fork.bit)];
        depth += 1;
    }
    assert!(depth <= 18, "{depth}");
    both.check(&"a".repeat(250));
}
