//! How keys stand in their sets.

use crate::entry::{self, layout};

/// A fill token, as an entry's header has it.
pub(crate) type Token = [u8; TOKEN];

const TOKEN: usize = 8;

/// How many bytes of an entry tell whose it is.
const HEAD: usize = layout::CLAIM + TOKEN;

/// Whether an entry and its member change in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    /// On one node they do.
    /// Members are keys then.
    SameNode,
    /// In a cluster they are on two nodes: a member is a key, a NUL and the eight bytes of the token that stood at the
    /// key when it was registered.
    ///
    /// Fetched and removal of a dead member are two steps then, and in between the key may be leased anew. Tokens are
    /// never used twice, and a member is written after its token stood at its key; so what stands there no more never will, and
    /// dropping exactly that member is right however late it is. The new lease has a member of its own.
    Split,
}

impl Layout {
    /// A key in its set. Members that begin with a NUL are marks. No call site makes keys that do, but explicit
    /// operations and neighbours can; they stand behind another NUL, which no mark begins with.
    pub(crate) fn member(self, key: &[u8], token: Token) -> Vec<u8> {
        match self {
            Self::SameNode => self.start(key),
            Self::Split => [&self.start_of_one(key)[..], &token].concat(),
        }
    }

    /// How the members of all keys that begin so begin.
    pub(crate) fn start(self, key: &[u8]) -> Vec<u8> {
        // The empty key's NUL before the token would make a mark of it.
        let hides = match key.first() {
            Some(first) => *first == 0,
            None => self == Self::Split,
        };
        let mark: &[u8] = if hides { b"\0" } else { b"" };
        [mark, key].concat()
    }

    /// How the members of this key begin; nobody else's do, except for keys with a NUL.
    pub(crate) fn start_of_one(self, key: &[u8]) -> Vec<u8> {
        let mut start = self.start(key);
        if self == Self::Split {
            start.push(0);
        }
        start
    }

    /// The key of a member; none if it is a mark, or written by nobody.
    pub(crate) fn key_of(self, member: &[u8]) -> Option<&[u8]> {
        let visible = match member {
            [0, 0, ..] => &member[1..],
            [0, ..] => return None,
            _ => member,
        };
        match self {
            Self::SameNode => Some(visible),
            Self::Split => {
                let end = visible.len().checked_sub(1 + TOKEN)?;
                (visible[end] == 0).then_some(&visible[..end])
            }
        }
    }
}

/// The first bytes of what stands at a key.
#[derive(Debug)]
pub(crate) struct Head([u8; HEAD]);

impl Head {
    /// What is shorter, or no string, is as if zeros followed.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut head = [0; HEAD];
        let length = bytes.len().min(HEAD);
        head[..length].copy_from_slice(&bytes[..length]);
        Self(head)
    }

    fn at(&self, offset: usize) -> Token {
        let mut token = [0; TOKEN];
        token.copy_from_slice(&self.0[offset..offset + TOKEN]);
        token
    }

    /// The tokens that stand there: of the lease or the value, and of who refreshes it.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> + use<> {
        let claim = self.at(layout::CLAIM);
        let claimed = claim != [0; TOKEN] && entry::holds_value(&self.0[..3]);
        [self.at(layout::TOKEN)]
            .into_iter()
            .chain(claimed.then_some(claim))
    }

    /// Whether this member's token stands there.
    pub(crate) fn carries(&self, member: &[u8]) -> bool {
        self.tokens().any(|token| member.ends_with(&token))
    }
}

#[cfg(test)]
mod tests {
    use super::Layout::{SameNode, Split};
    use super::*;

    const KEYS: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\0\0",
        b"\0whole",
        b"posts:1",
        b"posts:1\0",
        b"posts:1\0tokens..",
        b"posts:1#v",
        b"\xff",
    ];

    #[test]
    fn every_key_comes_back_from_its_member_and_no_mark_is_one() {
        for layout in [SameNode, Split] {
            for key in KEYS {
                for token in [[0; 8], *b"\0whole:1", [255; 8]] {
                    let member = layout.member(key, token);
                    assert_eq!(layout.key_of(&member), Some(key), "{layout:?} {key:?}");
                }
            }
            for mark in [
                &b"\0whole"[..],
                b"\0whole:0123456789abcdef",
                b"\0building:12345678",
            ] {
                assert_eq!(layout.key_of(mark), None);
            }
        }
        assert_eq!(Split.key_of(b"short"), None);
        assert_eq!(Split.key_of(b"long enough without a NUL"), None);
    }

    #[test]
    fn members_begin_as_their_range_does() {
        for layout in [SameNode, Split] {
            for key in KEYS {
                let member = layout.member(key, [7; 8]);
                assert!(member.starts_with(&layout.start_of_one(key)), "{key:?}");
                for length in 1..=key.len() {
                    assert!(member.starts_with(&layout.start(&key[..length])), "{key:?}");
                }
            }
        }
    }

    #[test]
    fn a_head_tells_the_tokens_that_stand() {
        let lease = Head::of(&entry::lease(7));
        assert!(lease.carries(&Split.member(b"a", 7_u64.to_le_bytes())));
        assert!(!lease.carries(&Split.member(b"a", 8_u64.to_le_bytes())));
        assert_eq!(lease.tokens().count(), 1, "nobody claims a lease");
        let mut value = entry::lease(7);
        value[2] = 0;
        value[layout::CLAIM] = 9;
        let tokens: Vec<Token> = Head::of(&value).tokens().collect();
        assert_eq!(tokens, [7_u64.to_le_bytes(), 9_u64.to_le_bytes()]);
        let short = Head::of(b"somebody's");
        assert_eq!(short.tokens().collect::<Vec<_>>(), [*b"'s\0\0\0\0\0\0"]);
    }
}
