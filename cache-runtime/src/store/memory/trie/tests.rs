use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::store::memory::tests::Numbers;
use crate::store::memory::trie::*;

/// An index and a model that it must agree with. A place keeps its text after its key is removed,
/// unlike in a shard.
#[derive(Default)]
struct Both {
    index: KeyTrie,
    model: BTreeMap<Vec<u8>, u32>,
    texts: Vec<Vec<u8>>,
}

impl Both {
    fn insert(&mut self, key: impl AsRef<[u8]>) {
        let place = self.place(key.as_ref());
        let texts = &self.texts;
        let key_at = |place: u32| &*texts[place as usize];
        self.index.insert(key.as_ref(), place, key_at);
    }

    fn insert_all(&mut self, keys: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        let places = keys.into_iter().map(|key| self.place(key.as_ref()));
        let places: Vec<u32> = places.collect();
        let texts = &self.texts;
        self.index
            .insert_all(&places, |place| &*texts[place as usize]);
    }

    fn place(&mut self, key: &[u8]) -> u32 {
        let place = self.texts.len() as u32;
        self.model.entry(key.to_owned()).or_insert(place);
        self.texts.push(key.to_owned());
        place
    }

    fn remove(&mut self, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        // Removing with another key's place has no effect.
        assert!(!self.index.remove(key, u32::MAX >> 1));
        match self.model.remove(key) {
            Some(place) => assert!(self.index.remove(key, place), "{key:?}"),
            None => assert!(!self.index.remove(key, self.texts.len() as u32)),
        }
    }

    fn key_at<'a>(&'a self) -> impl Fn(u32) -> &'a [u8] {
        |place| &self.texts[place as usize]
    }

    fn with_prefix(&self, prefix: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        self.index
            .visit(prefix, self.key_at(), |place| found.push(place));
        found.sort_unstable();
        found
    }

    fn drop_prefix(&mut self, prefix: impl AsRef<[u8]>) {
        for place in self.with_prefix(prefix.as_ref()) {
            let key = &self.texts[place as usize];
            assert!(self.index.remove(key, place));
        }
        self.model
            .retain(|key, _| !key.starts_with(prefix.as_ref()));
    }

    #[track_caller]
    fn check(&self, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        let found = self.index.find(key, self.key_at());
        assert_eq!(found, self.model.get(key).copied(), "{key:?}");
        let begins = self
            .model
            .iter()
            .filter(|(known, _)| known.starts_with(key));
        let mut begins: Vec<u32> = begins.map(|(_, place)| *place).collect();
        begins.sort_unstable();
        assert_eq!(self.with_prefix(key), begins, "{key:?}");
        let later: Vec<u32> = self
            .model
            .range(key.to_owned()..)
            .map(|(_, at)| *at)
            .collect();
        for limit in [3, usize::MAX] {
            let mut visited = Vec::new();
            self.index.visit_from(key, self.key_at(), |place| {
                visited.push(place);
                match visited.len() < limit {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            });
            assert_eq!(visited, later[..later.len().min(limit)], "{key:?}");
        }
        assert_eq!(self.index.len(), self.model.len());
        self.index.assert_consistent();
    }

    fn words(&self) -> usize {
        self.index.blocks.words.len()
    }
}

fn below(numbers: &mut Numbers, limit: usize) -> usize {
    numbers.below(limit as u64) as usize
}

/// Keys that are prefixes of each other, that contain unusual bytes, that differ late, and the
/// empty one.
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
    (0..below(numbers, 5))
        .map(|_| PARTS[below(numbers, PARTS.len())])
        .collect()
}

#[test]
fn the_trie_agrees_with_an_ordered_map() {
    for seed in 1..=20 {
        let (mut both, mut numbers) = (Both::default(), Numbers(seed * 0x9E37_79B9));
        for _ in 0..2_000 {
            let key = key(&mut numbers);
            match below(&mut numbers, 21) {
                20 => {
                    both.insert_all((0..below(&mut numbers, 80)).map(|_| self::key(&mut numbers)))
                }
                0..9 => both.insert(&key),
                9..18 => both.remove(&key),
                18 => both.drop_prefix(&key),
                _ => both.check(&key),
            }
        }
        for _ in 0..100 {
            both.check(key(&mut numbers));
        }
        both.drop_prefix("");
        assert_eq!(both.index.len(), 0);
        assert!(both.index.root.is_none());
    }
}

#[test]
fn a_span_can_end_within_a_character() {
    let mut both = Both::default();
    both.insert_all(["é", "ê", "e"]);
    assert_eq!(both.with_prefix(&"é".as_bytes()[..1]), [0, 1]);
    assert_eq!(both.with_prefix(&[0xff]), [0u32; 0]);
}

/// Seventeen children at each of two nibbles, the maximum: sixteen values and the end of the key.
fn family(nibble: impl Fn(u8) -> u8) -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> = (0..16).map(|value| vec![b'x', nibble(value)]).collect();
    keys.push(vec![b'x']);
    keys
}

#[test]
fn a_branch_grows_and_shrinks_through_all_sizes() {
    let families = [family(|value| value << 4), family(|value| 0x40 | value)];
    for keys in families {
        // Seventeen is prime, so each step visits all of them.
        let orders = [1, 7, 16].map(|step| (0..keys.len()).map(move |at| at * step % 17));
        for order in orders {
            let mut both = Both::default();
            for at in order.clone() {
                both.insert(&keys[at]);
                keys.iter().for_each(|key| both.check(key));
            }
            both.insert("xx");
            both.insert("y");
            for at in order {
                both.remove(&keys[at]);
                keys.iter().for_each(|key| both.check(key));
            }
            assert_eq!(
                both.with_prefix(b""),
                both.with_prefix(b"xx")
                    .into_iter()
                    .chain(both.with_prefix(b"y"))
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn keys_inserted_together_can_be_equal() {
    let mut both = Both::default();
    let numbers = || (0..GROUP * 3 + 1).map(|number| format!("posts:{}", number % 50));
    both.insert_all(numbers());
    both.insert_all(numbers());
    both.insert_all(numbers().take(0));
    both.check("posts:");
    both.check("posts:49");
    assert_eq!(both.index.len(), 50);
}

#[test]
fn blocks_are_reused() {
    let mut both = Both::default();
    for round in 0..100 {
        both.insert("kept 1");
        both.insert("kept 2");
        both.insert_all((0..50).map(|number| format!("{round}:{number}")));
        both.drop_prefix(format!("{round}:"));
        both.check("kept 1");
    }
    assert!(both.words() <= 192, "{}", both.words());
    both.drop_prefix("");
    assert_eq!(both.words(), 0);
}

/// The index doesn't grow when earlier block sizes are needed again.
#[test]
fn the_trie_stays_small_when_keys_are_inserted_and_removed() {
    let (mut both, mut numbers) = (Both::default(), Numbers(11));
    let shapes: [fn(usize) -> Vec<u8>; 3] = [
        |number| format!("posts:{number}").into(),
        |number| format!("{number:b}").into(),
        |number| vec![(number >> 12) as u8, (number >> 4) as u8, number as u8],
    ];
    let mut largest = 0;
    for round in 0..60 {
        let shape = shapes[round % 3];
        let keys = || (0..1_000).map(|number| shape(number * 7));
        both.insert_all(keys());
        for _ in 0..3_000 {
            let key = shape(below(&mut numbers, 1_000) * 7);
            if both.model.contains_key(&key) {
                both.remove(&key);
            } else {
                both.insert(&key);
            }
        }
        // One key stays, so that the index isn't reset.
        both.insert("kept");
        keys().for_each(|key| both.remove(key));
        both.check("kept");
        if round < 3 {
            largest = both.words();
        }
    }
    assert!(
        both.words() <= largest * 5 / 4,
        "{} words after {largest}",
        both.words()
    );
    assert!(largest <= 1_000 * 13, "{largest}");
}

/// Size for typical keys, and for the worst ones.
#[test]
fn a_key_takes_few_words_of_memory() {
    for (most, step) in [(4.0, 1), (4.0, 7_919)] {
        let mut both = Both::default();
        both.insert_all((0..20_000).map(|number| format!("posts:{}", number * step % 10_000_019)));
        let words = both.words() as f64 / 20_000.0;
        assert!(words <= most, "{words}");
    }
    let mut both = Both::default();
    both.insert_all((1..2_000).map(|length| "a".repeat(length)));
    assert!(both.words() <= 2_000 * 4, "{}", both.words());
}

/// A key has at most as many branches above it as it has nibbles, so one caller's keys can't slow
/// another's.
#[test]
fn the_depth_is_bounded_by_the_length_of_the_key() {
    let mut both = Both::default();
    both.insert_all((0..500).map(|length| "a".repeat(length)));
    both.insert("b");
    let mut node = both.index.root.expect("the trie has a root");
    let mut depth = 0;
    while let NodeKind::Branch(at) = node.kind() {
        let nibble = nibble(b"b", both.index.number(at));
        node = both
            .index
            .at(both.index.child(at, nibble).expect("the key exists"));
        depth += 1;
    }
    assert!(depth <= 3, "{depth}");
    both.check("a".repeat(250));
}
