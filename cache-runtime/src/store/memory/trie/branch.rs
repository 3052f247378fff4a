//! What an [`Index`] is made of.

use crate::store::memory::trie::Index;
use crate::store::memory::trie::blocks::size_for;

/// How many words of a branch stand before its children.
const HEAD: usize = 2;
/// No child stands where the first block begins, so this says where the root does.
pub(crate) const ROOT: usize = 0;

/// A branch or a place, told apart by the highest bit.
#[derive(Clone, Copy)]
pub(crate) struct Node(u32);

pub(crate) enum Kind {
    /// Where its block begins.
    Branch(usize),
    Place(u32),
}

impl Node {
    const IS_PLACE: u32 = 1 << 31;

    pub(crate) fn place(place: u32) -> Self {
        Self(place | Self::IS_PLACE)
    }

    /// Blocks begin at multiples of four: so there may be more words than places.
    fn branch(at: usize) -> Self {
        Self((at / 4) as u32)
    }

    fn is_place(self) -> bool {
        self.0 & Self::IS_PLACE != 0
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        if self.is_place() {
            Kind::Place(self.0 & !Self::IS_PLACE)
        } else {
            Kind::Branch(self.0 as usize * 4)
        }
    }
}

/// A half byte of a key, counted from one: zero is the end of the key. So this is one like others, and no byte is forbidden in
/// keys.
#[inline(always)]
pub(crate) fn half(key: &[u8], number: u32) -> u32 {
    let byte = key.get((number >> 1) as usize);
    byte.map_or(0, |byte| {
        1 + (u32::from(*byte) >> ((!number & 1) << 2) & 15)
    })
}

/// The number of the first half byte in which two keys differ; `None`: they are one.
#[inline]
pub(crate) fn first_difference(one: &[u8], other: &[u8]) -> Option<u32> {
    // Eight bytes at a time as far as they are the same: long keys differ late.
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

/// How many words a branch of this bitmap has.
#[inline(always)]
pub(crate) fn length(bitmap: u32) -> usize {
    HEAD + bitmap.count_ones() as usize
}

/// How many of the children stand before that of a half byte.
#[inline(always)]
fn before(bitmap: u32, half: u32) -> usize {
    (bitmap & ((1 << half) - 1)).count_ones() as usize
}

impl Index {
    #[inline(always)]
    pub(crate) fn number(&self, branch: usize) -> u32 {
        self.blocks.words[branch]
    }

    /// Where a branch's child stands.
    #[inline(always)]
    pub(crate) fn child(&self, branch: usize, half: u32) -> Option<usize> {
        let bitmap = self.blocks.words[branch + 1];
        let is_there = bitmap >> half & 1 == 1;
        is_there.then(|| branch + HEAD + before(bitmap, half))
    }

    pub(crate) fn children(&self, branch: usize) -> impl Iterator<Item = Node> {
        let count = self.blocks.words[branch + 1].count_ones() as usize;
        let children = &self.blocks.words[branch + HEAD..][..count];
        children.iter().map(|child| Node(*child))
    }

    /// What stands where a child does.
    #[inline(always)]
    pub(crate) fn at(&self, slot: usize) -> Node {
        Node(self.blocks.words[slot])
    }

    /// A place below a node, found in the fewest steps that are known from here.
    pub(crate) fn nearest_leaf(&self, mut node: Node) -> u32 {
        loop {
            let at = match node.kind() {
                Kind::Place(place) => return place,
                Kind::Branch(at) => at,
            };
            let leaf = self.children(at).find(|child| child.is_place());
            node = leaf.unwrap_or_else(|| self.at(at + HEAD));
        }
    }

    fn put(&mut self, slot: usize, node: Node) {
        match slot {
            ROOT => self.root = Some(node),
            _ => self.blocks.words[slot] = node.0,
        }
    }

    /// Puts a branch with two children where one of them stands.
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

    /// Adds a child to the branch that is named at a slot.
    pub(crate) fn add(&mut self, slot: usize, at: usize, half: u32, child: Node) {
        let bitmap = self.blocks.words[at + 1];
        let (end, own) = (length(bitmap), HEAD + before(bitmap, half));
        let to = self.room(at, end, end + 1);
        let words = &mut self.blocks.words;
        words.copy_within(at + own..at + end, to + own + 1);
        words[to + own] = child.0;
        self.rewrite(slot, at, to, own, bitmap | 1 << half);
    }

    /// Takes a child from the branch that is named at a slot. One that is left alone takes the branch's place.
    pub(crate) fn take(&mut self, slot: usize, at: usize, half: u32) {
        let bitmap = self.blocks.words[at + 1];
        let (end, own) = (length(bitmap), HEAD + before(bitmap, half));
        if end <= HEAD + 2 {
            let left = self.at(at + HEAD + usize::from(own == HEAD));
            self.put(slot, left);
            self.blocks.give_back(at, size_for(end));
            return;
        }
        let to = self.room(at, end, end - 1);
        let words = &mut self.blocks.words;
        words.copy_within(at + own + 1..at + end, to + own);
        self.rewrite(slot, at, to, own, bitmap & !(1 << half));
    }

    /// A block for a branch whose length changes: mostly the one that it has.
    fn room(&mut self, at: usize, old: usize, new: usize) -> usize {
        match size_for(new) {
            size if size == size_for(old) => at,
            size => self.blocks.take(size),
        }
    }

    /// Completes a branch that has another bitmap and perhaps another block, where all is right from the `own` word on.
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
