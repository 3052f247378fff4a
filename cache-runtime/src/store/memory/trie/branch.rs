//! Nodes and branches of a [`KeyTrie`].

use crate::store::memory::trie::KeyTrie;
use crate::store::memory::trie::blocks::size_for;

/// Number of words in a branch before its children.
const HEAD: usize = 2;
/// Position that stands for the root: the first word of the first block is never a child.
pub(crate) const ROOT: usize = 0;

/// A branch or a place, distinguished by the highest bit.
#[derive(Clone, Copy)]
pub(crate) struct Node(u32);

pub(crate) enum NodeKind {
    /// The position of the branch's block.
    Branch(usize),
    /// The place of the entry.
    Leaf(u32),
}

impl Node {
    const IS_LEAF: u32 = 1 << 31;

    pub(crate) fn place(place: u32) -> Self {
        Self(place | Self::IS_LEAF)
    }

    /// Blocks begin at multiples of four. Storing a quarter of the position allows for more words
    /// than places.
    fn branch(at: usize) -> Self {
        Self((at / 4) as u32)
    }

    fn is_leaf(self) -> bool {
        self.0 & Self::IS_LEAF != 0
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> NodeKind {
        if self.is_leaf() {
            NodeKind::Leaf(self.0 & !Self::IS_LEAF)
        } else {
            NodeKind::Branch(self.0 as usize * 4)
        }
    }
}

/// Return a nibble of a key, plus one; zero is the end of the key. The end is thus an ordinary
/// branch value, and keys may contain any byte.
#[inline(always)]
pub(crate) fn nibble(key: &[u8], number: u32) -> u32 {
    let byte = key.get((number >> 1) as usize);
    byte.map_or(0, |byte| {
        1 + (u32::from(*byte) >> ((!number & 1) << 2) & 15)
    })
}

/// Return the number of the first nibble in which two keys differ; `None` if they are equal.
#[inline]
pub(crate) fn first_difference(one: &[u8], other: &[u8]) -> Option<u32> {
    // Compare eight bytes at a time up to the first difference: long keys differ late.
    let eights = one.chunks_exact(8).zip(other.chunks_exact(8));
    let skipped = eights.take_while(|(one, other)| one == other).count() * 8;
    let rest = one[skipped..].iter().zip(&other[skipped..]);
    let position = skipped + rest.take_while(|(one, other)| one == other).count();
    let first = (position as u32) << 1;
    match (one.get(position), other.get(position)) {
        (None, None) => None,
        (Some(one), Some(other)) if one ^ other < 16 => Some(first + 1),
        _ => Some(first),
    }
}

/// Return the number of words in a branch of this bitmap.
#[inline(always)]
pub(crate) fn length(bitmap: u32) -> usize {
    HEAD + bitmap.count_ones() as usize
}

/// Return the number of children before that of a nibble.
#[inline(always)]
fn before(bitmap: u32, nibble: u32) -> usize {
    (bitmap & ((1 << nibble) - 1)).count_ones() as usize
}

impl KeyTrie {
    #[inline(always)]
    pub(crate) fn number(&self, branch: usize) -> u32 {
        self.blocks.words[branch]
    }

    /// Return the position of a branch's child.
    #[inline(always)]
    pub(crate) fn child(&self, branch: usize, nibble: u32) -> Option<usize> {
        let bitmap = self.blocks.words[branch + 1];
        let is_there = bitmap >> nibble & 1 == 1;
        is_there.then(|| branch + HEAD + before(bitmap, nibble))
    }

    pub(crate) fn children(&self, branch: usize) -> impl Iterator<Item = Node> {
        let count = self.blocks.words[branch + 1].count_ones() as usize;
        let children = &self.blocks.words[branch + HEAD..][..count];
        children.iter().map(|child| Node(*child))
    }

    /// Return the node at the position of a child.
    #[inline(always)]
    pub(crate) fn at(&self, slot: usize) -> Node {
        Node(self.blocks.words[slot])
    }

    /// Return a place below a node, preferring a direct child.
    pub(crate) fn nearest_leaf(&self, mut node: Node) -> u32 {
        loop {
            let at = match node.kind() {
                NodeKind::Leaf(place) => return place,
                NodeKind::Branch(at) => at,
            };
            let leaf = self.children(at).find(|child| child.is_leaf());
            node = leaf.unwrap_or_else(|| self.at(at + HEAD));
        }
    }

    fn put(&mut self, slot: usize, node: Node) {
        match slot {
            ROOT => self.root = Some(node),
            _ => self.blocks.words[slot] = node.0,
        }
    }

    /// Replace the node at `slot` by a branch with two children, of which it is one.
    pub(crate) fn part(&mut self, slot: usize, number: u32, one: (u32, Node), other: (u32, Node)) {
        let (first, last) = if one.0 < other.0 {
            (one, other)
        } else {
            (other, one)
        };
        let at = self.blocks.take(size_for(HEAD + 2));
        let bitmap = 1 << first.0 | 1 << last.0;
        self.blocks.words[at..][..HEAD + 2].copy_from_slice(&[number, bitmap, first.1.0, last.1.0]);
        self.put(slot, Node::branch(at));
    }

    /// Add a child to the branch at a slot.
    pub(crate) fn add(&mut self, slot: usize, at: usize, nibble: u32, child: Node) {
        let bitmap = self.blocks.words[at + 1];
        let (end, own) = (length(bitmap), HEAD + before(bitmap, nibble));
        let to = self.room(at, end, end + 1);
        let words = &mut self.blocks.words;
        words.copy_within(at + own..at + end, to + own + 1);
        words[to + own] = child.0;
        self.rewrite(slot, at, to, own, bitmap | 1 << nibble);
    }

    /// Remove a child from the branch at a slot. If only one child remains, it replaces the branch.
    pub(crate) fn take(&mut self, slot: usize, at: usize, nibble: u32) {
        let bitmap = self.blocks.words[at + 1];
        let (end, own) = (length(bitmap), HEAD + before(bitmap, nibble));
        if end <= HEAD + 2 {
            let left = self.at(at + HEAD + usize::from(own == HEAD));
            self.put(slot, left);
            self.blocks.give_back(at, size_for(end));
            return;
        }
        let to = self.room(at, end, end - 1);
        let words = &mut self.blocks.words;
        words.copy_within(at + own + 1..at + end, to + own);
        self.rewrite(slot, at, to, own, bitmap & !(1 << nibble));
    }

    /// Return a block for a branch whose length changes: usually the one it already has.
    fn room(&mut self, at: usize, old: usize, new: usize) -> usize {
        match size_for(new) {
            size if size == size_for(old) => at,
            size => self.blocks.take(size),
        }
    }

    /// Finish a change of a branch: move its head to the new block, if any, and write the bitmap.
    /// The words from `own` on are already correct.
    fn rewrite(&mut self, slot: usize, at: usize, to: usize, own: usize, bitmap: u32) {
        if to != at {
            let size = size_for(length(self.blocks.words[at + 1]));
            self.blocks.words.copy_within(at..at + own, to);
            self.blocks.give_back(at, size);
            self.put(slot, Node::branch(to));
        }
        self.blocks.words[to + 1] = bitmap;
    }
}
