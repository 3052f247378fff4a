//! Keys, found by what they begin with: those of the entries in memory, and of flights.

mod blocks;
mod branch;

use crate::pattern::Span;
use blocks::Blocks;
use branch::{Kind, Node, ROOT, first_difference, half};

/// A trie of half bytes whose branches keep only the children that they have, found by a bitmap ("qp trie", T. Finch, 2015), and
/// stand only where keys part, as in Morrison's PATRICIA (1968). A search goes down by its own key and then reads the text of
/// *one* other; a tree of comparisons reads one at each step, and each is a miss of the processor's caches. So is each step of a
/// tree of single bits, which has three or four where this one has one. Nothing is rebalanced: what bounds the depth is
/// the length of keys, since no more branches stand above a key than it has half bytes, whatever other keys there are.
///
/// A leaf is the place of a key, whose text is the caller's: it says which key stands at a place. A branch is a block of words:
/// the number of the half byte in which the keys below it differ, the bitmap of those that they have there, and the children in
/// their order.
#[derive(Default)]
pub(crate) struct Index {
    root: Option<Node>,
    blocks: Blocks,
}

/// A place must leave the highest bit of a [`Node`] free.
pub(crate) const MOST_PLACES: usize = 1 << 30;
/// The number of a half byte fits into a word.
pub(crate) const MOST_KEY_BYTES: usize = 1 << 27;

/// So many are inserted together.
pub(crate) const GROUP: usize = 32;
/// An index of so many words, 128 KiB, is in the processor's nearer caches.
const MOST_AT_HAND: usize = if cfg!(test) { 1 << 5 } else { 1 << 15 };

impl Index {
    /// Enters a key. One that is in it already keeps its place.
    pub(crate) fn insert<'k>(
        &mut self,
        key: &[u8],
        place: u32,
        key_at: impl FnOnce(u32) -> &'k [u8],
    ) {
        let Some(root) = self.root else {
            self.root = Some(Node::place(place));
            return;
        };
        // Where the node stands, and the number after that of the branch above.
        let (mut node, mut slot, mut passed) = (root, ROOT, 0);
        let nearest = loop {
            let at = match node.kind() {
                Kind::Place(place) => break place,
                Kind::Branch(at) => at,
            };
            let number = self.number(at);
            let Some(child) = self.child(at, half(key, number)) else {
                break self.nearest_leaf(node);
            };
            (slot, passed) = (child, number + 1);
            node = self.at(child);
        };
        // No other key has more first halves in common with this one, so the one in which they differ is where it parts from all.
        let nearest = key_at(nearest);
        let Some(number) = first_difference(key, nearest) else {
            return;
        };
        if number < passed {
            (slot, node) = self.above(root, key, number);
        }
        let leaf = Node::place(place);
        match node.kind() {
            Kind::Branch(at) if self.number(at) == number => {
                self.add(slot, at, half(key, number), leaf);
            }
            _ => self.part(
                slot,
                number,
                (half(nearest, number), node),
                (half(key, number), leaf),
            ),
        }
    }

    /// Enters the keys of several places. What takes time is waiting for memory, branch after branch: so many go down together first,
    /// a branch each in turn, and what one needs comes while others wait (Chen, Ailamaki, Gibbons and Mowry's group prefetching, 2004).
    pub(crate) fn insert_all<'k>(&mut self, places: &[u32], key_at: impl Fn(u32) -> &'k [u8]) {
        for places in places.chunks(GROUP) {
            self.fetch(places, &key_at);
            for place in places {
                self.insert(key_at(*place), *place, &key_at);
            }
        }
    }

    /// Has the processor fetch what the insertion of these is about to read.
    fn fetch<'k>(&self, places: &[u32], key_at: &impl Fn(u32) -> &'k [u8]) {
        // One alone would only go twice, and so would all where nothing is waited for.
        let (Some(root), [_, _, ..]) = (self.root, places) else {
            return;
        };
        if self.blocks.words.len() <= MOST_AT_HAND {
            return;
        }
        let mut ways: [(&[u8], Node); GROUP] = [(&[], root); GROUP];
        let ways = &mut ways[..places.len()];
        for (way, place) in ways.iter_mut().zip(places) {
            way.0 = key_at(*place);
        }
        // Those of them that aren't at a leaf yet come first.
        let mut going = ways.len();
        while going > 0 {
            // Nothing of this depends on anything else of it, so the processor need not wait for one to ask for the next.
            let branches = ways[..going].iter().map(|(_, node)| match node.kind() {
                Kind::Branch(at) => self.number(at),
                Kind::Place(_) => 0,
            });
            std::hint::black_box(branches.fold(0, |all, number| all ^ number));
            for way in (0..going).rev() {
                let (key, node) = &mut ways[way];
                if let Kind::Branch(at) = node.kind() {
                    *node = match self.child(at, half(key, self.number(at))) {
                        Some(child) => self.at(child),
                        None => Node::place(self.nearest_leaf(*node)),
                    };
                }
                if let Kind::Place(_) = node.kind() {
                    going -= 1;
                    ways.swap(way, going);
                }
            }
        }
        // The texts that the keys will be compared with, too.
        let texts = ways.iter().map(|(_, node)| match node.kind() {
            Kind::Place(place) => key_at(place).first().copied().unwrap_or_default(),
            Kind::Branch(_) => 0,
        });
        std::hint::black_box(texts.fold(0, |all, byte| all ^ byte));
    }

    /// The first node on the way of the key that doesn't stand before this half byte, and where it stands.
    #[cold]
    fn above(&self, root: Node, key: &[u8], number: u32) -> (usize, Node) {
        let mut found = (ROOT, root);
        while let Kind::Branch(at) = found.1.kind()
            && self.number(at) < number
            && let Some(child) = self.child(at, half(key, self.number(at)))
        {
            found = (child, self.at(child));
        }
        found
    }

    /// Takes the key of a place out; whether it was in.
    pub(crate) fn remove(&mut self, key: &[u8], place: u32) -> bool {
        let Some(mut node) = self.root else {
            return false;
        };
        // The branch right above, where that one is named, and where the node is.
        let (mut above, mut slot) = (None, ROOT);
        let found = loop {
            let at = match node.kind() {
                Kind::Place(place) => break place,
                Kind::Branch(at) => at,
            };
            let half = half(key, self.number(at));
            let Some(child) = self.child(at, half) else {
                return false;
            };
            above = Some((slot, at, half));
            slot = child;
            node = self.at(child);
        };
        if found != place {
            return false;
        }
        match above {
            Some((slot, at, half)) => self.take(slot, at, half),
            None => self.root = None,
        }
        if !matches!(self.root.map(Node::kind), Some(Kind::Branch(_))) {
            self.blocks.clear();
        }
        true
    }

    /// The place of a key.
    pub(crate) fn find<'k>(&self, key: &[u8], key_at: impl Fn(u32) -> &'k [u8]) -> Option<u32> {
        let place = self.nearest_leaf(self.below(key, usize::MAX)?);
        (key_at(place) == key).then_some(place)
    }

    /// Visits the places of all keys that begin so, and no others.
    pub(crate) fn visit<'k>(
        &self,
        prefix: &[u8],
        key_at: impl Fn(u32) -> &'k [u8],
        visit: impl FnMut(u32),
    ) {
        // Below, keys differ behind the prefix only: what is true of one is true of all.
        let Some(top) = self.below(prefix, prefix.len()) else {
            return;
        };
        if key_at(self.nearest_leaf(top)).starts_with(prefix) {
            self.leaves(top, visit);
        }
    }

    /// Visits the places of all keys in the spans.
    pub(crate) fn visit_spans<'k>(
        &self,
        spans: &[Span],
        key_at: impl Fn(u32) -> &'k [u8],
        mut visit: impl FnMut(u32),
    ) {
        for span in spans {
            match span {
                Span::Exact(key) => self.find(key, &key_at).into_iter().for_each(&mut visit),
                Span::Prefix(start) => self.visit(start, &key_at, &mut visit),
            }
        }
    }

    /// Goes down by the key's first `bytes`; `None`: no key begins so.
    fn below(&self, key: &[u8], bytes: usize) -> Option<Node> {
        let mut node = self.root?;
        while let Kind::Branch(at) = node.kind() {
            let number = self.number(at);
            if (number >> 1) as usize >= bytes {
                break;
            }
            node = self.at(self.child(at, half(key, number))?);
        }
        Some(node)
    }

    /// Visits the places below a node.
    fn leaves(&self, top: Node, mut visit: impl FnMut(u32)) {
        let mut left = vec![top];
        while let Some(node) = left.pop() {
            match node.kind() {
                Kind::Place(place) => visit(place),
                Kind::Branch(at) => left.extend(self.children(at)),
            }
        }
    }

    /// How many keys there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let mut count = 0;
        if let Some(root) = self.root {
            self.leaves(root, |_| count += 1);
        }
        count
    }
}

#[cfg(all(test, not(shuttle)))]
mod checks;
#[cfg(all(test, not(shuttle)))]
mod tests;
