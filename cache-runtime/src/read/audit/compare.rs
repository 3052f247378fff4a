//! Comparing the value of a body that was run again with the entry's.

use std::sync::Arc;

use crate::entry::CachedValue;
use crate::key::canonical::Canonical;
use crate::value::Storable;
use crate::value::shape::{Cached, Peek};

use super::unordered;

/// Comparison of an entry with the result of a body that was run again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// It returns the entry's value.
    Same,
    /// It returns another value, with this digest.
    Other(u64),
    /// Nothing, for this reason.
    Failed(&'static str),
}

/// The digest of a `None`.
const NONE: u64 = 0;

/// Compare what the body returned with the entry's value.
pub(super) fn answer<R: Cached<S>, S>(
    entry: &CachedValue<Arc<R::Stored>>,
    opened: &R::Opened,
) -> Answer {
    match (R::verdict(opened), entry) {
        (Peek::Err, _) => Answer::Failed("the body returned an `Err`"),
        (Peek::None, CachedValue::None) => Answer::Same,
        (Peek::None, CachedValue::Value(_)) => Answer::Other(NONE),
        (Peek::Value(value), CachedValue::None) => other(value),
        (Peek::Value(value), CachedValue::Value(entry)) => {
            compare(value, &**entry, R::equal(value, entry))
        }
    }
}

/// `equal`: what the type's `PartialEq` says, if it has one. It knows better than the written form
/// whether two values are equal; and two that are written alike are the same to every reader.
fn compare<T: Storable>(value: &T, entry: &T, equal: Option<bool>) -> Answer {
    if equal == Some(true) {
        return Answer::Same;
    }
    let (Some(new), Some(old)) = (canonical(value), canonical(entry)) else {
        return Answer::Failed(UNWRITABLE);
    };
    if new == old {
        return Answer::Same;
    }
    let (new, old) = (unordered::digest(value), unordered::digest(entry));
    match (new, equal) {
        (None, _) => Answer::Failed(UNWRITABLE),
        (Some(_), None) if new == old => Answer::Same,
        (Some(new), _) => Answer::Other(new),
    }
}

fn other<T: Storable>(value: &T) -> Answer {
    // Bounds the value's depth.
    match canonical(value).and_then(|_| unordered::digest(value)) {
        Some(digest) => Answer::Other(digest),
        None => Answer::Failed(UNWRITABLE),
    }
}

const UNWRITABLE: &str =
    "the value can't be written: its `Serialize` fails, or it is nested too deeply";

/// Return the canonical bytes of a value, in which the order of a map doesn't matter. `None` if its
/// `Serialize` fails or it is nested too deeply.
fn canonical<T: Storable>(value: &T) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(Canonical::named(&mut bytes, "")).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use serde::{Deserialize, Serialize};

    use super::*;

    #[test]
    fn a_type_with_equality_is_compared_by_it_where_the_written_forms_differ() {
        let sets: [HashSet<u32>; 2] = [(0..50).collect(), (0..50).rev().collect()];
        let equal = sets[0] == sets[1];
        assert_eq!(compare(&sets[0], &sets[1], Some(equal)), Answer::Same);
        let (one, other) = (vec![1, 2], vec![2, 1]);
        assert!(matches!(
            compare(&one, &other, Some(false)),
            Answer::Other(_)
        ));
        assert_eq!(
            compare(&one, &one, Some(false)),
            Answer::Same,
            "written alike"
        );
        assert_eq!(
            compare(&one, &other, None),
            Answer::Same,
            "order alone is doubtful"
        );
        assert!(matches!(compare(&one, &vec![1, 3], None), Answer::Other(_)));
    }

    #[test]
    fn a_value_that_can_not_be_written_is_no_answer() {
        #[derive(Clone, Serialize, Deserialize)]
        struct Unwritable(#[serde(serialize_with = "fails")] u32);
        fn fails<S: serde::Serializer>(_: &u32, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
        let answer = compare(&Unwritable(1), &Unwritable(2), None);
        assert!(matches!(answer, Answer::Failed(_)));
        let map: BTreeMap<u32, u32> = BTreeMap::new();
        assert_eq!(compare(&map, &map, None), Answer::Same);
    }
}
