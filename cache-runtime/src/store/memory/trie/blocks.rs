//! Room for the branches of an index.

/// Words in one piece, given out in blocks whose sizes are powers of two: what is free of one size makes two of half of it
/// (Knowlton's buddies, 1965, but nothing is put together again). So it never holds more than each size has needed at once.
#[derive(Default)]
pub(crate) struct Blocks {
    pub(crate) words: Vec<u32>,
    /// For each size the first free block, each of which names the next; in quarters of the smallest, from one on. None: zero.
    free: [u32; SIZES],
}

const SMALLEST: usize = 4;
const LARGEST: usize = 32;
const SIZES: usize = size_number(LARGEST) + 1;

const fn size_number(words: usize) -> usize {
    (words.trailing_zeros() - SMALLEST.trailing_zeros()) as usize
}

/// The words of the smallest block that holds so many: a power of two from [`SMALLEST`] to [`LARGEST`].
#[inline(always)]
pub(crate) fn size_for(words: usize) -> usize {
    words.next_power_of_two().clamp(SMALLEST, LARGEST)
}

impl Blocks {
    /// Where a block of this size begins: at a multiple of it. Nobody may count on what it holds.
    #[inline]
    pub(crate) fn take(&mut self, words: usize) -> usize {
        let wanted = size_number(words);
        let from = (wanted..SIZES).find(|size| self.free[*size] != 0);
        let (at, from) = match from {
            Some(size) => {
                let at = (self.free[size] - 1) as usize * SMALLEST;
                self.free[size] = self.words[at];
                (at, size)
            }
            None => {
                let at = self.words.len();
                self.words.resize(at + LARGEST, 0);
                (at, SIZES - 1)
            }
        };
        for half in wanted..from {
            self.give_back(at + (SMALLEST << half), SMALLEST << half);
        }
        at
    }

    #[inline]
    pub(crate) fn give_back(&mut self, at: usize, words: usize) {
        let first = &mut self.free[size_number(words)];
        self.words[at] = std::mem::replace(first, (at / SMALLEST) as u32 + 1);
    }

    /// Where those begin that nobody has, and how large they are.
    #[cfg(all(test, not(shuttle)))]
    pub(crate) fn free_blocks(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (number, first) in self.free.iter().enumerate() {
            let mut next = *first;
            while next != 0 {
                let at = (next - 1) as usize * SMALLEST;
                found.push((at, SMALLEST << number));
                next = self.words[at];
            }
        }
        found
    }

    /// Forgets all blocks, but keeps the room.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.free = [0; SIZES];
    }
}
