use super::{Codec, HEADER_BYTES};
use crate::error::CacheError;

/// The largest entry that is sent to Redis, header included. A larger one would hold up every other command behind it
/// until all seemed late, or make the server close the connection.
#[cfg(feature = "redis")]
pub(super) const MOST_IN_REDIS: usize = 16 << 20;

/// What a cache says about the bytes of its entries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Encoding {
    /// The codec that is tried first.
    pub(crate) codec: Codec,
    /// Encoded values of more bytes are compressed, if that makes them shorter.
    pub(crate) compress_over: Option<usize>,
    /// The most bytes of a value: encoded and not yet compressed, or as they are measured in memory.
    pub(crate) max_value_bytes: Option<usize>,
    /// The most bytes of an entry as it is stored, for which the store has reasons of its own.
    pub(super) max_entry_bytes: Option<usize>,
}

impl Encoding {
    /// For a store in this process that has so much room for the entry. Nothing is compressed: what is computed isn't
    /// encoded there at all, and what is `set` would be expanded by every hit, which saves a trip to nobody.
    pub(crate) fn in_memory(self, room: usize) -> Self {
        Self {
            compress_over: None,
            max_entry_bytes: Some(room),
            ..self
        }
    }

    /// For Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn in_redis(self) -> Self {
        Self {
            max_entry_bytes: Some(MOST_IN_REDIS),
            ..self
        }
    }

    /// Refuses a value that takes so many bytes as it is, not encoded, if it is too large.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), CacheError> {
        self.check_value(bytes)?;
        self.check_entry(bytes)
    }

    /// Refuses a value of so many bytes if it is too large.
    pub(super) fn check_value(&self, bytes: usize) -> Result<(), CacheError> {
        at_most(bytes, self.max_value_bytes)
    }

    /// Refuses an entry that is its own problem before it becomes everybody's.
    pub(super) fn check_entry(&self, bytes: usize) -> Result<(), CacheError> {
        at_most(bytes, self.max_entry_bytes)
    }

    /// Whether an entry whose value isn't compressed yet is to be.
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
