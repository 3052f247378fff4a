//! Radix trie that finds keys by prefix: those of entries in memory, and of flights.

mod blocks;
mod branch;

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::pattern::Span;
use blocks::Blocks;
use branch::{Node, NodeKind, ROOT, first_difference, nibble};

/// A nibble trie whose branches store only the children that exist, located by a bitmap ("qp trie",
/// T. Finch, 2015). Branches exist only where keys differ, as in Morrison's PATRICIA (1968).
///
/// A search descends by its own key and then reads the text of *one* other. A comparison tree reads
/// one text at each step, and each is a cache miss. Each step of a binary trie is a cache miss too,
/// and it takes three or four where this one takes one. The trie needs no rebalancing: its depth is
/// bounded by the length of keys, since a key has at most as many branches above it as it has
/// nibbles, whatever the other keys are.
///
/// A leaf is the place of a key: a number that the caller maps to the key's text. A branch is a
/// block of words: the number of the nibble in which the keys below it differ, the bitmap of the
/// nibbles that occur there, and the children in the same order.
#[derive(Default)]
pub(crate) struct KeyTrie {
    root: Option<Node>,
    blocks: Blocks,
}

/// Number of places. A place must leave the highest bit of a [`Node`] free.
pub(crate) const MAX_PLACES: usize = 1 << 30;
/// Longest key in bytes, so that the number of a nibble fits into a word.
pub(crate) const MAX_KEY_BYTES: usize = 1 << 27;

/// Number of keys that are inserted together.
pub(crate) const GROUP: usize = 32;
/// Size in words, 128 KiB, up to which an index fits into the processor's inner caches.
const MAX_CACHED_WORDS: usize = if cfg!(test) { 1 << 5 } else { 1 << 15 };

impl KeyTrie {
    /// Insert a key. A key that is already present keeps its place.
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
        // The node, its position, and the number following that of the branch above.
        let (mut node, mut slot, mut passed) = (root, ROOT, 0);
        let nearest = loop {
            let at = match node.kind() {
                NodeKind::Leaf(place) => break place,
                NodeKind::Branch(at) => at,
            };
            let number = self.number(at);
            let Some(child) = self.child(at, nibble(key, number)) else {
                break self.nearest_leaf(node);
            };
            (slot, passed) = (child, number + 1);
            node = self.at(child);
        };
        // No other key shares more leading nibbles with this one, so the first difference from it
        // is the first difference from all.
        let nearest = key_at(nearest);
        let Some(number) = first_difference(key, nearest) else {
            return;
        };
        if number < passed {
            (slot, node) = self.above(root, key, number);
        }
        let leaf = Node::place(place);
        match node.kind() {
            NodeKind::Branch(at) if self.number(at) == number => {
                self.add(slot, at, nibble(key, number), leaf);
            }
            _ => self.part(
                slot,
                number,
                (nibble(nearest, number), node),
                (nibble(key, number), leaf),
            ),
        }
    }

    /// Insert the keys of several places. Memory latency, at branch after branch, dominates an
    /// insertion. So a group descends together first, each key one branch in turn, and the loads of
    /// one overlap with those of the others (group prefetching: Chen, Ailamaki, Gibbons and Mowry,
    /// 2004).
    pub(crate) fn insert_all<'k>(&mut self, places: &[u32], key_at: impl Fn(u32) -> &'k [u8]) {
        for places in places.chunks(GROUP) {
            self.fetch(places, &key_at);
            for place in places {
                self.insert(key_at(*place), *place, &key_at);
            }
        }
    }

    /// Prefetch what the insertion of these places will read.
    fn fetch<'k>(&self, places: &[u32], key_at: &impl Fn(u32) -> &'k [u8]) {
        // A single key would only descend twice, and so would all keys if the index is in cache.
        let (Some(root), [_, _, ..]) = (self.root, places) else {
            return;
        };
        if self.blocks.words.len() <= MAX_CACHED_WORDS {
            return;
        }
        let mut ways: [(&[u8], Node); GROUP] = [(&[], root); GROUP];
        let ways = &mut ways[..places.len()];
        for (way, place) in ways.iter_mut().zip(places) {
            way.0 = key_at(*place);
        }
        // The keys that haven't reached a leaf yet come first.
        let mut going = ways.len();
        while going > 0 {
            // These loads are independent, so the processor can issue them without waiting for one
            // another.
            let branches = ways[..going].iter().map(|(_, node)| match node.kind() {
                NodeKind::Branch(at) => self.number(at),
                NodeKind::Leaf(_) => 0,
            });
            std::hint::black_box(branches.fold(0, |all, number| all ^ number));
            for way in (0..going).rev() {
                let (key, node) = &mut ways[way];
                if let NodeKind::Branch(at) = node.kind() {
                    *node = match self.child(at, nibble(key, self.number(at))) {
                        Some(child) => self.at(child),
                        None => Node::place(self.nearest_leaf(*node)),
                    };
                }
                if let NodeKind::Leaf(_) = node.kind() {
                    going -= 1;
                    ways.swap(way, going);
                }
            }
        }
        // Prefetch the texts that the keys will be compared with, too.
        let texts = ways.iter().map(|(_, node)| match node.kind() {
            NodeKind::Leaf(place) => key_at(place).first().copied().unwrap_or_default(),
            NodeKind::Branch(_) => 0,
        });
        std::hint::black_box(texts.fold(0, |all, byte| all ^ byte));
    }

    /// Return the first node on the key's path that isn't a branch before this nibble, and its
    /// position.
    #[cold]
    fn above(&self, root: Node, key: &[u8], number: u32) -> (usize, Node) {
        let mut found = (ROOT, root);
        while let NodeKind::Branch(at) = found.1.kind()
            && self.number(at) < number
            && let Some(child) = self.child(at, nibble(key, self.number(at)))
        {
            found = (child, self.at(child));
        }
        found
    }

    /// Remove the key of a place. Return whether it was present.
    pub(crate) fn remove(&mut self, key: &[u8], place: u32) -> bool {
        let Some(mut node) = self.root else {
            return false;
        };
        // The branch directly above with the position that refers to it, and the node's own
        // position.
        let (mut above, mut slot) = (None, ROOT);
        let found = loop {
            let at = match node.kind() {
                NodeKind::Leaf(place) => break place,
                NodeKind::Branch(at) => at,
            };
            let nibble = nibble(key, self.number(at));
            let Some(child) = self.child(at, nibble) else {
                return false;
            };
            above = Some((slot, at, nibble));
            slot = child;
            node = self.at(child);
        };
        if found != place {
            return false;
        }
        match above {
            Some((slot, at, nibble)) => self.take(slot, at, nibble),
            None => self.root = None,
        }
        if !matches!(self.root.map(Node::kind), Some(NodeKind::Branch(_))) {
            self.blocks.clear();
        }
        true
    }

    /// Return the place of a key.
    pub(crate) fn find<'k>(&self, key: &[u8], key_at: impl Fn(u32) -> &'k [u8]) -> Option<u32> {
        let place = self.nearest_leaf(self.below(key, usize::MAX)?);
        (key_at(place) == key).then_some(place)
    }

    /// Visit the places of all keys that begin with `prefix`, and no others.
    pub(crate) fn visit<'k>(
        &self,
        prefix: &[u8],
        key_at: impl Fn(u32) -> &'k [u8],
        visit: impl FnMut(u32),
    ) {
        // Keys below this node differ only after the prefix, so either all of them match or none
        // does.
        let Some(top) = self.below(prefix, prefix.len()) else {
            return;
        };
        if key_at(self.nearest_leaf(top)).starts_with(prefix) {
            self.leaves(top, visit);
        }
    }

    /// Visit the places of all keys in the spans.
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

    /// Visit the places of this key and those after it, in the order of the keys' bytes, until the
    /// visitor breaks.
    pub(crate) fn visit_from<'k>(
        &self,
        from: &[u8],
        key_at: impl Fn(u32) -> &'k [u8],
        mut visit: impl FnMut(u32) -> ControlFlow<()>,
    ) {
        // Nodes, the next one last, each with whether keys below it may come before `from`.
        let mut left: Vec<(Node, bool)> = self.root.map(|root| (root, true)).into_iter().collect();
        while let Some((node, may_precede)) = left.pop() {
            let at = match node.kind() {
                NodeKind::Branch(at) => at,
                NodeKind::Leaf(place) if may_precede && key_at(place) < from => continue,
                NodeKind::Leaf(place) => match visit(place) {
                    ControlFlow::Continue(()) => continue,
                    ControlFlow::Break(()) => return,
                },
            };
            let mut may_precede = may_precede;
            if may_precede {
                // All keys below a branch have these bytes in common.
                let common = (self.number(at) >> 1) as usize;
                let key = &key_at(self.nearest_leaf(node))[..common];
                let bound = &from[..from.len().min(common)];
                match key.cmp(bound) {
                    Ordering::Less => continue,
                    Ordering::Equal => {}
                    Ordering::Greater => may_precede = false,
                }
            }
            let first = left.len();
            left.extend(self.children(at).map(|child| (child, may_precede)));
            left[first..].reverse();
        }
    }

    /// Descend by the key's first `bytes`; `None` if no key has that path.
    fn below(&self, key: &[u8], bytes: usize) -> Option<Node> {
        let mut node = self.root?;
        while let NodeKind::Branch(at) = node.kind() {
            let number = self.number(at);
            if (number >> 1) as usize >= bytes {
                break;
            }
            node = self.at(self.child(at, nibble(key, number))?);
        }
        Some(node)
    }

    /// Visit the places below a node.
    fn leaves(&self, top: Node, mut visit: impl FnMut(u32)) {
        let mut left = vec![top];
        while let Some(node) = left.pop() {
            match node.kind() {
                NodeKind::Leaf(place) => visit(place),
                NodeKind::Branch(at) => left.extend(self.children(at)),
            }
        }
    }

    /// Return the number of keys.
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
