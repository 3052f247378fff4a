//! Explicit operations on one key or one pattern.

#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

use crate::core::Cache;
use crate::entry::payload::Payload;
use crate::entry::{self, Encoding, Facts};
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::site::Origin;
use crate::site::registry::EXPLICIT;
use crate::stats::Counter;
use crate::store::Store;
use crate::store::memory::Entry;
use crate::ttl::IntoTtl;
use crate::value::Settable;

/// Explicit operations.
///
/// A key is a path, with its variant if it has one, and is taken as it is written: `posts:42`. It
/// may also be the full key, `quickpost:posts:42`, as a `.._cache_key(..)` companion, a log line or
/// `redis-cli` shows it: a key that begins with this cache's prefix and `:` is a full key. So a
/// path that itself begins with that text must be given in full, `quickpost:quickpost:42`. The
/// `.._cache_path(..)` companions do that by themselves, and so does [`key!`](crate::key) where its
/// first segment holds a value: whatever the value, even the prefix itself, they never name another
/// entry.
///
/// Values in a key are escaped by [`key!`](crate::key) and [`escape`](crate::escape).
impl Cache {
    /// Return the value of a key, if it is cached and a `T`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// assert_eq!(cache.get::<i32>("answer").await?, Some(42));
    /// assert_eq!(cache.get::<i32>("question").await?, None);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get<T: serde::de::DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<T>, CacheError> {
        let found = self.load_value(self.stored_key(key)).await;
        self.count_found(&found.as_ref().map(Option::is_some));
        found
    }

    pub(crate) fn count_found(&self, found: &Result<bool, &CacheError>) {
        let counter = match found {
            Ok(true) => Counter::Hits,
            Ok(false) => Counter::Misses,
            Err(error) => Counter::of(error),
        };
        self.inner().counters.add(EXPLICIT, counter, 1);
    }

    pub(crate) async fn load_value<T: serde::de::DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<T>, CacheError> {
        match &self.inner().store {
            Store::Memory(store) => Ok(store
                .get(key, self.inner().clock.now())
                .and_then(|hit| hit.payload.read())),
            #[cfg(feature = "redis")]
            Store::Redis(store) => Ok(store
                .load(key)
                .await?
                .and_then(|bytes| entry::decode_whole(&bytes, None))),
        }
    }

    /// Store a value, replacing any other. Pass a string as it is, `cache.set("greeting", "hello",
    /// 60)`: for a reference to a reference, `&"hello"`, the compiler reports that its
    /// `Deserialize` isn't general enough, since only a `String` can be read back. `ttl` is a
    /// [`Duration`], seconds, or `None` for the cache's default.
    ///
    /// A computation of the same key that is under way is superseded: its value is no longer
    /// stored.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("greeting", "hello", 60).await?; // seconds
    /// assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::TooLarge`]; [`CacheError::TooDeep`]; [`CacheError::Changed`] for a value that
    /// does not survive the serde round trip; [`CacheError::Encode`] for one that no codec can
    /// represent: correct the value's type or raise the limit. The entry that was cached before
    /// stays.
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: go on without the entry.
    ///
    /// Two values that change are not detected here: a field with `#[serde(skip)]`, and a field
    /// whose `serialize_with` writes a value that encodes to itself (`"***"`). Functions with
    /// `#[cacheable]` detect both where the type is `PartialEq`.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set<T: Settable + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        let key = self.stored_key(key);
        let ttl = ttl.into_ttl().unwrap_or(self.inner().default_ttl);
        let stored = match self.encode("set", key, value) {
            Ok(bytes) => self.store_bytes(key, bytes, ttl).await,
            Err(error) => Err(error),
        };
        let counter = match &stored {
            Ok(()) => Some(Counter::Fills),
            // Already counted as too large.
            Err(CacheError::TooLarge { .. }) => None,
            Err(error) => Some(Counter::of(error)),
        };
        if let Some(counter) = counter {
            self.inner().counters.add(EXPLICIT, counter, 1);
        }
        stored
    }

    /// Encode the entry of a value that is set. A value that is too large is counted and logged
    /// here, so that all operations that set do the same.
    pub(crate) fn encode<T: Settable + ?Sized>(
        &self,
        function: &'static str,
        key: &str,
        value: &T,
    ) -> Result<Vec<u8>, CacheError> {
        let encoded = encode(value, &self.encoding_of(key));
        if let Err(error) = &encoded {
            self.is_too_large(Origin::explicit(function), key, error);
        }
        encoded
    }

    pub(crate) async fn store_bytes(
        &self,
        key: &str,
        bytes: Vec<u8>,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        match &self.inner().store {
            Store::Memory(_) => {
                self.store_in_memory(key, bytes, ttl);
                Ok(())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.store(vec![(Arc::from(key), bytes)], ttl).await,
        }
    }

    pub(crate) fn store_in_memory(&self, key: &str, bytes: Vec<u8>, ttl: Duration) {
        let inner = self.inner();
        let Some(store) = inner.store.memory() else {
            return;
        };
        let now = inner.clock.now();
        let expires = inner.clock.deadline(ttl);
        let weight = bytes.len();
        let entry = Entry {
            payload: Payload::Encoded(bytes.into()),
            version: 0,
            fresh_until: expires,
            expires,
            compute: Duration::ZERO,
            paused_until: 0,
            stored: now,
            bytes: weight,
            owned: None,
        };
        inner
            .flights
            .invalidate_key(key, || store.insert(key, entry, now));
    }

    /// Delete a key. Returns whether it existed.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// assert!(cache.delete("answer").await?);
    /// assert!(!cache.delete("answer").await?);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        let keys = vec![self.stored_key(key).into()];
        let removed = self.delete_entries(Origin::explicit("delete"), keys);
        Ok(removed.await? > 0)
    }

    pub(crate) async fn remove_value(&self, key: &str) -> Result<bool, CacheError> {
        let inner = self.inner();
        match &inner.store {
            Store::Memory(store) => Ok(store.remove(key, inner.clock.now())),
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.remove(key).await,
        }
    }

    /// Delete the entries that the pattern matches, and return their number. The pattern is a glob
    /// (`*`, `?`, `[..]`, `\`) over paths, without the prefix. Every variant of a matching path is
    /// deleted, and `posts:42:*` includes `posts:42`. A value in the pattern needs escaping, which
    /// [`pattern!`](crate::pattern) does.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("posts:1", 1), ("posts:1:comments", 2), ("posts:10", 3)], 60).await?;
    /// assert_eq!(cache.delete_pattern("posts:1:*").await?, 2);
    /// assert!(cache.exists("posts:10").await?);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it. Entries that were deleted before the failure stay deleted.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete_pattern(&self, pattern: &str) -> Result<u64, CacheError> {
        self.invalidate(
            Origin::explicit("delete_pattern"),
            vec![Pattern::new(pattern)],
        )
        .await
    }

    /// Delete every entry of this prefix, and return their number.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("a", 1), ("b", 2)], 60).await?;
    /// assert_eq!(cache.clear().await?, 2);
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it. Entries that were deleted before the failure stay deleted.
    /// [`CacheError::Background`] if the cache's thread can't start: nothing was sent or queued.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn clear(&self) -> Result<u64, CacheError> {
        self.invalidate(Origin::explicit("clear"), vec![Pattern::new("*")])
            .await
    }

    /// Whether a key is cached.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// assert!(cache.exists("answer").await?);
    /// assert!(!cache.exists("question").await?);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn exists(&self, key: &str) -> Result<bool, CacheError> {
        Ok(self.ttl(key).await?.is_some())
    }

    /// Return the remaining TTL of a key; `None` if it isn't cached. An entry that outlives its
    /// TTL, because its function has `stale` or a similar option, counts as not cached once the TTL
    /// ends.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Clock};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// # use std::time::Duration;
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.set("answer", &42, 60).await?;
    /// clock.advance(Duration::from_secs(20));
    /// assert_eq!(cache.ttl("answer").await?, Some(Duration::from_secs(40)));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        let key = self.stored_key(key);
        match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                let left =
                    |hit: crate::store::memory::Hit| Duration::from_nanos(hit.fresh_until - now);
                Ok(store.get(key, now).map(left))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.ttl(key).await,
        }
    }
}

pub(crate) fn encode<T: Settable + ?Sized>(
    value: &T,
    encoding: &Encoding,
) -> Result<Vec<u8>, CacheError> {
    let facts = Facts {
        #[cfg(feature = "redis")]
        created: crate::clock::unix_millis(),
        ..Facts::default()
    };
    // Generic code can't find out whether `T` is `PartialEq`.
    Ok(entry::encode(value, &facts, encoding, entry::incomparable)?.bytes)
}
