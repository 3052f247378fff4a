//! The text of a key, while it is written and afterwards.

use std::borrow::Cow;

/// Number of bytes that are kept as words.
pub(crate) const INLINE_BYTES: usize = 64;

/// Eight bytes, the first one the lowest on every machine.
type Word = [u8; 8];

/// A growable text. A short one is written and read in whole words. Store-to-load forwarding works
/// only if one store covers the entire load: if a key is written byte by byte and then hashed, the
/// hash stalls until all earlier stores have retired, and no work of the next call overlaps with
/// it. That stall would be most of a hit's cost.
#[derive(Debug, Default)]
pub struct Text {
    /// The full words, then the word in which the text ends, padded with zeros. Two more, so that a
    /// next word always exists.
    words: [Word; INLINE_BYTES / 8 + 2],
    /// Length in bytes.
    length: usize,
    /// The whole text, if it exceeds [`INLINE_BYTES`].
    long: String,
}

impl Text {
    #[inline]
    pub(crate) fn clear(&mut self) {
        // A lookup of a short key reads three words.
        let [one, two, three, ..] = &mut self.words;
        (*one, *two, *three) = Default::default();
        self.length = 0;
    }

    /// Return the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Return the allocated capacity in bytes.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.long.capacity()
    }

    /// Return the word at byte offset eight times `at`. Zeros follow the end of the text if `at` is
    /// at most three.
    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.words
            .get(at)
            .map_or(0, |word| u64::from_le_bytes(*word))
    }

    #[inline(always)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self.words.as_flattened().get(..self.length) {
            Some(short) if self.length <= INLINE_BYTES => short,
            _ => self.long.as_bytes(),
        }
    }

    pub(crate) fn to_str(&self) -> Cow<'_, str> {
        let bytes = self.as_bytes();
        // Only whole texts were appended.
        std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
    }

    pub(crate) fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Append text known at compile time. If short, the compiler turns it into an integer constant.
    #[inline(always)]
    pub(crate) fn push_literal(&mut self, literal: &'static str) {
        let short = literal.len() <= 8 && self.length + literal.len() <= INLINE_BYTES;
        match short {
            true => self.append(few(literal.as_bytes()), literal.len()),
            false => self.push_str(literal),
        }
    }

    #[inline(never)]
    pub(crate) fn push_str(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if self.length + bytes.len() > INLINE_BYTES {
            return self.push_long(text);
        }
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.append(u64::from_le_bytes(*eight), 8);
        }
        self.append(few(rest), rest.len());
    }

    /// Append eight to sixteen bytes, of which the first eight and the last eight are given.
    #[inline(always)]
    pub(crate) fn push_two(&mut self, text: &str, first: u64, last: u64) {
        let (count, shift) = (text.len(), self.length % 8 * 8);
        // Shift out the bytes that are already among the first eight, in two steps, since a shift
        // by the full width is not allowed.
        let rest = last >> 8 >> (8 * (15 - count.min(15)));
        let rest = if count == 16 { last } else { rest };
        match self.words.get_mut(self.length / 8..) {
            Some([one, two, three, ..]) if self.length + count <= INLINE_BYTES => {
                *one = (u64::from_le_bytes(*one) | first << shift).to_le_bytes();
                *two = (first >> 1 >> (63 - shift) | rest << shift).to_le_bytes();
                *three = (rest >> 1 >> (63 - shift)).to_le_bytes();
                self.length += count;
            }
            _ => self.push_str(text),
        }
    }

    /// Append the lowest `count` bytes of a word. They must be ASCII, and the others zero.
    #[inline(always)]
    pub(crate) fn push_ascii(&mut self, word: u64, count: usize) {
        match self.length + count <= INLINE_BYTES {
            true => self.append(word, count),
            false => {
                let bytes = word.to_le_bytes();
                self.push_str(&String::from_utf8_lossy(&bytes[..count.min(8)]));
            }
        }
    }

    /// Append the lowest `count` bytes of a word whose other bytes are zero. There must be room for
    /// them.
    #[inline(always)]
    fn append(&mut self, word: u64, count: usize) {
        let shift = self.length % 8 * 8;
        if let Some([one, two, ..]) = self.words.get_mut(self.length / 8..) {
            *one = (u64::from_le_bytes(*one) | word << shift).to_le_bytes();
            *two = (word >> 1 >> (63 - shift)).to_le_bytes();
            self.length += count;
        }
    }

    #[cold]
    #[inline(never)]
    fn push_long(&mut self, text: &str) {
        if self.length <= INLINE_BYTES {
            let mut long = std::mem::take(&mut self.long);
            long.clear();
            long.push_str(&self.to_str());
            self.long = long;
        }
        self.long.push_str(text);
        self.length = self.long.len();
    }
}

/// Return up to eight bytes as a word.
#[inline(always)]
pub(crate) fn few(bytes: &[u8]) -> u64 {
    let fold = |word, byte: &u8| word << 8 | u64::from(*byte);
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            // Where the two halves overlap, they are equal.
            u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4))
        }
        _ => bytes.iter().rfold(0, fold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_text_equals_its_pushed_parts() {
        let alphabet: String = ('a'..='z').cycle().take(200).collect();
        let mut text = Text::default();
        for first in 0..30 {
            for second in 0..100 {
                text.clear();
                let mut expected = String::new();
                for piece in [&alphabet[..first], &alphabet[..second], "é", ":", "0123456"] {
                    text.push_str(piece);
                    expected.push_str(piece);
                    assert_eq!(text.to_str(), expected);
                    assert_eq!(text.len(), expected.len());
                    assert_words(&text, &expected);
                }
            }
        }
    }

    fn assert_words(text: &Text, expected: &str) {
        if expected.len() > INLINE_BYTES {
            return;
        }
        let mut padded = expected.as_bytes().to_vec();
        padded.resize(expected.len().next_multiple_of(8).max(24), 0);
        for (at, word) in padded.as_chunks::<8>().0.iter().enumerate() {
            assert_eq!(
                text.word(at),
                u64::from_le_bytes(*word),
                "{at} of {expected}"
            );
        }
    }

    #[test]
    fn string_literals_and_characters_are_texts() {
        let mut text = Text::default();
        for literal in [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
        ] {
            for length in 0..=INLINE_BYTES + 2 {
                text.clear();
                text.push_str(&"x".repeat(length));
                text.push_literal(literal);
                text.push('ß');
                assert_eq!(text.to_str(), format!("{}{literal}ß", "x".repeat(length)));
            }
        }
    }
}
