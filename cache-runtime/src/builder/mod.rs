//! `CacheBuilder`: the options of a cache, and the check of all of them in `build`. The options of
//! Redis are in [`redis`], those of stored values in [`values`], the environment in [`env`].

mod audit;
mod env;
#[cfg(any(feature = "sentinel", feature = "tls"))]
mod network;
mod redis;
mod values;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::core::above::Above;
use crate::core::audits::Audits;
use crate::core::instance::Instance;
use crate::core::owners::Owners;
use crate::core::prefix::Prefix;
use crate::core::presets::member_name;
use crate::core::{Cache, CacheInner, Logged};
use crate::entry::Encoding;
use crate::error::CacheError;
#[cfg(feature = "redis")]
use crate::events;
use crate::flight::Flights;
use crate::stats::Counters;
use crate::store::Store;
use crate::store::memory::{Eviction, MemoryStore};
#[cfg(feature = "redis")]
use crate::store::redis::{ConnectOptions, Endpoint, RedisStore};
use crate::ttl::IntoTtl;

/// The prefix of a program that names none.
const DEFAULT_PREFIX: &str = "cache";

/// Longest timeout: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Builder of a [`Cache`]. Building connects to no server and starts no thread.
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Cache;
///
/// let cache = Cache::builder()
///     .prefix("quickpost")
///     .memory()
///     .memory_capacity(16 << 20)
///     .default_ttl(Duration::from_secs(60))
///     .preset("user_profile", Duration::from_secs(3_600))
///     .build()?;
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct CacheBuilder {
    prefix: Option<String>,
    default_prefix: Option<String>,
    backend: Backend,
    memory_capacity: usize,
    eviction: Eviction,
    owner_capacity: Option<usize>,
    default_ttl: Duration,
    enabled: bool,
    presets: HashMap<String, Duration>,
    wait_timeout: Duration,
    response_timeout: Duration,
    invalidation_timeout: Duration,
    replay_window: Duration,
    lease_ttl: Duration,
    near_cache: Option<usize>,
    near_max_silence: Duration,
    #[cfg(feature = "redis")]
    runtime_connections: bool,
    #[cfg(feature = "redis")]
    publish_stats: bool,
    clock: Clock,
    #[cfg(feature = "redis")]
    connect_options: ConnectOptions,
    encoding: Encoding,
    memory_as_bytes: bool,
    audit: f64,
    audit_limit: u32,
}

#[derive(Clone)]
enum Backend {
    Memory,
    #[cfg(feature = "redis")]
    Redis(Endpoint),
}

impl std::fmt::Debug for Backend {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "Memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "Redis",
        })
    }
}

impl CacheBuilder {
    pub(crate) fn new() -> Self {
        Self {
            prefix: None,
            default_prefix: None,
            backend: Backend::Memory,
            memory_capacity: 64 << 20,
            eviction: Eviction::default(),
            owner_capacity: None,
            default_ttl: Duration::from_secs(300),
            enabled: true,
            presets: HashMap::new(),
            wait_timeout: Duration::from_secs(30),
            response_timeout: Duration::from_millis(250),
            invalidation_timeout: Duration::from_secs(2),
            replay_window: Duration::from_secs(10),
            lease_ttl: Duration::from_secs(5),
            near_cache: None,
            near_max_silence: Duration::from_secs(1),
            #[cfg(feature = "redis")]
            runtime_connections: true,
            #[cfg(feature = "redis")]
            publish_stats: true,
            clock: Clock::system(),
            #[cfg(feature = "redis")]
            connect_options: ConnectOptions::default(),
            encoding: Encoding::default(),
            memory_as_bytes: false,
            audit: 0.0,
            audit_limit: audit::DEFAULT_LIMIT,
        }
    }

    /// Create a builder from the environment:
    ///
    /// | variable | meaning | example |
    /// |---|---|---|
    /// | `REDIS_URL` | the Redis to use; unset: memory | `redis://127.0.0.1:6379` |
    /// | `CACHE_KEY_PREFIX` | [`prefix`](Self::prefix) | `quickpost` |
    /// | `CACHE_ENABLED` | [`enabled`](Self::enabled): `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`) | `false` |
    /// | `CACHE_DEFAULT_TIMEOUT` | [`default_ttl`](Self::default_ttl), in seconds | `300` |
    /// | `CACHE_TIMEOUT_<NAME>` | TTL of the preset `<name>` in seconds; overrides the builder's | `3600` |
    /// | `CACHE_MEMORY_CAPACITY` | [`memory_capacity`](Self::memory_capacity), a size | `64MiB` |
    /// | `CACHE_MAX_VALUE_BYTES` | [`max_value_bytes`](Self::max_value_bytes), a size | `1MiB` |
    /// | `CACHE_CODEC` | [`codec`](Self::codec): `bincode`, `postcard` or `messagepack` | `messagepack` |
    /// | `CACHE_COMPRESS_OVER` | `compress_over` (feature `lz4` or `zstd`), a size | `4KiB` |
    /// | `CACHE_NEAR_BYTES` | [`near_cache`](Self::near_cache), a size; `0`: off | `32MiB` |
    /// | `CACHE_NEAR_MAX_SILENCE` | [`near_max_silence`](Self::near_max_silence), a time | `1s` |
    /// | `CACHE_RESPONSE_TIMEOUT` | [`response_timeout`](Self::response_timeout), a time | `250ms` |
    /// | `CACHE_INVALIDATION_TIMEOUT` | [`invalidation_timeout`](Self::invalidation_timeout), a time | `2s` |
    /// | `CACHE_WAIT_TIMEOUT` | [`wait_timeout`](Self::wait_timeout), a time | `30s` |
    /// | `CACHE_LEASE_TTL` | [`lease_ttl`](Self::lease_ttl), a time | `5s` |
    /// | `CACHE_REPLAY_WINDOW` | [`replay_window`](Self::replay_window), a time | `10s` |
    /// | `CACHE_PUBLISH_STATS` | `publish_stats` (feature `redis`): `true` or `false` | `true` |
    /// | `CACHE_RUNTIME_CONNECTIONS` | `runtime_connections` (feature `redis`): `true` or `false` | `true` |
    ///
    /// A *size* is a whole number of bytes, or one with a unit: `KiB`, `MiB`, `GiB`. A *time* is a
    /// whole number with a unit: `ms`, `s`, `m`, `h`. An empty variable counts as unset. A method
    /// that is called on the returned builder overrides the variable.
    ///
    /// ```
    /// # use cache_runtime::CacheBuilder;
    /// let cache = CacheBuilder::from_env()?.default_prefix("quickpost").build()?;
    /// # if std::env::var_os("CACHE_KEY_PREFIX").is_none() {
    /// assert_eq!(cache.prefix(), "quickpost"); // `CACHE_KEY_PREFIX` is unset
    /// # }
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidVariable`] names the variable and the fix: correct the environment.
    pub fn from_env() -> Result<Self, CacheError> {
        env::builder()
    }

    /// Set the prefix of every key, `[A-Za-z0-9_.-]+`; default `cache`. No prefix contains
    /// another's keys.
    ///
    /// Programs that share a Redis must have different prefixes, and the processes of one program
    /// the same one: they find, invalidate and clear each other's entries by it. So it isn't
    /// derived from the binary's name, and `build` logs a warning where Redis is used without one.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("quickpost").build()?;
    /// assert_eq!(cache.prefix(), "quickpost");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Set the prefix that is used if neither [`prefix`](Self::prefix) nor `CACHE_KEY_PREFIX` names
    /// one.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().default_prefix("quickpost").build()?;
    /// assert_eq!(cache.prefix(), "quickpost");
    /// let cache = Cache::builder().prefix("blog").default_prefix("quickpost").build()?;
    /// assert_eq!(cache.prefix(), "blog");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn default_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.default_prefix = Some(prefix.into());
        self
    }

    /// Store entries in this process. The default.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().memory().build()?.blocking();
    /// assert_eq!(cache.health_check()?.store, "memory");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn memory(mut self) -> Self {
        self.backend = Backend::Memory;
        self
    }

    /// Set the capacity of the memory store in bytes, keys and bookkeeping included; default 64
    /// MiB. If it is full, expired entries leave first, then those that
    /// [`eviction`](Self::eviction) chooses. A value must fit into one shard, which has at least 4
    /// MiB, or is the whole of a smaller store.
    ///
    /// ```
    /// # use cache_runtime::{Cache, CacheError};
    /// let cache = Cache::builder().memory_capacity(1 << 20).build()?;
    /// let error = cache.blocking().set("long", &"x".repeat(2 << 20), 60).unwrap_err();
    /// assert!(matches!(error, CacheError::TooLarge { .. }));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn memory_capacity(mut self, bytes: usize) -> Self {
        self.memory_capacity = bytes;
        self
    }

    /// Set the goal by which the memory store and the near cache choose the entries that they evict;
    /// default [`Eviction::HitRatio`].
    ///
    /// ```
    /// # use cache_runtime::{Cache, Eviction};
    /// // Reports that take seconds are cached beside rows that take a millisecond.
    /// let cache = Cache::builder().eviction(Eviction::ComputeTime).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn eviction(mut self, eviction: Eviction) -> Self {
        self.eviction = eviction;
        self
    }

    /// Limit the bytes that one owner's entries may take, keys included; unlimited by default.
    /// Entries have an owner if their function names one with `owner`.
    ///
    /// An entry that exceeds the limit takes the place of the owner's oldest entries, never of
    /// another owner's. A value that is larger than the limit is returned, and not stored. The limit
    /// holds at every moment; expired entries don't count. On Redis, all processes need the same
    /// limit. In a cluster, the owner has to be the hash tag of the key, see
    /// [`cacheable`](macro@crate::cacheable).
    ///
    /// ```standalone_crate
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "reports:<<user>>:<<id>>", ttl = 600, owner = user)]
    /// fn report(user: u64, id: u64) -> String {
    ///     format!("{id:0400}")
    /// }
    ///
    /// # fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().owner_capacity(10_000).build()?;
    /// cache.scope_sync(|| {
    ///     report(2, 1);
    ///     (0..100).for_each(|id| drop(report(1, id)));
    /// });
    /// assert!(cache.blocking().owner_stats(1)?.bytes <= 10_000);
    /// assert_eq!(cache.blocking().owner_stats(2)?.entries, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn owner_capacity(mut self, bytes: usize) -> Self {
        self.owner_capacity = Some(bytes);
        self
    }

    /// Set the TTL of entries that name no other; default 300 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().default_ttl(Duration::from_secs(60)).build()?.blocking();
    /// cache.set("answer", &42, None)?;
    /// assert!(cache.ttl("answer")? <= Some(Duration::from_secs(60)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// Set whether annotated functions are cached at all; default true. Explicit operations work
    /// either way.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cacheable};
    /// #[cacheable(key = "answer")]
    /// fn answer() -> u32 {
    ///     42
    /// }
    ///
    /// let cache = Cache::builder().enabled(false).build()?;
    /// assert_eq!(cache.scope_sync(answer), 42);
    /// assert_eq!(cache.stats().fills, 0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Add a named TTL, for `ttl = preset("name")`. The variable `CACHE_TIMEOUT_<NAME>`, if set,
    /// wins.
    ///
    /// [`build`](Self::build) refuses a TTL of zero, and two names that have the same variable,
    /// such as `user-profile` and `user_profile`. A function that names a preset which is
    /// configured nowhere uses the default TTL, and logs a warning at its first miss, once.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, cacheable};
    /// #[cacheable(key = "users:<<id>>", ttl = preset("user_profile"))]
    /// fn user(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// let cache = Cache::builder().preset("user_profile", Duration::from_secs(30)).build()?;
    /// cache.scope_sync(|| user(1));
    /// assert!(cache.blocking().ttl("users:1")? <= Some(Duration::from_secs(30)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn preset(mut self, name: impl Into<String>, ttl: Duration) -> Self {
        self.presets.insert(name.into(), ttl);
        self
    }

    /// Add a family of named TTLs, for `ttl = preset("reports:<<kind>>")`, where an argument selects
    /// the member. A TTL is a `Duration` or seconds. The member `default` is for all others. The
    /// variable `CACHE_TIMEOUT_<FAMILY>_<MEMBER>`, if set, wins.
    ///
    /// [`build`](Self::build) refuses the same as for [`preset`](Self::preset). A call with a member
    /// that is configured nowhere, in a family without `default`, uses the default TTL, and its
    /// function logs a warning, once.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, cacheable};
    /// #[cacheable(key = "reports:<<kind>>", ttl = preset("reports:<<kind>>"))]
    /// fn report(kind: &str) -> String {
    ///     format!("the report {kind}")
    /// }
    ///
    /// let ttls = [("student_progress", 300), ("analytics", 1800), ("default", 60)];
    /// let cache = Cache::builder().presets("reports", ttls).build()?;
    /// cache.scope_sync(|| report("analytics"));
    /// assert!(cache.blocking().ttl("reports:analytics")? > Some(Duration::from_secs(1790)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn presets<N: Display, T: IntoTtl>(
        mut self,
        family: &str,
        ttls: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        for (member, ttl) in ttls {
            // `None` is the cache's default, which a member that isn't configured has.
            if let Some(ttl) = ttl.into_ttl() {
                self.presets.insert(member_name(family, &member), ttl);
            }
        }
        self
    }

    /// Set how long a call waits for another caller's computation before it runs the body itself;
    /// default 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().wait_timeout(Duration::from_secs(5)).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn wait_timeout(mut self, limit: Duration) -> Self {
        self.wait_timeout = limit;
        self
    }

    /// Set the clock that governs the memory store's TTLs; default the system's.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock};
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// clock.advance(Duration::from_secs(61));
    /// assert_eq!(cache.get::<i32>("answer")?, None);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Validate the options and create the cache. Does no I/O: Redis is connected on first use.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, CacheError};
    /// let error = Cache::builder().default_ttl(Duration::ZERO).build().unwrap_err();
    /// assert!(matches!(error, CacheError::InvalidOption { option: "default_ttl", .. }));
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidPrefix`], [`CacheError::InvalidUrl`], [`CacheError::InvalidOption`] or,
    /// for a `CACHE_TIMEOUT_<NAME>`, [`CacheError::InvalidVariable`]. Each names the mistake and
    /// the fix: correct the configuration.
    pub fn build(mut self) -> Result<Cache, CacheError> {
        self.cap_times();
        let named = self.prefix.clone().or_else(|| self.default_prefix.clone());
        #[cfg(feature = "redis")]
        let is_named = named.is_some();
        let prefix = named.unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        env::check_prefix(&prefix)?;
        positive("response_timeout", self.response_timeout)?;
        positive("invalidation_timeout", self.invalidation_timeout)?;
        positive("lease_ttl", self.lease_ttl)?;
        positive("near_max_silence", self.near_max_silence)?;
        positive("default_ttl", self.default_ttl)?;
        values::check(&self.encoding)?;
        audit::check(self.audit, self.audit_limit)?;
        let presets = env::with_presets(&self.presets)?;
        let store = match &self.backend {
            Backend::Memory => Store::Memory(MemoryStore::new(self.memory_capacity, self.eviction)),
            #[cfg(feature = "redis")]
            Backend::Redis(endpoint) => {
                redis::check_owners(endpoint)?;
                let limits = self.limits();
                let store = RedisStore::new(
                    endpoint,
                    &self.connect_options,
                    &prefix,
                    limits,
                    &self.clock,
                )?;
                if !is_named {
                    events::unnamed_prefix(&prefix);
                }
                Store::Redis(store)
            }
        };
        #[cfg(feature = "redis")]
        let publishes = self.publish_stats;
        let cache = self.assemble(prefix, presets, store);
        #[cfg(feature = "redis")]
        if publishes && let Store::Redis(store) = &cache.inner().store {
            cache.publish(store);
        }
        Ok(cache)
    }

    /// Cut every timeout that is longer than any program runs, such as `Duration::MAX`, so that sums
    /// of them with each other and with the clock don't overflow.
    fn cap_times(&mut self) {
        for time in [
            &mut self.wait_timeout,
            &mut self.response_timeout,
            &mut self.invalidation_timeout,
            &mut self.replay_window,
            &mut self.lease_ttl,
            &mut self.near_max_silence,
        ] {
            *time = (*time).min(LONGEST);
        }
    }

    /// Build a cache that stores nothing, for an environment that describes no valid one.
    pub(crate) fn uncached(mut self) -> Cache {
        self.enabled = false;
        let (prefix, store) = (
            self.default_prefix
                .clone()
                .unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
            Store::Memory(MemoryStore::new(self.memory_capacity, self.eviction)),
        );
        self.assemble(prefix, HashMap::new(), store)
    }

    fn assemble(self, prefix: String, presets: HashMap<String, Duration>, store: Store) -> Cache {
        Cache {
            inner: Arc::new(CacheInner {
                prefix: Prefix::new(prefix),
                enabled: self.enabled,
                default_ttl: self.default_ttl,
                presets,
                wait_timeout: self.wait_timeout,
                clock: self.clock,
                encoding: self.encoding,
                memory_as_bytes: self.memory_as_bytes,
                logged: Logged::default(),
                store,
                flights: Arc::new(Flights::new()),
                counters: Counters::new(),
                owners: Owners::new(self.owner_capacity),
                instance: Instance::new(),
                above: Above::default(),
                audits: Audits::new(self.audit, self.audit_limit),
            }),
        }
    }
}

impl Cache {
    /// Create a builder with every default: memory, prefix `cache`, TTL 300 s.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.prefix(), "cache");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn builder() -> CacheBuilder {
        CacheBuilder::new()
    }

    /// Create a cache from the environment. See [`CacheBuilder::from_env`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::from_env()?; // memory, as `REDIS_URL` is unset
    /// # if std::env::var_os("CACHE_KEY_PREFIX").is_none() {
    /// assert_eq!(cache.prefix(), "cache");
    /// # }
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidVariable`] names the malformed variable: correct the environment. The
    /// errors of [`CacheBuilder::build`].
    pub fn from_env() -> Result<Self, CacheError> {
        CacheBuilder::from_env()?.build()
    }
}

fn positive(option: &'static str, value: Duration) -> Result<(), CacheError> {
    if value.is_zero() {
        let reason = "is zero; give a positive duration".to_owned();
        return Err(CacheError::InvalidOption { option, reason });
    }
    Ok(())
}
