//! Keys, found by what they begin with: those of the entries in memory, and of flights.

use crate::pattern::Span;

/// A crit-bit tree (Morrison's PATRICIA, 1968; the name is Bernstein's): each fork names the first bit in which the keys of
/// its two sides differ, so what they have in common is never looked at. A search goes down by single bits of its own key and
/// then reads the text of *one* other; a tree of comparisons reads one at each step, and each is a miss of the processor's
/// caches. An insertion adds one fork of twelve bytes and moves none. Nothing is rebalanced: what bounds the depth is the
/// length of keys, since no more forks stand above a key than it has bits, whatever other keys there are.
///
/// A leaf is the place of a key, whose text is the caller's: it says which key stands at a place.
#[derive(Default)]
pub(crate) struct Index {
    root: Option<Node>,
    forks: Vec<Fork>,
    /// Forks that are out of use.
    free: Vec<u32>,
    /// The forks that the latest insertion has passed; kept for its room.
    path: Vec<u32>,
}

/// A place must leave the highest bit of a [`Node`] free.
pub(crate) const MOST_PLACES: usize = 1 << 30;
/// The position of a byte and the number of one of its bits fit into the 32 of a [`Fork`].
pub(crate) const MOST_KEY_BYTES: usize = 1 << 27;

/// A fork or a place, told apart by the highest bit.
#[derive(Clone, Copy)]
struct Node(u32);

/// Where keys part.
struct Fork {
    /// The first bit in which the keys of one side differ from those of the other; of a later one in the key it is greater.
    bit: u32,
    sides: [Node; 2],
}

enum Kind {
    Fork(usize),
    Place(u32),
}

impl Node {
    const IS_PLACE: u32 = 1 << 31;

    fn place(place: u32) -> Self {
        Self(place | Self::IS_PLACE)
    }

    fn kind(self) -> Kind {
        if self.0 & Self::IS_PLACE == 0 {
            Kind::Fork(self.0 as usize)
        } else {
            Kind::Place(self.0 & !Self::IS_PLACE)
        }
    }
}

/// The byte at a position as nine bits, the first of which says that there is one: so the end of a key is a bit like others,
/// and no byte is forbidden in keys. They are numbered 7 to 15, so that a bit's number is, inverted, by how much to shift.
#[inline(always)]
fn nine_bits(key: &[u8], position: usize) -> u32 {
    key.get(position).map_or(0, |byte| 0x100 | u32::from(*byte))
}

/// On which side of a fork at this bit a key stands.
#[inline(always)]
fn side(key: &[u8], bit: u32) -> usize {
    let byte = nine_bits(key, (bit >> 4) as usize);
    ((byte >> (!bit & 15)) & 1) as usize
}

/// The first bit in which two keys differ; `None`: they are one.
fn first_difference(one: &[u8], other: &[u8]) -> Option<u32> {
    // Eight bytes at a time as far as they are the same: long keys differ late.
    let eights = one.chunks_exact(8).zip(other.chunks_exact(8));
    let skipped = eights.take_while(|(one, other)| one == other).count() * 8;
    let rest = one[skipped..].iter().zip(&other[skipped..]);
    let position = skipped + rest.take_while(|(one, other)| one == other).count();
    match nine_bits(one, position) ^ nine_bits(other, position) {
        0 => None,
        // The first of the nine is the 24th of 32.
        differing => Some(((position as u32) << 4) | (differing.leading_zeros() - 16)),
    }
}

impl Index {
    /// Enters a key. One that is in it already keeps its place.
    pub(crate) fn insert<'k>(
        &mut self,
        key: &[u8],
        place: u32,
        key_at: impl FnOnce(u32) -> &'k [u8],
    ) {
        let Some(mut node) = self.root else {
            self.root = Some(Node::place(place));
            return;
        };
        self.path.clear();
        let nearest = loop {
            match node.kind() {
                Kind::Place(place) => break place,
                Kind::Fork(at) => {
                    let fork = &self.forks[at];
                    self.path.push(at as u32);
                    node = fork.sides[side(key, fork.bit)];
                }
            }
        };
        // No other key has more first bits in common with this one, so the bit in which they differ is where it parts from all.
        let Some(bit) = first_difference(key, key_at(nearest)) else {
            return;
        };
        while let Some(&at) = self.path.last()
            && self.forks[at as usize].bit > bit
        {
            node = Node(at);
            self.path.pop();
        }
        self.part(key, bit, node, place);
    }

    /// Puts a fork with the key's place and `node` at its sides where `node` stands, below the last of the path.
    fn part(&mut self, key: &[u8], bit: u32, node: Node, place: u32) {
        let mut sides = [node; 2];
        sides[side(key, bit)] = Node::place(place);
        let fork = Fork { bit, sides };
        let at = match self.free.pop() {
            Some(at) => {
                self.forks[at as usize] = fork;
                at
            }
            None => {
                self.forks.push(fork);
                (self.forks.len() - 1) as u32
            }
        };
        match self.path.last() {
            Some(&parent) => {
                let parent = &mut self.forks[parent as usize];
                parent.sides[side(key, parent.bit)] = Node(at);
            }
            None => self.root = Some(Node(at)),
        }
    }

    /// Takes the key of a place out; whether it was in.
    pub(crate) fn remove(&mut self, key: &[u8], place: u32) -> bool {
        let Some(mut node) = self.root else {
            return false;
        };
        // The fork right above, and on which side of it; and the same of that one.
        let (mut above, mut further) = (None, None);
        let found = loop {
            match node.kind() {
                Kind::Place(place) => break place,
                Kind::Fork(at) => {
                    let fork = &self.forks[at];
                    let side = side(key, fork.bit);
                    further = above.replace((at, side));
                    node = fork.sides[side];
                }
            }
        };
        if found != place {
            return false;
        }
        let Some((at, side)) = above else {
            self.root = None;
            return true;
        };
        // What is left of the fork takes its place.
        let other = self.forks[at].sides[1 - side];
        match further {
            Some((at, side)) => self.forks[at].sides[side] = other,
            None => self.root = Some(other),
        }
        self.free.push(at as u32);
        true
    }

    /// The place of a key.
    pub(crate) fn find<'k>(&self, key: &[u8], key_at: impl Fn(u32) -> &'k [u8]) -> Option<u32> {
        let place = self.first(self.below(key, usize::MAX)?);
        (key_at(place) == key).then_some(place)
    }

    /// Visits the places of all keys that begin so, and no others.
    pub(crate) fn visit<'k>(
        &self,
        prefix: &[u8],
        key_at: impl Fn(u32) -> &'k [u8],
        mut visit: impl FnMut(u32),
    ) {
        // Below, keys differ behind the prefix only: what is true of the first is true of all.
        let Some(top) = self.below(prefix, prefix.len()) else {
            return;
        };
        if !key_at(self.first(top)).starts_with(prefix) {
            return;
        }
        let mut left = vec![top];
        while let Some(node) = left.pop() {
            match node.kind() {
                Kind::Place(place) => visit(place),
                Kind::Fork(at) => left.extend(self.forks[at].sides),
            }
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

    /// Goes down by the key's first `bytes`.
    fn below(&self, key: &[u8], bytes: usize) -> Option<Node> {
        let mut node = self.root?;
        while let Kind::Fork(at) = node.kind() {
            let fork = &self.forks[at];
            if (fork.bit >> 4) as usize >= bytes {
                break;
            }
            node = fork.sides[side(key, fork.bit)];
        }
        Some(node)
    }

    fn first(&self, mut node: Node) -> u32 {
        loop {
            match node.kind() {
                Kind::Place(place) => return place,
                Kind::Fork(at) => node = self.forks[at].sides[0],
            }
        }
    }

    /// How many keys there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.root
            .map_or(0, |_| self.forks.len() - self.free.len() + 1)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
