//! Compressed values. In front of the compressed bytes stands the length of what they hold, so that a reader knows
//! what it is in for before it makes room.
//!
//! A checksum tells damage from whole bytes, but whoever can write to the store can make one that fits. So a length is
//! believed only within limits, and bytes that hold more or less than they say are a miss.

use std::borrow::Cow;

/// The bytes of the length.
const LENGTH_BYTES: usize = 4;
/// No value of a Redis string is longer, nor is anything that a codec here reads.
const LONGEST: usize = 512 << 20;
/// Up to this a value may be of any length, however few its bytes are: texts of one letter exist. It is what a few
/// entries cost a reader that aren't compressed.
const CHEAP: usize = 64 << 20;
/// Beyond that a value is at most so many times as long as its compressed bytes. LZ4 doesn't reach 256; Zstandard can
/// make 512 MiB of 16 KiB.
const MOST_TIMES: usize = 256;

/// A way to compress.
pub(crate) struct Method {
    /// Stands in entries.
    number: u8,
    /// How much room compressing a value of so many bytes takes.
    room: fn(usize) -> usize,
    /// Compresses a value, and gives the number of bytes that it wrote.
    encode: fn(&[u8], &mut [u8]) -> Option<usize>,
    /// Writes what the bytes hold, which gets no more than the room given, and gives its length.
    decode: fn(&[u8], &mut [u8]) -> Option<usize>,
}

/// Those of this build; the first is used, all are read.
pub(crate) const METHODS: &[Method] = &[
    #[cfg(feature = "zstd")]
    Method {
        number: 2,
        // It stops where the room ends: what isn't shorter is of no use.
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

/// Of JSON-like rows, level 3 made no less than level 1, and took a fifth longer.
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 1;

/// What an entry says whose value isn't compressed.
const NONE: u8 = 0;

/// Compresses what stands behind the first `header` bytes, if that makes it shorter and readers will take it. Gives the
/// number of what was done.
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
    /// The entry with its value compressed; `None` if that is no gain.
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

/// What an entry's bytes hold. `None`: this build can't tell, or they aren't what they say.
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

/// Whether so many compressed bytes may hold so many.
fn is_credible(length: usize, compressed: usize) -> bool {
    length <= LONGEST && (length <= CHEAP || length <= compressed.saturating_mul(MOST_TIMES))
}

#[cfg(test)]
mod tests;
