//! What the builder is told about the bytes of values.

use super::CacheBuilder;
use crate::entry::{Codec, Encoding};
use crate::error::CacheError;

/// How values are stored.
impl CacheBuilder {
    /// The codec that is tried first. What it can't carry rightly (a field that was left out, say, for one that goes by
    /// position) another one takes; readers take all.
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

    /// Compresses what is stored in Redis where its encoded value takes more than so many bytes and gets shorter;
    /// default: nothing. With Zstandard (feature `zstd`), else LZ4 (feature `lz4`); entries say which, and a build reads
    /// those that it has a feature for. The others are misses to it, and overwritten: turn a feature on everywhere before
    /// this is used anywhere.
    ///
    /// The caller's thread does the work. Of JSON-like rows of 100 kB, LZ4 makes 23 kB in 40 µs and expands them in 12;
    /// Zstandard makes 13 kB in 80 µs and expands them in 34. Below about a thousand bytes little is won.
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

    /// Stores entries in memory as bytes too, as Redis would, so that tests without a server see what a program on Redis
    /// sees; default false. A hit then decodes a value of its own, and a value that serde doesn't read as it wrote it isn't
    /// stored. Hits get slower: this is for tests.
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

    /// The most bytes of a value: in Redis encoded and not yet compressed, in memory as it was measured (about what its
    /// texts and numbers take; encoded, if it was `set`). Default: what there is room for in memory, see
    /// [`memory_capacity`](Self::memory_capacity), and 16 MiB for an entry in Redis as it is sent, which nothing raises.
    ///
    /// Too large a value is given to its caller and to those who wait for it. It isn't stored, and what stood at its key
    /// stays; it is counted ([`Stats::too_large`](crate::Stats::too_large)) and logged, once for each function and cache.
    /// Explicit operations that set answer [`CacheError::TooLarge`].
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
            reason: "is zero, so nothing would be stored; give a number of bytes, or `enabled(false)` for no cache".to_owned(),
        });
    }
    Ok(())
}
