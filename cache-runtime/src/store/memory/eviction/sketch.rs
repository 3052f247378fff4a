//! Approximate counts of how often keys were asked for lately.

/// Counters of four bits in each word.
const COUNTERS: usize = 16;
const LARGEST: u8 = 15;
/// Fewest words. In a table of fewer, too many keys would share counters by chance.
const FEWEST_WORDS: usize = 128;
/// Fewest entries that the period is counted by.
const FEWEST_ENTRIES: usize = 16;
/// The counts are halved after this many additions for each entry.
const PERIOD: usize = 10;
/// Lowest bits of all counters of a word.
const ONES: u64 = 0x1111_1111_1111_1111;

/// A count-min sketch (Cormode and Muthukrishnan, 2005) whose counts are halved from time to time,
/// as TinyLFU's are (Einziger, Friedman and Manes, 2017). It has a word for each entry of the store,
/// and so remembers several times as many keys as the store holds.
///
/// The counters of a key are in one word, one in each quarter of it, so an addition is one cache
/// miss and not four.
pub(super) struct Sketch {
    words: Vec<u64>,
    additions: usize,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            words: vec![0; FEWEST_WORDS],
            additions: 0,
        }
    }
}

impl Sketch {
    /// Make room for this number of entries. The counts stay as they are: a word is found by its
    /// key's lowest bits, so each half of a table twice as large is a copy of the old one.
    pub(super) fn grow(&mut self, entries: usize) {
        while self.words.len() < entries {
            self.words.extend_from_within(..);
        }
    }

    pub(super) fn add(&mut self, hash: u32, entries: usize) {
        let at = self.word(hash);
        let word = &mut self.words[at];
        let least = least(*word, hash);
        if least < LARGEST {
            // Only the smallest counters grow: the others also count other keys (conservative
            // update, Estan and Varghese, 2002).
            for shift in shifts(hash) {
                if count(*word, shift) == least {
                    *word += 1 << shift;
                }
            }
        }
        self.additions += 1;
        if self.additions >= PERIOD * entries.max(FEWEST_ENTRIES) {
            self.halve();
        }
    }

    /// Return how often the key was asked for lately, 15 at most.
    pub(super) fn estimate(&self, hash: u32) -> u8 {
        least(self.words[self.word(hash)], hash)
    }

    fn halve(&mut self) {
        self.additions /= 2;
        for word in &mut self.words {
            *word = (*word >> 1) & !(ONES << 3);
        }
    }

    fn word(&self, hash: u32) -> usize {
        hash as usize & (self.words.len() - 1)
    }
}

fn least(word: u64, hash: u32) -> u8 {
    let counts = shifts(hash).map(|shift| count(word, shift));
    counts.into_iter().fold(LARGEST, u8::min)
}

fn count(word: u64, shift: u32) -> u8 {
    (word >> shift) as u8 & LARGEST
}

/// Return the positions of a key's counters, one in each quarter of the word.
fn shifts(hash: u32) -> [u32; 4] {
    let bits = hash.wrapping_mul(0x9e37_79b9) >> 24;
    let quarter = COUNTERS as u32 / 4;
    [0, 1, 2, 3].map(|row| 4 * (row * quarter + (bits >> (2 * row) & 3)))
}
