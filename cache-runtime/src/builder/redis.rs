//! Builder options for Redis.

use std::time::Duration;

#[cfg(feature = "redis")]
use super::Backend;
use super::CacheBuilder;
#[cfg(feature = "redis")]
use crate::error::CacheError;
#[cfg(feature = "redis")]
use crate::site::{ReadSite, registry};
#[cfg(feature = "redis")]
use crate::store::redis::{Endpoint, Limits};

/// Options for the location of Redis.
#[cfg(feature = "redis")]
impl CacheBuilder {
    /// Store entries in the Redis at this URL, `redis://[user:password@]host[:port][/database]`, or
    /// at a Unix socket, `unix:///path?db=3&user=name&pass=secret`.
    ///
    /// Only `?protocol=resp3` may follow a host: [`build`](Self::build) refuses what would be
    /// ignored, such as `?db=3`. It also refuses a user without a password: the client would not
    /// log in, and act as the user `default`. A password alone, `redis://:password@host`, is that
    /// of `default`. A node of a cluster needs [`redis_cluster`](Self::redis_cluster).
    ///
    /// ```
    /// # use cache_runtime::{Cache, CacheError};
    /// let cache = Cache::builder().redis("redis://127.0.0.1:6379/2").build()?;
    /// let error = Cache::builder().redis("redis://127.0.0.1:6379?db=3").build().unwrap_err();
    /// assert!(matches!(error, CacheError::InvalidUrl { .. }));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.backend = Backend::Redis(Endpoint::Server(url.into()));
        self
    }

    /// Store entries in the Redis Cluster that these nodes belong to, each
    /// `redis://[user:password@]host[:port]`.
    ///
    /// One node is enough to find the others; of several, all but one may be down. Nodes that no
    /// URL names are reached with the user and password of the first.
    ///
    /// ```standalone_crate
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder()
    ///     .redis_cluster(["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"])
    ///     .build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn redis_cluster(mut self, urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let urls = urls.into_iter().map(Into::into).collect();
        self.backend = Backend::Redis(Endpoint::Cluster(urls));
        self
    }
}

/// Timeouts and connections. Without the feature `redis` they have no effect.
impl CacheBuilder {
    /// Set how long Redis may take to answer (connecting included) before it counts as down;
    /// default 250 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().response_timeout(Duration::from_millis(100)).build()?;
    /// assert!(Cache::builder().response_timeout(Duration::ZERO).build().is_err());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Set how long an invalidation on Redis may take before it counts as unsent, while Redis isn't
    /// known to be down; default 2 s. It is longer than a read's timeout, since a late invalidation
    /// leaves other processes with old values.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().invalidation_timeout(Duration::from_secs(1)).build()?;
    /// assert!(Cache::builder().invalidation_timeout(Duration::ZERO).build().is_err());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn invalidation_timeout(mut self, timeout: Duration) -> Self {
        self.invalidation_timeout = timeout;
        self
    }

    /// Set how long acknowledged invalidations are remembered, default 10 s. They are sent again to
    /// a Redis that came back as another server (restarted from a snapshot, or a new master), since
    /// it may have lost them.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().replay_window(Duration::from_secs(60)).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn replay_window(mut self, window: Duration) -> Self {
        self.replay_window = window;
        self
    }

    /// Set the TTL of a lease in Redis, after which the lease of a dead holder expires; default 5
    /// s. A live holder renews its lease.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().lease_ttl(Duration::from_secs(2)).build()?;
    /// assert!(Cache::builder().lease_ttl(Duration::ZERO).build().is_err());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn lease_ttl(mut self, lease: Duration) -> Self {
        self.lease_ttl = lease;
        self
    }

    /// Set whether a tokio runtime that reads often gets a connection of its own, which saves two
    /// thread switches per read; default true.
    ///
    /// Such a connection needs the runtime's I/O. tokio doesn't tell whether a runtime was built
    /// with it, and panics where I/O is requested without it. The cache catches that panic, once
    /// per process, and reads over its own thread from then on; but a panic hook sees it. If the
    /// program has such runtimes (neither `enable_io` nor `enable_all`) and a hook that reports
    /// panics or ends the process, pass false: then all reads go over the cache's own thread, and
    /// this panic doesn't occur.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder()
    ///     .redis("redis://10.0.0.1:6379")
    ///     .runtime_connections(false)
    ///     .build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[cfg(feature = "redis")]
    pub fn runtime_connections(mut self, enabled: bool) -> Self {
        self.runtime_connections = enabled;
        self
    }

    /// Set whether this process publishes its counters to Redis, so that every process can show
    /// those of all ([`Cache::fleet`](crate::Cache::fleet)). On by default. Without Redis there is
    /// nothing to publish.
    ///
    /// From the second after the first operation on, the cache's own thread writes a snapshot to the
    /// key `<prefix>#app:<instance>` every five seconds, with a TTL of fifteen; once a minute it also
    /// registers the name in the set `<prefix>#apps`. No call waits for that, and nothing is sent
    /// while Redis is out of reach. The snapshot has names of functions and numbers: no key, no user
    /// and no host.
    ///
    /// The shapes of the types that this process stores are published, too, once a minute at the set
    /// `<prefix>#shapes`: tools show them beside values that their codec stores without names
    /// ([`Inspection::shape`](crate::Inspection::shape)).
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let tool = Cache::builder().redis("redis://127.0.0.1").publish_stats(false).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[cfg(feature = "redis")]
    pub fn publish_stats(mut self, enabled: bool) -> Self {
        self.publish_stats = enabled;
        self
    }

    /// Enable the near cache (client-side caching): keep up to this many bytes of the entries in
    /// Redis in this process too. Default: off.
    ///
    /// Redis notifies the process of changes (`CLIENT TRACKING`). An entry that
    /// another process invalidates is removed when the notification arrives; an entry that this
    /// process invalidates is removed before the invalidation returns. While Redis can't notify,
    /// the near cache serves no entries. A function with `near = false` is excluded. Without Redis
    /// this option has no effect.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().near_cache(64 << 20).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn near_cache(mut self, bytes: usize) -> Self {
        self.near_cache = Some(bytes);
        self
    }

    /// Set how long the near cache trusts a silent connection; default 1 s. A process that is cut
    /// off from Redis serves old values for at most that long. A heartbeat is sent four times in
    /// that time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// let silence = Duration::from_millis(500);
    /// let cache = Cache::builder().near_cache(64 << 20).near_max_silence(silence).build()?;
    /// assert!(Cache::builder().near_max_silence(Duration::ZERO).build().is_err());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn near_max_silence(mut self, silence: Duration) -> Self {
        self.near_max_silence = silence;
        self
    }

    #[cfg(feature = "redis")]
    pub(super) fn limits(&self) -> Limits {
        Limits {
            response_timeout: self.response_timeout,
            invalidation_timeout: self.invalidation_timeout,
            lease_ttl: self.lease_ttl,
            wait_timeout: self.wait_timeout,
            replay_window: self.replay_window,
            near: self.near_cache.filter(|bytes| *bytes > 0),
            near_eviction: self.eviction,
            near_max_silence: self.near_max_silence,
            owner_capacity: self.owner_capacity,
            has_owners: !registry::owned().is_empty(),
            runtime_connections: self.runtime_connections,
        }
    }
}

/// Refuse a cluster where the entries of one owner may be on several nodes.
#[cfg(feature = "redis")]
pub(super) fn check_owners(endpoint: &Endpoint) -> Result<(), CacheError> {
    let is_scattered = |site: &&ReadSite| !site.is_tagged_by_owner();
    let Some(site) = registry::owned().into_iter().find(is_scattered) else {
        return Ok(());
    };
    if !matches!(endpoint, Endpoint::Cluster(_)) {
        return Ok(());
    }
    let position = site.info.position();
    let reason = format!(
        "`{}` ({}:{}) has an `owner`, and in a cluster all entries of an owner have to be on one node: \
         make the owner the hash tag of its key, as in `key = \"reports:{{<<user.id>>}}:<<page>>\", \
         owner = user.id`; the key is now `{}`",
        position.function, position.file, position.line, site.info.template,
    );
    Err(CacheError::InvalidOption {
        option: "redis_cluster",
        reason,
    })
}
