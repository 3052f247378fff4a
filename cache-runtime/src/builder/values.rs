//! Builder options for the bytes of values.

use super::CacheBuilder;
use crate::entry::{Codec, Encoding};
use crate::error::CacheError;

/// Options for storing values.
impl CacheBuilder {
    /// Set the codec that is tried first. A value that it can't represent (for example, a
    /// positional codec and a value with a skipped field) is encoded with another one. Readers
    /// understand all codecs.
    ///
    /// ```
    /// use cache_runtime::{Cache, Codec};
    ///
    /// let cache = Cache::builder().codec(Codec::MessagePack).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn codec(mut self, codec: Codec) -> Self {
        self.encoding.codec = codec;
        self
    }

    /// Compress values in Redis whose encoding takes more than this many bytes, if that makes them
    /// shorter; default: off. Uses Zstandard (feature `zstd`), otherwise LZ4 (feature `lz4`). Each
    /// entry names its method, and a build reads the methods that it has a feature for. Other
    /// entries are misses for it, and are overwritten: enable a feature in every process before
    /// this option is used in any.
    ///
    /// The caller's thread does the work. For JSON-like rows of 100 kB, LZ4 takes 40 µs to produce
    /// 23 kB and 12 µs to decompress them; Zstandard takes 80 µs to produce 13 kB and 34 µs to
    /// decompress them. Below about a thousand bytes little is saved.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder().compress_over(4 << 10).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[cfg(any(feature = "lz4", feature = "zstd"))]
    pub fn compress_over(mut self, bytes: usize) -> Self {
        self.encoding.compress_over = Some(bytes);
        self
    }

    /// Store entries in memory as bytes, as in Redis, so that tests without a server behave like a
    /// program on Redis; default false. A hit then decodes a value of its own, and a value that
    /// does not survive the serde round trip isn't stored. Hits get slower: this is for tests.
    ///
    /// ```
    /// use cache_runtime::{Cache, cacheable};
    /// # use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    /// struct User {
    ///     name: String,
    ///     #[serde(skip)]
    ///     token: String,
    /// }
    ///
    /// # static RUNS: AtomicU32 = AtomicU32::new(0);
    /// #[cacheable(ttl = 60)]
    /// fn user() -> User {
    ///     # RUNS.fetch_add(1, Ordering::Relaxed);
    ///     User { name: "a".to_owned(), token: "t".to_owned() }
    /// }
    ///
    /// let cache = Cache::builder().memory_as_bytes(true).build()?;
    /// cache.scope_sync(|| {
    ///     // The body runs for both: a stored user would come back without its token.
    ///     assert_eq!(user(), user());
    /// });
    /// # assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    /// assert_eq!(cache.stats().fills, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn memory_as_bytes(mut self, as_bytes: bool) -> Self {
        self.memory_as_bytes = as_bytes;
        self
    }

    /// Set the maximum size of a value in bytes. In Redis that is its encoded size before
    /// compression. In memory it is its measured size (approximately the size of its strings and
    /// numbers), or its encoded size if it was `set`. Default: the limit of
    /// [`memory_capacity`](Self::memory_capacity) in memory, and 16 MiB for an entry in Redis as it
    /// is sent, a limit that this option can't raise.
    ///
    /// A value that is too large is returned to its caller and to waiting callers, but not stored;
    /// an entry already cached under its key stays. It is counted
    /// ([`Stats::too_large`](crate::Stats::too_large)) and logged, once for each function and
    /// cache. Explicit operations that set a value return [`CacheError::TooLarge`].
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError};
    ///
    /// let cache = Cache::builder().max_value_bytes(1_000).build()?.blocking();
    /// let error = cache.set("long", &"x".repeat(2_000), 60).unwrap_err();
    /// assert!(matches!(error, CacheError::TooLarge { limit: 1_000, .. }));
    /// # Ok::<(), CacheError>(())
    /// ```
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.encoding.max_value_bytes = Some(bytes);
        self
    }
}

pub(super) fn check(encoding: &Encoding) -> Result<(), CacheError> {
    if encoding.max_value_bytes == Some(0) {
        return Err(CacheError::InvalidOption {
            option: "max_value_bytes",
            reason: "is zero, so nothing would be stored; give a positive number of bytes, or disable the cache with `enabled(false)`".to_owned(),
        });
    }
    Ok(())
}
