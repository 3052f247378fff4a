use xxhash_rust::xxh3::xxh3_64;

use super::TypeFacts;

/// Fixed layout, little-endian:
/// `0` magic, `1` format, `2` kind, `3` codec, `4..8` the function's version, `8..16` token, `16..24` fingerprint,
/// `24..32` created (Unix ms), `32..40` soft expiry (Unix ms, 0: none), `40..44` compute time (microseconds),
/// `44..48` reserved, `48..56` checksum of all but token and checksum.
pub(crate) const HEADER_BYTES: usize = 56;
/// Where the token stands. Scripts in the store count from 1 and know it as `9..16`.
pub(crate) const TOKEN_OFFSET: usize = 8;

const MAGIC: u8 = 0xCA;
const FORMAT: u8 = 1;

/// The first bytes of a lease.
#[cfg(feature = "redis")]
pub(super) const LEASE_START: &[u8] = &[MAGIC, FORMAT, 2];

/// What stands at a key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Kind {
    #[default]
    Value,
    /// A `None` that is kept.
    Nothing,
    /// The right to fill the entry.
    Lease,
}

/// What is known of an entry besides its value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) version: u32,
    /// Whose fill it is.
    pub(crate) token: u64,
    pub(crate) created: u64,
    pub(crate) soft_expiry: u64,
    pub(crate) compute_micros: u32,
}

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) codec: u8,
    pub(crate) version: u32,
    pub(crate) token: u64,
    pub(crate) fingerprint: u64,
    pub(crate) checksum: u64,
}

/// An empty header, with room for the value behind it.
pub(crate) fn room(value_bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + value_bytes);
    out.resize(HEADER_BYTES, 0);
    out
}

/// Writes the header in front of the encoded value.
pub(crate) fn seal(mut entry: Vec<u8>, codec: u8, shape: &TypeFacts, facts: &Facts) -> Vec<u8> {
    let kind = match facts.kind {
        Kind::Value => 0,
        Kind::Nothing => 1,
        Kind::Lease => 2,
    };
    entry[..4].copy_from_slice(&[MAGIC, FORMAT, kind, codec]);
    entry[4..8].copy_from_slice(&facts.version.to_le_bytes());
    entry[8..16].copy_from_slice(&facts.token.to_le_bytes());
    entry[16..24].copy_from_slice(&shape.fingerprint.to_le_bytes());
    entry[24..32].copy_from_slice(&facts.created.to_le_bytes());
    entry[32..40].copy_from_slice(&facts.soft_expiry.to_le_bytes());
    entry[40..44].copy_from_slice(&facts.compute_micros.to_le_bytes());
    let checksum = checksum(&entry);
    entry[48..56].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// The same bytes with a checksum that fits.
#[cfg(test)]
pub(super) fn reseal(mut entry: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&entry);
    entry[48..56].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// The header, if these bytes begin with one of this format.
pub(crate) fn inspect(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
    if header[..2] != [MAGIC, FORMAT] {
        return None;
    }
    let kind = match header[2] {
        0 => Kind::Value,
        1 => Kind::Nothing,
        // Others wait for a lease, so what only looks like one, a corrupt value say, must not pass for it.
        2 if bytes.len() == HEADER_BYTES && word(header, 48) == checksum(bytes) => Kind::Lease,
        _ => return None,
    };
    let [v0, v1, v2, v3] = [header[4], header[5], header[6], header[7]];
    Some(Header {
        kind,
        codec: header[3],
        version: u32::from_le_bytes([v0, v1, v2, v3]),
        token: word(header, TOKEN_OFFSET),
        fingerprint: word(header, 16),
        checksum: word(header, 48),
    })
}

fn word(header: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// Of everything but the token, which a refresh replaces in place, and the checksum itself. Chained, so that
/// nothing is copied.
pub(crate) fn checksum(entry: &[u8]) -> u64 {
    let before_token = xxh3_64(&entry[..TOKEN_OFFSET]);
    let after_token = xxh3_64(&entry[TOKEN_OFFSET + 8..48]);
    let value = xxh3_64(&entry[HEADER_BYTES..]);
    let mut parts = [0; 24];
    parts[..8].copy_from_slice(&before_token.to_le_bytes());
    parts[8..16].copy_from_slice(&after_token.to_le_bytes());
    parts[16..].copy_from_slice(&value.to_le_bytes());
    xxh3_64(&parts)
}
