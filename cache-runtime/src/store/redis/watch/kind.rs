//! From what is stored at a changed key to the kind of the change.
//!
//! The server says that a key changed, not how. Its content tells it, together with what was there
//! before, which is remembered for a bounded number of keys.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::clock::unix_millis;
use crate::entry::{self, EntryKind};
use crate::watch::ChangeKind;

/// Number of keys that each of two generations remembers. When the younger one is full, it takes the
/// place of the older one.
const REMEMBERED: usize = 8_192;

/// An entry that was stored longer ago than this isn't what has just changed its key.
const JUST_STORED: u64 = 10_000;

/// Content of a key.
pub(super) enum Content {
    Absent,
    /// Another type than a string.
    OtherType,
    Bytes {
        /// The first bytes, at most those of a header.
        start: Vec<u8>,
        /// Length of the whole; `None` if the user may not ask.
        length: Option<u64>,
        /// How long it is kept; `None` for ever.
        left: Option<Duration>,
    },
}

/// A change of one key.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) kind: ChangeKind,
    pub(super) bytes: Option<u64>,
    pub(super) ttl: Option<Duration>,
}

/// The last known state of each key, for a bounded number of keys.
#[derive(Default)]
pub(super) struct Memory {
    young: HashMap<Vec<u8>, Known>,
    old: HashMap<Vec<u8>, Known>,
}

#[derive(Clone, Copy)]
struct Known {
    token: u64,
    claim: u64,
    is_lease: bool,
    /// Not later than the key's expiry in Redis.
    expires: Option<Instant>,
}

impl Memory {
    /// Return the change that led to this content, or `None` for one that is of no interest, such as
    /// a lease that was renewed. The content was asked for at `asked`.
    pub(super) fn classify(
        &mut self,
        key: &[u8],
        content: &Content,
        asked: Instant,
    ) -> Option<Seen> {
        let before = self.forget(key);
        let of_kind = |kind| Seen {
            kind,
            bytes: None,
            ttl: None,
        };
        let (start, length, left) = match content {
            Content::Absent => {
                return Some(of_kind(match before {
                    Some(known) if known.is_lease => ChangeKind::Abandoned,
                    Some(known) if known.expires.is_some_and(|end| end <= Instant::now()) => {
                        ChangeKind::Expired
                    }
                    _ => ChangeKind::Removed,
                }));
            }
            Content::OtherType => return Some(of_kind(ChangeKind::Unknown)),
            Content::Bytes {
                start,
                length,
                left,
            } => (start, *length, *left),
        };
        let Some(header) = entry::inspect(start) else {
            return Some(Seen {
                bytes: length,
                ..of_kind(ChangeKind::Unknown)
            });
        };
        let now = Known {
            token: header.token,
            claim: header.claim,
            is_lease: header.kind == EntryKind::Lease,
            // Another program may have set a TTL beyond the end of the clock.
            expires: left.and_then(|left| asked.checked_add(left)),
        };
        self.remember(key, now);
        let same = before.filter(|known| known.token == now.token);
        let is_new = match same {
            Some(known) => now.is_lease != known.is_lease,
            None => now.is_lease || header.created.saturating_add(JUST_STORED) > unix_millis(),
        };
        let is_claimed = now.claim != 0 && same.is_none_or(|known| known.claim != now.claim);
        match (now.is_lease, is_new) {
            (true, true) => Some(of_kind(ChangeKind::Computing)),
            (true, false) => None,
            (false, true) if now.claim == 0 || before.is_some() => {
                let grace = Duration::from_millis(header.grace);
                Some(Seen {
                    kind: ChangeKind::Filled,
                    bytes: length,
                    ttl: left.map(|left| left.saturating_sub(grace)),
                })
            }
            (false, _) => is_claimed.then(|| of_kind(ChangeKind::Computing)),
        }
    }

    fn forget(&mut self, key: &[u8]) -> Option<Known> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }

    fn remember(&mut self, key: &[u8], known: Known) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.to_vec(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Encoding, Facts, encode, incomparable};

    fn value(token: u64, created: u64, left: u64) -> Content {
        let facts = Facts {
            token,
            created,
            ..Facts::default()
        };
        let bytes = encode(&7, &facts, &Encoding::default(), incomparable)
            .expect("a number is encoded")
            .bytes;
        Content::Bytes {
            start: bytes[..entry::HEADER_BYTES].to_vec(),
            length: Some(bytes.len() as u64),
            left: Some(Duration::from_millis(left)),
        }
    }

    fn kind(memory: &mut Memory, content: &Content) -> Option<ChangeKind> {
        let seen = memory.classify(b"a", content, Instant::now());
        seen.map(|seen| seen.kind)
    }

    #[test]
    fn a_key_that_is_gone_has_expired_once_its_known_ttl_has_passed() {
        let mut memory = Memory::default();
        assert_eq!(
            kind(&mut memory, &Content::Absent),
            Some(ChangeKind::Removed)
        );
        let now = unix_millis();
        assert_eq!(
            kind(&mut memory, &value(1, now, 60_000)),
            Some(ChangeKind::Filled)
        );
        assert_eq!(
            kind(&mut memory, &Content::Absent),
            Some(ChangeKind::Removed)
        );
        assert_eq!(
            kind(&mut memory, &value(2, now, 0)),
            Some(ChangeKind::Filled)
        );
        assert_eq!(
            kind(&mut memory, &Content::Absent),
            Some(ChangeKind::Expired)
        );
    }

    #[test]
    fn an_old_value_whose_key_changed_is_no_fill() {
        let (mut memory, now) = (Memory::default(), unix_millis());
        assert_eq!(kind(&mut memory, &value(1, now - 60_000, 60_000)), None);
        assert_eq!(
            kind(&mut memory, &value(2, now, 60_000)),
            Some(ChangeKind::Filled)
        );
        assert_eq!(kind(&mut memory, &value(2, now, 60_000)), None);
    }

    #[test]
    fn times_beyond_the_end_of_the_clock_are_no_panic() {
        let mut memory = Memory::default();
        let now = unix_millis();
        for (created, left) in [(u64::MAX, 60_000), (now, u64::MAX)] {
            let content = value(1, created, left);
            assert_eq!(
                kind(&mut memory, &content),
                Some(ChangeKind::Filled),
                "{created} {left}"
            );
            memory = Memory::default();
        }
    }

    #[test]
    fn the_number_of_remembered_keys_is_bounded() {
        let mut memory = Memory::default();
        let now = unix_millis();
        for number in 0..3 * REMEMBERED {
            let key = number.to_le_bytes();
            memory.classify(&key, &value(1, now, 60_000), Instant::now());
        }
        assert!(memory.young.len() + memory.old.len() <= 2 * REMEMBERED);
    }
}
