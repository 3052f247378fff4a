//! The text of a key while it is written, and afterwards.

use std::borrow::Cow;

/// So many bytes are kept as words.
pub(crate) const ROOM: usize = 64;

/// Eight bytes, the first one the lowest, whatever the machine.
type Word = [u8; 8];

/// A text that grows. One that isn't long is written and read a whole word at a time, as it lies in memory: a processor hands on what was
/// just written to who reads it only if one write holds all of it. Where a key is written byte by byte and then hashed, the hash waits
/// until all that was begun before has ended, and nothing of the next call is done meanwhile. That is most of what a hit takes.
#[derive(Debug, Default)]
pub struct Text {
    /// The word in which the text ends, and all before it: the rest of that one is zeros. Two more, so that there is always one after it.
    words: [Word; ROOM / 8 + 2],
    /// In bytes.
    length: usize,
    /// All of it, if that is more than there is room for.
    long: String,
}

impl Text {
    #[inline]
    pub(crate) fn clear(&mut self) {
        // Who looks for a short key reads three words of it.
        let [one, two, three, ..] = &mut self.words;
        (*one, *two, *three) = Default::default();
        self.length = 0;
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// What it has allocated, in bytes.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.long.capacity()
    }

    /// The word that holds the bytes from eight times `at` on; zeros where the text has ended, if there are no more than three before.
    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.words
            .get(at)
            .map_or(0, |word| u64::from_le_bytes(*word))
    }

    #[inline(always)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self.words.as_flattened().get(..self.length) {
            Some(short) if self.length <= ROOM => short,
            _ => self.long.as_bytes(),
        }
    }

    pub(crate) fn to_str(&self) -> Cow<'_, str> {
        let bytes = self.as_bytes();
        // It is made of whole texts.
        std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
    }

    pub(crate) fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Appends what is known when it is compiled: if it is short, it is a number then.
    #[inline(always)]
    pub(crate) fn push_literal(&mut self, literal: &'static str) {
        let short = literal.len() <= 8 && self.length + literal.len() <= ROOM;
        match short {
            true => self.append(few(literal.as_bytes()), literal.len()),
            false => self.push_str(literal),
        }
    }

    #[inline(never)]
    pub(crate) fn push_str(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if self.length + bytes.len() > ROOM {
            return self.push_long(text);
        }
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.append(u64::from_le_bytes(*eight), 8);
        }
        self.append(few(rest), rest.len());
    }

    /// The same of eight to sixteen bytes, of which the first eight and the last are given.
    #[inline(always)]
    pub(crate) fn push_two(&mut self, text: &str, first: u64, last: u64) {
        let (count, shift) = (text.len(), self.length % 8 * 8);
        // Without those that are among the first. In two steps, since all of it can't be shifted out in one.
        let rest = last >> 8 >> (8 * (15 - count.min(15)));
        let rest = if count == 16 { last } else { rest };
        match self.words.get_mut(self.length / 8..) {
            Some([one, two, three, ..]) if self.length + count <= ROOM => {
                *one = (u64::from_le_bytes(*one) | first << shift).to_le_bytes();
                *two = (first >> 1 >> (63 - shift) | rest << shift).to_le_bytes();
                *three = (rest >> 1 >> (63 - shift)).to_le_bytes();
                self.length += count;
            }
            _ => self.push_str(text),
        }
    }

    /// Appends the lowest bytes of a word, of which all are ASCII and the others are zero.
    #[inline(always)]
    pub(crate) fn push_ascii(&mut self, word: u64, count: usize) {
        match self.length + count <= ROOM {
            true => self.append(word, count),
            false => {
                let bytes = word.to_le_bytes();
                self.push_str(&String::from_utf8_lossy(&bytes[..count.min(8)]));
            }
        }
    }

    /// Appends the lowest bytes of a word whose others are zero, for which there is room.
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
        if self.length <= ROOM {
            let mut long = std::mem::take(&mut self.long);
            long.clear();
            long.push_str(&self.to_str());
            self.long = long;
        }
        self.long.push_str(text);
        self.length = self.long.len();
    }
}

/// Fewer than eight bytes, or eight, as a word.
#[inline(always)]
pub(crate) fn few(bytes: &[u8]) -> u64 {
    let fold = |word, byte: &u8| word << 8 | u64::from(*byte);
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            // Where they overlap they are the same.
            u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4))
        }
        _ => bytes.iter().rfold(0, fold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_was_pushed() {
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
        if expected.len() > ROOM {
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
    fn literals_and_characters_are_texts() {
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
            for length in 0..=ROOM + 2 {
                text.clear();
                text.push_str(&"x".repeat(length));
                text.push_literal(literal);
                text.push('ß');
                assert_eq!(text.to_str(), format!("{}{literal}ß", "x".repeat(length)));
            }
        }
    }
}
