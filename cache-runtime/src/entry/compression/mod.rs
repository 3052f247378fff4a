//! Compressed values. The uncompressed length precedes the compressed bytes, so that a reader can
//! check it before it allocates.
//!
//! The checksum detects damage, but an attacker who can write to the store can forge it. The length
//! is therefore trusted only within limits, and bytes that expand to more or less than announced
//! are a miss.

use std::borrow::Cow;

/// Size of the length field in bytes.
const LENGTH_BYTES: usize = 4;
/// Maximum size of a Redis string; no codec here reads more.
const MAX_BYTES: usize = 512 << 20;
/// Size up to which any ratio is accepted: a text may repeat a single letter. A few uncompressed
/// entries cost a reader as much.
const ANY_RATIO_BYTES: usize = 64 << 20;
/// Largest accepted ratio of uncompressed to compressed size beyond [`ANY_RATIO_BYTES`]. LZ4
/// doesn't reach 256; Zstandard can expand 16 KiB to 512 MiB.
const MAX_RATIO: usize = 256;

/// A compression method.
pub(crate) struct Method {
    /// The method's number in entries.
    number: u8,
    /// Return the buffer size needed to compress a value of this many bytes.
    room: fn(usize) -> usize,
    /// Compress a value and return the number of bytes written.
    encode: fn(&[u8], &mut [u8]) -> Option<usize>,
    /// Expand into the given buffer, never beyond it, and return the length.
    decode: fn(&[u8], &mut [u8]) -> Option<usize>,
}

/// The methods of this build. The first is used for writing, all for reading.
pub(crate) const METHODS: &[Method] = &[
    #[cfg(feature = "zstd")]
    Method {
        number: 2,
        // Compression stops where the buffer ends: a result that isn't shorter is useless.
        room: |value| value,
        encode: |value, out| zstd::bulk::compress_to_buffer(value, out, ZSTD_LEVEL).ok(),
        decode: |bytes, out| zstd::bulk::decompress_to_buffer(bytes, out).ok(),
    },
    #[cfg(feature = "lz4")]
    Method {
        number: 1,
        room: lz4_flex::block::get_maximum_output_size,
        encode: |value, out| lz4_flex::block::compress_into(value, out).ok(),
        decode: |bytes, out| lz4_flex::block::decompress_into(bytes, out).ok(),
    },
];

/// On JSON-like rows, level 3 compressed no better than level 1, and took a fifth longer.
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 1;

/// Method number of an uncompressed value.
const NONE: u8 = 0;

/// Compress the bytes after the first `header` bytes, if that makes them shorter and readers will
/// accept the ratio. Return the number of the method used.
pub(crate) fn compress(entry: &mut Vec<u8>, header: usize) -> u8 {
    let Some(method) = METHODS.first() else {
        return NONE;
    };
    match method.compress(entry, header) {
        Some(shorter) => {
            *entry = shorter;
            method.number
        }
        None => NONE,
    }
}

impl Method {
    /// Return the entry with its value compressed; `None` if that saves nothing.
    pub(crate) fn compress(&self, entry: &[u8], header: usize) -> Option<Vec<u8>> {
        let value = &entry[header..];
        let length = u32::try_from(value.len()).ok()?;
        let start = header + LENGTH_BYTES;
        let mut out = vec![0; start + (self.room)(value.len())];
        let bytes = (self.encode)(value, &mut out[start..])?;
        out.truncate(start + bytes);
        out[..header].copy_from_slice(&entry[..header]);
        out[header..start].copy_from_slice(&length.to_le_bytes());
        (out.len() < entry.len() && is_credible(value.len(), bytes)).then_some(out)
    }
}

/// Return the uncompressed value of an entry. `None` if this build lacks the method, or the bytes
/// are inconsistent.
pub(crate) fn expand(compression: u8, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if compression == NONE {
        return Some(Cow::Borrowed(bytes));
    }
    let method = METHODS.iter().find(|method| method.number == compression)?;
    let (length, bytes) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if !is_credible(length, bytes.len()) {
        return None;
    }
    let mut value = vec![0; length];
    let written = (method.decode)(bytes, &mut value)?;
    (written == length).then_some(Cow::Owned(value))
}

/// Return whether this many compressed bytes may expand to `length` bytes.
fn is_credible(length: usize, compressed: usize) -> bool {
    length <= MAX_BYTES
        && (length <= ANY_RATIO_BYTES || length <= compressed.saturating_mul(MAX_RATIO))
}

#[cfg(test)]
mod tests;
