use xxhash_rust::xxh3::xxh3_64;

use super::{Codec, TypeFacts};

/// Fixed layout, little-endian:
/// `0` magic, `1` format, `2` kind, `3` codec, `4..8` the function's version, `8..16` token of the fill (or of the lease),
/// `16..24` token of who refreshes the value (0: nobody), `24..32` when that claim ends (ms that the entry then still has
/// to live, as `PTTL` tells; 0: there is none), `32..40` fingerprint, `40..48` created (Unix ms), `48..56` grace (how many
/// ms before its end the entry turns stale; 0: never), `56..60` compute time (microseconds), `60` compression (0: none),
/// `61..64` reserved, `64..72` checksum of all but `8..32` and itself.
pub(crate) const HEADER_BYTES: usize = 72;
/// Where the token stands. Scripts in the store count from 1 and know it as `9..16`, and the claim as `17..32`.
pub(crate) const TOKEN_OFFSET: usize = 8;
/// Where what scripts may change ends.
const CLAIM_END: usize = 32;
const CHECKSUM_OFFSET: usize = 64;

const MAGIC: u8 = 0xCA;
const FORMAT: u8 = 2;

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
    /// How many milliseconds before its end the entry turns stale.
    pub(crate) grace: u64,
    pub(crate) compute_micros: u32,
}

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) codec: u8,
    pub(crate) version: u32,
    pub(crate) token: u64,
    /// Who refreshes the value, 0 for nobody, and how long the entry still has to live when that claim ends.
    pub(crate) claim: u64,
    pub(crate) claim_end: u64,
    pub(crate) fingerprint: u64,
    pub(crate) grace: u64,
    pub(crate) compute_micros: u32,
    pub(crate) compression: u8,
    pub(crate) checksum: u64,
}

/// An empty header, with room for the value behind it.
pub(crate) fn room(value_bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + value_bytes);
    out.resize(HEADER_BYTES, 0);
    out
}

/// How the bytes behind the header are to be read: codec and compression, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Form {
    pub(crate) codec: u8,
    pub(crate) compression: u8,
}

impl Form {
    /// As the codec wrote it.
    pub(super) fn of(codec: Codec) -> Self {
        Self {
            codec: codec.id(),
            compression: 0,
        }
    }
}

/// Writes the header in front of the encoded value.
pub(crate) fn seal(mut entry: Vec<u8>, form: Form, shape: &TypeFacts, facts: &Facts) -> Vec<u8> {
    let kind = match facts.kind {
        Kind::Value => 0,
        Kind::Nothing => 1,
        Kind::Lease => 2,
    };
    entry[..4].copy_from_slice(&[MAGIC, FORMAT, kind, form.codec]);
    entry[4..8].copy_from_slice(&facts.version.to_le_bytes());
    entry[8..16].copy_from_slice(&facts.token.to_le_bytes());
    entry[32..40].copy_from_slice(&shape.fingerprint.to_le_bytes());
    entry[40..48].copy_from_slice(&facts.created.to_le_bytes());
    entry[48..56].copy_from_slice(&facts.grace.to_le_bytes());
    entry[56..60].copy_from_slice(&facts.compute_micros.to_le_bytes());
    entry[60] = form.compression;
    let checksum = checksum(&entry);
    entry[CHECKSUM_OFFSET..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// The same bytes with a checksum that fits.
#[cfg(test)]
pub(super) fn reseal(mut entry: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&entry);
    entry[CHECKSUM_OFFSET..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
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
        2 if bytes.len() == HEADER_BYTES && word(header, CHECKSUM_OFFSET) == checksum(bytes) => {
            Kind::Lease
        }
        _ => return None,
    };
    Some(Header {
        kind,
        codec: header[3],
        version: half_word(header, 4),
        token: word(header, TOKEN_OFFSET),
        claim: word(header, 16),
        claim_end: word(header, 24),
        fingerprint: word(header, 32),
        grace: word(header, 48),
        compute_micros: half_word(header, 56),
        compression: header[60],
        checksum: word(header, CHECKSUM_OFFSET),
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

/// Of everything but the tokens and the claim, which scripts replace in place, and the checksum itself. Chained, so
/// that nothing is copied.
pub(crate) fn checksum(entry: &[u8]) -> u64 {
    let before_token = xxh3_64(&entry[..TOKEN_OFFSET]);
    let after_token = xxh3_64(&entry[CLAIM_END..CHECKSUM_OFFSET]);
    let value = xxh3_64(&entry[HEADER_BYTES..]);
    let mut parts = [0; 24];
    parts[..8].copy_from_slice(&before_token.to_le_bytes());
    parts[8..16].copy_from_slice(&after_token.to_le_bytes());
    parts[16..].copy_from_slice(&value.to_le_bytes());
    xxh3_64(&parts)
}
