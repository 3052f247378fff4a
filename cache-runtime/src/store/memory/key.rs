//! Keys of stored entries, and keys prepared for a lookup.

use std::hash::{BuildHasher, Hasher};

use crate::key::text::{INLINE_BYTES, Text, few};

/// Length in bytes of the longest key stored inline in its slot.
pub(super) const SHORT: usize = 22;

/// A short key as three words: its bytes, padded with zeros, and its length as the last byte.
/// Comparing and hashing words costs a fraction of comparing and hashing text.
type Words = [u64; 3];

/// A key's bytes, inline in the slot if they fit, as most keys do. A hit then finds them in a cache
/// line that it reads anyway, and an entry needs one allocation less.
pub(super) enum Key {
    /// Padded with zeros.
    Short {
        length: u8,
        bytes: [u8; SHORT],
    },
    Long(Box<str>),
}

/// A key prepared for a lookup.
pub(super) trait LookupKey {
    fn hash(&self) -> u64;
    /// Return whether this equals the stored key.
    fn is(&self, key: &Key) -> bool;
}

/// A short key prepared for a lookup. The last byte is its length.
pub(super) struct ShortKey {
    words: Words,
    hash: u64,
}

/// A key of any length prepared for a lookup.
pub(super) enum AnyKey<'a> {
    Short(ShortKey),
    Long { text: &'a [u8], hash: u64 },
}

impl ShortKey {
    /// Prepare the key from a text that was just written, if it is short.
    #[inline(always)]
    pub(super) fn written(text: &Text, by: &impl BuildHasher) -> Option<Self> {
        let words = [text.word(0), text.word(1), text.word(2)];
        (text.len() <= SHORT).then(|| Self::new(words, text.len(), by))
    }

    #[inline(always)]
    fn new([one, two, three]: Words, length: usize, by: &impl BuildHasher) -> Self {
        let words = [one, two, three | (length as u64) << 56];
        let mut hasher = by.build_hasher();
        words.iter().for_each(|word| hasher.write_u64(*word));
        Self {
            words,
            hash: hasher.finish(),
        }
    }
}

impl LookupKey for ShortKey {
    #[inline(always)]
    fn hash(&self) -> u64 {
        self.hash
    }

    #[inline(always)]
    fn is(&self, key: &Key) -> bool {
        let Key::Short { length, bytes } = key else {
            return false;
        };
        let eight = |at: usize| {
            let eight = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
            eight.map_or(0, |eight| u64::from_le_bytes(*eight))
        };
        // The last six bytes; the preceding two were covered above.
        let last = eight(SHORT - 8) >> 16 | u64::from(*length) << 56;
        let [one, two, three] = self.words;
        (eight(0) ^ one) | (eight(8) ^ two) | (last ^ three) == 0
    }
}

impl<'a> AnyKey<'a> {
    pub(super) fn new(text: &'a [u8], by: &impl BuildHasher) -> Self {
        let (eights, rest) = text.as_chunks::<8>();
        let word = |eight: &[u8; 8]| u64::from_le_bytes(*eight);
        if text.len() > SHORT {
            let rest = (!rest.is_empty()).then(|| few(rest));
            return Self::long(text, eights.iter().map(word).chain(rest), by);
        }
        let words = match eights {
            [] => [few(rest), 0, 0],
            [one] => [word(one), few(rest), 0],
            [one, two, ..] => [word(one), word(two), few(rest)],
        };
        Self::Short(ShortKey::new(words, text.len(), by))
    }

    /// Prepare the key from a text that was just written.
    pub(super) fn written(text: &'a Text, by: &impl BuildHasher) -> Self {
        if let Some(short) = ShortKey::written(text, by) {
            return Self::Short(short);
        }
        if text.len() > INLINE_BYTES {
            return Self::new(text.as_bytes(), by);
        }
        let words = (0..text.len().div_ceil(8)).map(|at| text.word(at));
        Self::long(text.as_bytes(), words, by)
    }

    fn long(text: &'a [u8], words: impl Iterator<Item = u64>, by: &impl BuildHasher) -> Self {
        let mut hasher = by.build_hasher();
        words.for_each(|word| hasher.write_u64(word));
        hasher.write_usize(text.len());
        Self::Long {
            text,
            hash: hasher.finish(),
        }
    }
}

impl LookupKey for AnyKey<'_> {
    fn hash(&self) -> u64 {
        match self {
            Self::Short(short) => short.hash,
            Self::Long { hash, .. } => *hash,
        }
    }

    fn is(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::Short(short), key) => short.is(key),
            (Self::Long { text, .. }, Key::Long(key)) => key.as_bytes() == *text,
            (Self::Long { .. }, Key::Short { .. }) => false,
        }
    }
}

impl Key {
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(key) => key.as_bytes(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.as_bytes().len()
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..key.len()) {
            Some(room) => {
                room.copy_from_slice(key.as_bytes());
                let length = key.len() as u8;
                Self::Short { length, bytes }
            }
            None => Self::Long(key.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::RandomState;

    fn is(key: &Key, text: &[u8]) -> bool {
        AnyKey::new(text, &RandomState::default()).is(key)
    }

    #[test]
    fn keys_of_all_lengths_keep_their_text() {
        for length in 0..SHORT + 10 {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let key = Key::from(text.as_str());
            assert_eq!(key.as_bytes(), text.as_bytes());
            assert_eq!(matches!(key, Key::Long(_)), length > SHORT);
            assert!(is(&key, text.as_bytes()));
            for at in 0..length {
                for bit in 0..8 {
                    let mut other = text.clone().into_bytes();
                    other[at] ^= 1 << bit;
                    assert!(!is(&key, &other));
                }
            }
            // Padding is not part of the key.
            assert!(!is(&key, format!("{text}\0").as_bytes()));
            assert!(!is(&key, format!("{text}a").as_bytes()));
            assert!(length == 0 || !is(&key, &text.as_bytes()[1..]));
            assert!(length == 0 || !is(&key, &text.as_bytes()[..length - 1]));
        }
    }

    #[test]
    fn a_key_written_in_pieces_equals_the_whole_key() {
        let hasher = RandomState::default();
        for length in 0..2 * INLINE_BYTES {
            let expected: String = ('a'..='z').cycle().take(length).collect();
            for piece in 1..10 {
                let mut text = Text::default();
                expected.as_bytes().chunks(piece).for_each(|piece| {
                    text.push_str(std::str::from_utf8(piece).expect("it is ASCII"));
                });
                let written = AnyKey::written(&text, &hasher);
                let new = AnyKey::new(expected.as_bytes(), &hasher);
                assert_eq!(written.hash(), new.hash(), "{expected}");
                let key = Key::from(expected.as_str());
                assert!(written.is(&key) && new.is(&key));
            }
        }
    }
}
