//! Sequences of keys for the section `hit-ratio`: recorded or generated.

mod generated;
mod recorded;

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

/// A sequence of keys, which are numbered in the order of their first use.
#[derive(Clone, Debug)]
pub struct Trace {
    pub name: String,
    pub keys: Vec<u32>,
    pub distinct: usize,
}

impl Trace {
    fn new<K: Eq + Hash>(name: &str, keys: impl IntoIterator<Item = K>) -> Self {
        let mut numbers = HashMap::new();
        let number = |key| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        };
        let keys: Vec<u32> = keys.into_iter().map(number).collect();
        Self {
            name: name.to_owned(),
            keys,
            distinct: numbers.len(),
        }
    }
}

/// Return the traces of a folder, or generated ones if none is given.
pub fn all(folder: Option<&Path>, quick: bool) -> Vec<Trace> {
    match folder {
        Some(folder) => {
            recorded::read(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        }
        None => generated::all(if quick { 20_000 } else { 100_000 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_traces_are_equal_in_every_run() {
        let (all, again) = (all(None, true), all(None, true));
        for (one, other) in all.iter().zip(&again) {
            assert_eq!(one.keys, other.keys, "{}", one.name);
            assert!(one.distinct > 500, "{}: {}", one.name, one.distinct);
        }
    }

    #[test]
    fn keys_are_numbered_in_the_order_of_their_first_use() {
        let trace = Trace::new("t", ["b", "a", "b", "c"]);
        assert_eq!((trace.keys, trace.distinct), (vec![0, 1, 0, 2], 3));
    }
}
