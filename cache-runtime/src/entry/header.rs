//! The header that precedes the bytes of every entry, lease and claim. [`layout`] names the offset of
//! each field; scripts read the same bytes through `store/redis/lua/prelude.lua`.

use xxhash_rust::xxh3::xxh3_64;

use super::{Codec, TypeFacts};

pub(crate) const HEADER_BYTES: usize = 72;

/// Offset of each header field, in bytes from the entry's start. Numbers are little-endian. Scripts
/// in the store use the same offsets from `lua/prelude.lua`; a test there compares both.
pub(crate) mod layout {
    /// Magic and format, one byte each.
    pub(super) const MAGIC: usize = 0;
    /// Kind of entry: 0 value, 1 cached `None`, 2 lease, 3 cached error.
    pub(crate) const KIND: usize = 2;
    /// The codec's number; in a lease its purpose: 0 for a read, 1 for a write-through, 2 for one
    /// that is contested.
    pub(crate) const CODEC: usize = 3;
    /// The function's version, four bytes.
    pub(super) const VERSION: usize = 4;
    /// The token of the fill, or of the lease.
    pub(crate) const TOKEN: usize = 8;
    /// The token of the caller that refreshes the value; 0 for none.
    pub(crate) const CLAIM: usize = 16;
    /// When that claim expires: the entry's `PTTL` at that moment, in milliseconds; 0 without a
    /// claim.
    pub(crate) const CLAIM_EXPIRY: usize = 24;
    /// The type's fingerprint. Scripts change nothing from here on.
    pub(super) const FINGERPRINT: usize = 32;
    /// Unix time in milliseconds.
    pub(super) const CREATED: usize = 40;
    /// Milliseconds before its expiry at which the entry turns stale; 0 for never.
    pub(crate) const GRACE: usize = 48;
    /// Compute time in microseconds, four bytes.
    pub(super) const COMPUTE: usize = 56;
    /// The compression's number; 0 for none.
    pub(super) const COMPRESSION: usize = 60;
    /// Length of the owner's text behind the value, two bytes; 0 without an owner. A reserved byte
    /// follows.
    pub(crate) const OWNER: usize = 61;
    /// Checksum of everything but `TOKEN..FINGERPRINT` and itself.
    pub(super) const CHECKSUM: usize = 64;
}

const MAGIC: u8 = 0xCA;
const FORMAT: u8 = 2;

/// The first bytes of a lease.
#[cfg(feature = "redis")]
pub(super) const LEASE_START: &[u8] = &[MAGIC, FORMAT, 2];

/// Kind of entry stored at a key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum EntryKind {
    #[default]
    Value,
    /// A cached `None`.
    Nothing,
    /// A lease: the right to fill the entry.
    Lease,
    /// A cached error.
    Error,
}

/// Facts about an entry besides its value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) kind: EntryKind,
    pub(crate) version: u32,
    /// Token of the fill.
    pub(crate) token: u64,
    pub(crate) created: u64,
    /// Milliseconds before its expiry at which the entry turns stale.
    pub(crate) grace: u64,
    pub(crate) compute_micros: u32,
}

/// A parsed header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) kind: EntryKind,
    pub(crate) codec: u8,
    pub(crate) version: u32,
    pub(crate) token: u64,
    /// Token of the caller that refreshes the value, 0 for none, and the entry's remaining lifetime
    /// when that claim expires.
    pub(crate) claim: u64,
    pub(crate) claim_end: u64,
    pub(crate) fingerprint: u64,
    /// Unix time in milliseconds.
    pub(crate) created: u64,
    pub(crate) grace: u64,
    pub(crate) compute_micros: u32,
    pub(crate) compression: u8,
    /// Length of the owner's text at the entry's end.
    pub(crate) owner_bytes: usize,
    pub(crate) checksum: u64,
}

/// Return an empty header, with capacity for the value behind it.
pub(crate) fn room(value_bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + value_bytes);
    out.resize(HEADER_BYTES, 0);
    out
}

/// Encoding of the bytes after the header: codec and compression, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Form {
    pub(crate) codec: u8,
    pub(crate) compression: u8,
}

impl Form {
    /// The form of an uncompressed value of this codec.
    pub(super) fn of(codec: Codec) -> Self {
        Self {
            codec: codec.id(),
            compression: 0,
        }
    }
}

/// Write the header in front of the encoded value.
pub(crate) fn seal(mut entry: Vec<u8>, form: Form, shape: &TypeFacts, facts: &Facts) -> Vec<u8> {
    let kind = match facts.kind {
        EntryKind::Value => 0,
        EntryKind::Nothing => 1,
        EntryKind::Lease => 2,
        EntryKind::Error => 3,
    };
    entry[layout::MAGIC..layout::VERSION].copy_from_slice(&[MAGIC, FORMAT, kind, form.codec]);
    entry[layout::VERSION..layout::TOKEN].copy_from_slice(&facts.version.to_le_bytes());
    entry[layout::TOKEN..layout::CLAIM].copy_from_slice(&facts.token.to_le_bytes());
    entry[layout::FINGERPRINT..layout::CREATED].copy_from_slice(&shape.fingerprint.to_le_bytes());
    entry[layout::CREATED..layout::GRACE].copy_from_slice(&facts.created.to_le_bytes());
    entry[layout::GRACE..layout::COMPUTE].copy_from_slice(&facts.grace.to_le_bytes());
    entry[layout::COMPUTE..layout::COMPRESSION]
        .copy_from_slice(&facts.compute_micros.to_le_bytes());
    entry[layout::COMPRESSION] = form.compression;
    let checksum = checksum(&entry);
    entry[layout::CHECKSUM..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// Write the owner behind the value of a sealed entry. A text too long for the header is left out.
#[cfg(feature = "redis")]
pub(crate) fn set_owner(entry: &mut Vec<u8>, owner: &str) {
    let Ok(length) = u16::try_from(owner.len()) else {
        return;
    };
    entry[layout::OWNER..layout::OWNER + 2].copy_from_slice(&length.to_le_bytes());
    entry.extend_from_slice(owner.as_bytes());
    let checksum = checksum(entry);
    entry[layout::CHECKSUM..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// Replace the fingerprint of a sealed entry.
pub(super) fn set_fingerprint(entry: &mut [u8], fingerprint: u64) {
    entry[layout::FINGERPRINT..layout::CREATED].copy_from_slice(&fingerprint.to_le_bytes());
    let checksum = checksum(entry);
    entry[layout::CHECKSUM..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// Return the same bytes with a correct checksum.
#[cfg(test)]
pub(super) fn reseal(mut entry: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&entry);
    entry[layout::CHECKSUM..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// Return the header, if these bytes begin with one of this format.
pub(crate) fn inspect(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
    if header[..layout::KIND] != [MAGIC, FORMAT] {
        return None;
    }
    let kind = match header[layout::KIND] {
        0 => EntryKind::Value,
        1 => EntryKind::Nothing,
        // Other callers wait for a lease, so a corrupt value must not be mistaken for one.
        2 if bytes.len() == HEADER_BYTES && word(header, layout::CHECKSUM) == checksum(bytes) => {
            EntryKind::Lease
        }
        3 => EntryKind::Error,
        _ => return None,
    };
    Some(Header {
        kind,
        codec: header[layout::CODEC],
        version: half_word(header, layout::VERSION),
        token: word(header, layout::TOKEN),
        claim: word(header, layout::CLAIM),
        claim_end: word(header, layout::CLAIM_EXPIRY),
        fingerprint: word(header, layout::FINGERPRINT),
        created: word(header, layout::CREATED),
        grace: word(header, layout::GRACE),
        compute_micros: half_word(header, layout::COMPUTE),
        compression: header[layout::COMPRESSION],
        owner_bytes: usize::from(u16::from_le_bytes([
            header[layout::OWNER],
            header[layout::OWNER + 1],
        ])),
        checksum: word(header, layout::CHECKSUM),
    })
}

fn half_word(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[at..at + 4]);
    u32::from_le_bytes(bytes)
}

fn word(header: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// Compute the checksum over everything but the tokens and the claim, which scripts replace in
/// place, and the checksum itself. The hash is chained to avoid a copy.
pub(crate) fn checksum(entry: &[u8]) -> u64 {
    let before_token = xxh3_64(&entry[..layout::TOKEN]);
    let after_token = xxh3_64(&entry[layout::FINGERPRINT..layout::CHECKSUM]);
    let value = xxh3_64(&entry[HEADER_BYTES..]);
    let mut parts = [0; 24];
    parts[..8].copy_from_slice(&before_token.to_le_bytes());
    parts[8..16].copy_from_slice(&after_token.to_le_bytes());
    parts[16..].copy_from_slice(&value.to_le_bytes());
    xxh3_64(&parts)
}
