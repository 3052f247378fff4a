//! The builder's options for encoding: codec, compression, and limits of size.

use super::{Codec, HEADER_BYTES};
use crate::error::CacheError;

/// Largest entry sent to Redis in bytes, header included. A larger one would hold up every other
/// command behind it until all of them timed out, or make the server close the connection.
#[cfg(feature = "redis")]
pub(super) const MAX_REDIS_BYTES: usize = 16 << 20;

/// A cache's settings for the bytes of its entries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Encoding {
    /// The codec that is tried first.
    pub(crate) codec: Codec,
    /// Encoded values of more bytes than this are compressed, if that makes them shorter.
    pub(crate) compress_over: Option<usize>,
    /// Maximum size of a value: encoded and not yet compressed, or as measured in memory.
    pub(crate) max_value_bytes: Option<usize>,
    /// Maximum size of a stored entry, imposed by the store.
    pub(super) max_entry_bytes: Option<usize>,
}

impl Encoding {
    /// Return the settings for a store in this process that has `room` bytes for the entry. Nothing
    /// is compressed: computed values aren't encoded there at all, and every hit would have to
    /// expand a value from `set`, without saving a network trip.
    pub(crate) fn in_memory(self, room: usize) -> Self {
        Self {
            compress_over: None,
            max_entry_bytes: Some(room),
            ..self
        }
    }

    /// Return the settings for Redis, where an entry may take `room` bytes.
    #[cfg(feature = "redis")]
    pub(crate) fn in_redis(self, room: Option<usize>) -> Self {
        Self {
            max_entry_bytes: Some(room.map_or(MAX_REDIS_BYTES, |room| room.min(MAX_REDIS_BYTES))),
            ..self
        }
    }

    /// Refuse a value of this size, measured unencoded, if it is too large.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), CacheError> {
        self.check_value(bytes)?;
        self.check_entry(bytes)
    }

    /// Refuse a value of this size if it is too large.
    pub(super) fn check_value(&self, bytes: usize) -> Result<(), CacheError> {
        at_most(bytes, self.max_value_bytes)
    }

    /// Refuse an entry that the store can't take, before it affects other callers.
    pub(super) fn check_entry(&self, bytes: usize) -> Result<(), CacheError> {
        at_most(bytes, self.max_entry_bytes)
    }

    /// Return whether an entry with an uncompressed value is to be compressed.
    pub(super) fn compresses(&self, entry: &[u8]) -> bool {
        let bytes = entry.len() - HEADER_BYTES;
        self.compress_over.is_some_and(|most| bytes > most)
    }
}

fn at_most(bytes: usize, limit: Option<usize>) -> Result<(), CacheError> {
    match limit {
        Some(limit) if bytes > limit => Err(CacheError::TooLarge { bytes, limit }),
        _ => Ok(()),
    }
}
