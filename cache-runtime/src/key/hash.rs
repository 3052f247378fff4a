//! The argument hash: BLAKE3 over the canonical bytes of the arguments. Golden vectors in the tests pin it across
//! platforms and releases.

/// How many bytes of the hash a variant shows: 128 bits.
const DIGEST_BYTES: usize = 16;

/// Digits and letters that are hard to mistake for one another; lower case, five bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Appends the digest of `canonical` in 26 characters.
pub(crate) fn push_digest(out: &mut String, canonical: &[u8]) {
    let hash = blake3::hash(canonical);
    let mut pending = 0u32;
    let mut bits = 0;
    for &byte in &hash.as_bytes()[..DIGEST_BYTES] {
        pending = (pending << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(pending >> bits) as usize & 31]));
        }
    }
    out.push(char::from(ALPHABET[(pending << (5 - bits)) as usize & 31]));
}
