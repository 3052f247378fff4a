//! Entries as an operator sees them: what is at a key, and which keys exist.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::Cache;
use crate::entry::inspect::{codec_name, compression_name, described, expanded, is_intact, owner};
use crate::entry::payload::Payload;
use crate::entry::{self, Bytes, Codec, EntryKind, Header, fingerprint};
use crate::error::CacheError;
use crate::key::path_of;
use crate::pattern::Pattern;
use crate::store::Store;
use crate::store::memory::Inspected;
#[cfg(feature = "redis")]
use crate::store::redis::EntryFacts;

/// Content of a key, and facts about it. Returned by [`Cache::inspect`] and [`Cache::entries`].
///
/// Times are serialized as seconds.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The key in Redis and in logs, with the prefix.
    pub key: String,
    /// The path, which patterns are matched against: the key without prefix and variant.
    pub path: String,
    /// Kind of content.
    pub kind: InspectedKind,
    /// The `version` of the function that stored the value; 0 unless it has one.
    pub version: u32,
    /// `bincode`, `postcard`, `messagepack` or `unknown`. `None` for what isn't stored as bytes.
    pub codec: Option<&'static str>,
    /// `lz4`, `zstd` or `unknown`. `None` for what isn't compressed.
    pub compression: Option<&'static str>,
    /// The shape of the value's type, if its codec stores values without names: a line for the type,
    /// and one for each struct and enum that it names, such as `Post { id: u64, title: string }`.
    /// Only [`Cache::inspect`] finds this out. On Redis, processes publish the shapes of their types
    /// at `<prefix>#shapes`
    /// ([`CacheBuilder::publish_stats`](crate::CacheBuilder::publish_stats)).
    pub shape: Option<String>,
    /// How long ago the value was stored, by the clock of the machine that stored it.
    #[serde(serialize_with = "seconds")]
    pub age: Option<Duration>,
    /// The remaining TTL: zero for a stale value, `None` for a key that never expires.
    #[serde(serialize_with = "seconds")]
    pub ttl: Option<Duration>,
    /// How long the value is kept beyond its TTL, to be served stale. On Redis it is kept the time of
    /// a lease ([`CacheBuilder::lease_ttl`](crate::CacheBuilder::lease_ttl)) longer, for a refresh that
    /// is under way.
    #[serde(serialize_with = "seconds")]
    pub grace: Option<Duration>,
    /// How long it took to compute the value. `None` for an explicit `set`.
    #[serde(serialize_with = "seconds")]
    pub compute: Option<Duration>,
    /// Bytes that are stored, header included; in memory, those of the value.
    pub bytes: u64,
    /// Bytes of the value as its codec wrote it, uncompressed. Only [`Cache::inspect`] finds this
    /// out.
    pub expanded_bytes: Option<u64>,
    /// Whether the checksum agrees with the bytes. Only [`Cache::inspect`] finds this out, for
    /// values that are stored as bytes.
    pub intact: Option<bool>,
    /// Whose entry it is. On Redis, only [`Cache::inspect`] finds this out.
    pub owner: Option<String>,
    /// Whether a caller is refreshing the value.
    pub refreshing: bool,
    #[serde(skip)]
    stored: Option<Bytes>,
}

/// The kind of thing at a key, in an [`Inspection`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InspectedKind {
    /// A value.
    Value,
    /// A cached `None`.
    None,
    /// A cached error.
    Error,
    /// A lease: a caller is computing the value.
    Lease,
    /// A lease of a write-through: a caller is writing the value.
    WriteLease,
    /// Nothing that this release reads: bytes of another format, or another type than a string.
    Unknown,
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn seconds<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_f64(time.as_secs_f64()),
        None => to.serialize_none(),
    }
}

impl Inspection {
    /// Whether the TTL has ended, and the value is only served stale.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let entry = cache.inspect("answer").await?.expect("it is cached");
    /// assert!(!entry.is_stale());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn is_stale(&self) -> bool {
        self.ttl == Some(Duration::ZERO)
    }

    /// Return the value's bytes as its codec wrote them, uncompressed. `None` for what isn't a
    /// value, for damaged bytes, for a compression that this build lacks, and for an entry of
    /// [`Cache::entries`], which doesn't read values.
    ///
    /// A value of the memory store that isn't stored as bytes is encoded as MessagePack for this.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Codec};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().codec(Codec::MessagePack).build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let entry = cache.inspect("answer").await?.expect("it is cached");
    /// assert_eq!(entry.value_bytes().as_deref(), Some(&[42][..]));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn value_bytes(&self) -> Option<Vec<u8>> {
        let (bytes, header) = self.value()?;
        Some(expanded(&header, bytes)?.into_owned())
    }

    /// Decode the value as any type, whatever type it was stored as: for tools that don't know it.
    /// `None` unless its codec describes values ([`Codec::MessagePack`]), and in the cases of
    /// [`value_bytes`](Self::value_bytes).
    ///
    /// ```
    /// # use cache_runtime::{Cache, Codec};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().codec(Codec::MessagePack).build()?;
    /// cache.set("answer", &42_u8, 60).await?;
    /// let entry = cache.inspect("answer").await?.expect("it is cached");
    /// assert_eq!(entry.decode::<String>(), None);
    /// assert_eq!(entry.decode::<u64>(), Some(42));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        let (bytes, header) = self.value()?;
        described(&header, bytes)
    }

    fn value(&self) -> Option<(&Bytes, Header)> {
        let bytes = self.stored.as_ref()?;
        let header = entry::inspect(bytes)?;
        (header.kind == EntryKind::Value).then_some((bytes, header))
    }
}

impl Cache {
    /// Return what is at a key: a value, fresh or stale, a lease, or anything else. Doesn't count as
    /// a read: not in the counters, and not for eviction in memory.
    ///
    /// ```
    /// use cache_runtime::{Cache, InspectedKind};
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let entry = cache.inspect("answer").await?.expect("it is cached");
    /// assert_eq!((entry.key.as_str(), entry.kind), ("cache:answer", InspectedKind::Value));
    /// assert!(cache.inspect("question").await?.is_none());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn inspect(&self, key: &str) -> Result<Option<Inspection>, CacheError> {
        let key = self.stored_key(key);
        match &self.inner().store {
            Store::Memory(store) => {
                let found = store.inspect(key, self.inner().clock.now());
                Ok(found.map(|found| self.of_memory(found, true)))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                use crate::store::redis::Found;
                let fetched = store.get_with_ttl(&key.into(), false).await?;
                let left = fetched.left.flatten();
                Ok(match fetched.seen {
                    Found::Absent => None,
                    Found::Lease(_, bytes) | Found::Entry(bytes) => {
                        let size = bytes.len() as u64;
                        let mut seen = self.of_bytes(key, &bytes, size, left).with_value(&bytes);
                        if let Some(fingerprint) = seen.unknown_shape() {
                            // The entry is of use without it.
                            seen.shape = store.shape(fingerprint).await.unwrap_or_default();
                        }
                        Some(seen)
                    }
                    Found::OtherType => Some(self.of_bytes(key, &[], 0, left)),
                })
            }
        }
    }

    /// Return the entries that the pattern matches, at most `limit`, without their values: values,
    /// fresh or stale, and leases. The pattern is that of [`delete_pattern`](Self::delete_pattern).
    /// To learn whether there are more, ask for one more.
    ///
    /// On Redis, this reads the index: it costs what it returns, and no walk over the keyspace,
    /// unless the index was lost and has to be rebuilt. The server reads each value to learn its
    /// length, unless the user may run `STRLEN`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("posts:1", 1), ("posts:1:comments", 2), ("posts:10", 3)], 60).await?;
    /// let entries = cache.entries("posts:1:*", 10).await?;
    /// let mut paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    /// paths.sort_unstable();
    /// assert_eq!(paths, ["posts:1", "posts:1:comments"]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Timeout`], [`CacheError::Unavailable`] or [`CacheError::Background`] if Redis
    /// fails. [`CacheError::Store`], too, if the server evicts the index as often as it is rebuilt.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes no entry.
    pub async fn entries(
        &self,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<Inspection>, CacheError> {
        let pattern = Pattern::new(pattern);
        match &self.inner().store {
            Store::Memory(store) => {
                let found = store.list(&pattern, limit, self.inner().clock.now());
                let found = found.into_iter();
                Ok(found.map(|entry| self.of_memory(entry, false)).collect())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let found = store.list(pattern, limit).await?.into_iter();
                Ok(found.map(|entry| self.of_facts(&entry)).collect())
            }
        }
    }

    /// Describe what the index has led to.
    #[cfg(feature = "redis")]
    pub(super) fn of_facts(&self, entry: &EntryFacts) -> Inspection {
        let left = u64::try_from(entry.pttl).ok();
        self.of_bytes(&entry.key, &entry.start, entry.bytes, left)
    }

    /// Describe bytes, of which `start` includes the header. `left`: milliseconds until the key
    /// expires.
    #[cfg(feature = "redis")]
    pub(super) fn of_bytes(
        &self,
        key: &str,
        start: &[u8],
        bytes: u64,
        left: Option<u64>,
    ) -> Inspection {
        let header = entry::inspect(start);
        let mut seen = self.nothing_known(key, bytes);
        seen.ttl = left.map(Duration::from_millis);
        let Some(header) = header else {
            return seen;
        };
        seen.describe(&header, start);
        seen.ttl = left.map(|left| Duration::from_millis(left.saturating_sub(header.grace)));
        seen.grace = (header.grace > 0).then(|| Duration::from_millis(header.grace));
        seen.refreshing = header.claim != 0 && seen.kind != InspectedKind::Lease;
        if header.created > 0 {
            let age = crate::clock::unix_millis().saturating_sub(header.created);
            seen.age = Some(Duration::from_millis(age));
        }
        seen
    }

    pub(super) fn of_memory(&self, found: Inspected, whole: bool) -> Inspection {
        let now = self.inner().clock.now();
        let until = |moment: u64| Duration::from_nanos(moment.saturating_sub(now));
        let mut seen = self.nothing_known(&found.key, found.bytes as u64);
        seen.kind = match &found.payload {
            Payload::Typed(_) | Payload::Encoded(_) => InspectedKind::Value,
            Payload::Nothing => InspectedKind::None,
            Payload::Error(_) => InspectedKind::Error,
        };
        match &found.payload {
            Payload::Encoded(bytes) => {
                if let Some(header) = entry::inspect(bytes) {
                    seen.describe(&header, bytes);
                }
                if whole {
                    seen = seen.with_value(bytes);
                }
            }
            Payload::Typed(value) if whole => {
                seen.stored = value.encode(Codec::MessagePack).ok().map(Bytes::from);
            }
            _ => {}
        }
        seen.version = found.version;
        seen.age = Some(Duration::from_nanos(now.saturating_sub(found.stored)));
        seen.ttl = (found.fresh_until != crate::clock::NEVER).then(|| until(found.fresh_until));
        let grace = found.expires.saturating_sub(found.fresh_until);
        seen.grace = (grace > 0).then(|| Duration::from_nanos(grace));
        seen.compute = (!found.compute.is_zero()).then_some(found.compute);
        seen.owner = found.owner.map(|owner| owner.to_string());
        seen
    }

    fn nothing_known(&self, key: &str, bytes: u64) -> Inspection {
        Inspection {
            key: self.full_key(key),
            path: String::from_utf8_lossy(path_of(key.as_bytes())).into_owned(),
            kind: InspectedKind::Unknown,
            version: 0,
            codec: None,
            compression: None,
            shape: None,
            age: None,
            ttl: None,
            grace: None,
            compute: None,
            bytes,
            expanded_bytes: None,
            intact: None,
            owner: None,
            refreshing: false,
            stored: None,
        }
    }
}

impl Inspection {
    /// Take over what the header says, whatever the store.
    fn describe(&mut self, header: &Header, start: &[u8]) {
        self.kind = match header.kind {
            EntryKind::Value => InspectedKind::Value,
            EntryKind::Nothing => InspectedKind::None,
            EntryKind::Error => InspectedKind::Error,
            EntryKind::Lease if is_write_lease(start) => InspectedKind::WriteLease,
            EntryKind::Lease => InspectedKind::Lease,
        };
        self.version = header.version;
        if matches!(header.kind, EntryKind::Value | EntryKind::Error) {
            self.codec = Some(codec_name(header));
            self.compression = compression_name(header);
        }
        let compute = Duration::from_micros(header.compute_micros.into());
        self.compute = (!compute.is_zero()).then_some(compute);
    }

    /// Whether this is a value whose codec stores no names.
    fn is_positional(&self) -> bool {
        self.kind == InspectedKind::Value && matches!(self.codec, Some("bincode" | "postcard"))
    }

    /// Return the fingerprint of a shape that this process doesn't know.
    #[cfg(feature = "redis")]
    fn unknown_shape(&self) -> Option<u64> {
        let (_, header) = self.value()?;
        (self.is_positional() && self.shape.is_none()).then_some(header.fingerprint)
    }

    /// Take over what only the whole bytes tell.
    fn with_value(mut self, bytes: &Bytes) -> Self {
        let Some(header) = entry::inspect(bytes) else {
            return self;
        };
        self.intact = Some(is_intact(&header, bytes));
        self.owner = owner(&header, bytes).map(std::borrow::Cow::into_owned);
        if self.is_positional() {
            self.shape = fingerprint::shape(header.fingerprint).map(str::to_owned);
        }
        self.expanded_bytes = expanded(&header, bytes).map(|value| value.len() as u64);
        self.stored = Some(Bytes::clone(bytes));
        self
    }
}

#[cfg(feature = "redis")]
fn is_write_lease(bytes: &[u8]) -> bool {
    entry::is_write_lease(bytes)
}

/// The memory store has no leases.
#[cfg(not(feature = "redis"))]
fn is_write_lease(_: &[u8]) -> bool {
    false
}
