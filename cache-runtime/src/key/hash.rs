//! The argument hash: BLAKE3 over the canonical bytes of the arguments. Golden vectors in the tests
//! pin it across platforms and releases.

use super::text::Text;

/// Number of hash bytes in a variant: 128 bits.
const DIGEST_BYTES: usize = 16;

/// Digits and letters that are hard to confuse with one another; lower case, five bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of characters that the digest takes, after the mark.
const DIGEST_CHARACTERS: usize = DIGEST_BYTES * 8 / 5 + 1;

/// The mark and the digest: ASCII.
pub(crate) type VariantText = [u8; 1 + DIGEST_CHARACTERS];

/// Append the mark and the digest of `canonical`.
pub(crate) fn push_variant(out: &mut Text, canonical: &[u8]) {
    // The bytes are ASCII. Checking that costs less than pushing them one by one.
    out.push_str(std::str::from_utf8(&variant_text(canonical)).unwrap_or_default());
}

/// Return the mark and the digest of `canonical`.
pub(crate) fn variant_text(canonical: &[u8]) -> VariantText {
    let hash = blake3::hash(canonical);
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hash.as_bytes()[..DIGEST_BYTES]);
    // Take five bits at a time from the top. The last group has only three bits, which become its
    // highest.
    let bits = u128::from_be_bytes(digest);
    let mut text = [super::VARIANT_MARK; 1 + DIGEST_CHARACTERS];
    for (at, character) in text[1..].iter_mut().enumerate() {
        let shift = 123 - 5 * at as i32;
        let five = if shift < 0 {
            bits << -shift
        } else {
            bits >> shift
        };
        *character = ALPHABET[five as usize & 31];
    }
    text
}
