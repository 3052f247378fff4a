//! Memory for the branches of an index.

use crate::store::memory::growth::make_room;

/// One array of words, allocated in blocks whose sizes are powers of two. A free block is split in
/// two if a smaller one is needed (a buddy allocator as in Knowlton, 1965, but blocks are never
/// merged). It therefore never takes more memory than each size has needed at its peak.
#[derive(Default)]
pub(crate) struct Blocks {
    pub(crate) words: Vec<u32>,
    /// The first free block of each size. Each free block names the next one. Positions are in
    /// units of the smallest block, plus one; zero is the end of the list.
    free: [u32; SIZES],
}

const SMALLEST: usize = 4;
const LARGEST: usize = 32;
const SIZES: usize = size_number(LARGEST) + 1;

const fn size_number(words: usize) -> usize {
    (words.trailing_zeros() - SMALLEST.trailing_zeros()) as usize
}

/// Return the size of the smallest block for this number of words: a power of two from [`SMALLEST`]
/// to [`LARGEST`].
#[inline(always)]
pub(crate) fn size_for(words: usize) -> usize {
    words.next_power_of_two().clamp(SMALLEST, LARGEST)
}

impl Blocks {
    /// Return the position of a block of this size, aligned to its size. Its contents are
    /// unspecified.
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
                make_room(&mut self.words, LARGEST);
                self.words.resize(at + LARGEST, 0);
                (at, SIZES - 1)
            }
        };
        for size in wanted..from {
            self.give_back(at + (SMALLEST << size), SMALLEST << size);
        }
        at
    }

    #[inline]
    pub(crate) fn give_back(&mut self, at: usize, words: usize) {
        let first = &mut self.free[size_number(words)];
        self.words[at] = std::mem::replace(first, (at / SMALLEST) as u32 + 1);
    }

    /// Return position and size of each free block.
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

    /// Free all blocks, but keep the allocation.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.free = [0; SIZES];
    }
}
