//! The members of index sets.

use crate::entry::{self, layout};

/// Token of a fill, as in an entry's header.
pub(crate) type Token = [u8; TOKEN];

const TOKEN: usize = 8;

/// Number of an entry's first bytes that include all its tokens.
const HEAD: usize = layout::CLAIM + TOKEN;

/// Whether an entry and its member change in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    /// On one node they do. A member is a key.
    SameNode,
    /// In a cluster they are on two nodes. A member is a key, a NUL and the eight bytes of the
    /// token that was at the key when it was registered.
    ///
    /// Checking and removing a dead member are two steps then, and the key may be leased again in
    /// between. Tokens are never reused, and a member is written after its token was stored at its
    /// key. So a token that is no longer there never returns, and removing exactly its member is
    /// correct, however late it happens. The new lease has a member of its own.
    Split,
}

impl Layout {
    /// Return the member of a key. Members that begin with a NUL are marks. No call site produces
    /// keys that begin with one, but explicit operations and other programs can; such a key gets
    /// another NUL in front, and no mark begins with two.
    pub(crate) fn member(self, key: &[u8], token: Token) -> Vec<u8> {
        match self {
            Self::SameNode => self.start(key),
            Self::Split => [&self.start_of_one(key)[..], &token].concat(),
        }
    }

    /// Return the prefix of the members of all keys with this prefix.
    pub(crate) fn start(self, key: &[u8]) -> Vec<u8> {
        // Without it, the empty key's NUL before the token would make its member a mark.
        let hides = match key.first() {
            Some(first) => *first == 0,
            None => self == Self::Split,
        };
        let mark: &[u8] = if hides { b"\0" } else { b"" };
        [mark, key].concat()
    }

    /// Return the prefix of this key's members. No other key's members have it, except for keys
    /// with a NUL.
    pub(crate) fn start_of_one(self, key: &[u8]) -> Vec<u8> {
        let mut start = self.start(key);
        if self == Self::Split {
            start.push(0);
        }
        start
    }

    /// Return the key of a member, or `None` for a mark or an invalid member.
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

/// First bytes at a key.
#[derive(Debug)]
pub(crate) struct Head([u8; HEAD]);

impl Head {
    /// Read the first bytes. Shorter content, or another type than a string, is padded with zeros.
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

    /// Return the tokens at the key: that of the lease or the value, and that of the claim.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> + use<> {
        let claim = self.at(layout::CLAIM);
        let claimed = claim != [0; TOKEN] && entry::holds_value(&self.0[..3]);
        [self.at(layout::TOKEN)]
            .into_iter()
            .chain(claimed.then_some(claim))
    }

    /// Report whether this member's token is at the key.
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
    fn a_member_yields_its_key_and_a_mark_yields_none() {
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
    fn members_begin_with_the_prefix_of_their_range() {
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
    fn the_start_of_an_entry_yields_its_token_and_claim() {
        let lease = Head::of(&entry::lease(7, entry::LeasePurpose::Read));
        assert!(lease.carries(&Split.member(b"a", 7_u64.to_le_bytes())));
        assert!(!lease.carries(&Split.member(b"a", 8_u64.to_le_bytes())));
        assert_eq!(lease.tokens().count(), 1, "a lease has no claim");
        let mut value = entry::lease(7, entry::LeasePurpose::Read);
        value[2] = 0;
        value[layout::CLAIM] = 9;
        let tokens: Vec<Token> = Head::of(&value).tokens().collect();
        assert_eq!(tokens, [7_u64.to_le_bytes(), 9_u64.to_le_bytes()]);
        let short = Head::of(b"somebody's");
        assert_eq!(short.tokens().collect::<Vec<_>>(), [*b"'s\0\0\0\0\0\0"]);
    }
}
