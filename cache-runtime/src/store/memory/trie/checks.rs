//! Invariants of an index.

use crate::store::memory::trie::KeyTrie;
use crate::store::memory::trie::blocks::size_for;
use crate::store::memory::trie::branch::{NodeKind, length};

impl KeyTrie {
    /// Panic unless each word belongs to exactly one branch or free block, and all branches are
    /// well-formed.
    pub(crate) fn assert_consistent(&self) {
        let words = &self.blocks.words;
        let mut owners = vec![0; words.len()];
        let mut own = |at: usize, size: usize| {
            assert_eq!(at % size, 0);
            owners[at..][..size]
                .iter_mut()
                .for_each(|owners| *owners += 1);
        };
        for (at, size) in self.blocks.free_blocks() {
            own(at, size);
        }
        let mut left: Vec<_> = self.root.into_iter().map(|root| (root, 0)).collect();
        while let Some((node, least)) = left.pop() {
            let NodeKind::Branch(at) = node.kind() else {
                continue;
            };
            own(at, size_for(length(words[at + 1])));
            assert!(self.number(at) >= least, "further down is further on");
            assert!(self.children(at).count() >= 2, "keys part here");
            left.extend(self.children(at).map(|child| (child, self.number(at) + 1)));
        }
        assert!(owners.iter().all(|owners| *owners == 1));
    }
}
