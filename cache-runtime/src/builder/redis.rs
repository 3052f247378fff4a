//! What the builder is told about Redis.

use std::time::Duration;

#[cfg(feature = "redis")]
use super::Backend;
use super::CacheBuilder;
#[cfg(feature = "redis")]
use crate::store::redis::{Endpoint, Limits};

/// Where Redis is.
#[cfg(feature = "redis")]
impl CacheBuilder {
    /// Store entries in the Redis at this URL, `redis://[user:password@]host[:port][/database]`, or
    /// at a Unix socket, `unix:///path?db=3&user=name&pass=secret`.
    ///
    /// Only `?protocol=resp3` may follow a host: [`build`](Self::build) refuses what would be
    /// ignored, such as `?db=3`. It also refuses a user without a password: the client would not
    /// log in, and act as the user `default`. A password alone, `redis://:password@host`, is that
    /// of `default`. A node of a cluster needs [`redis_cluster`](Self::redis_cluster).
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
    /// ```
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

/// How long things may take; without the feature `redis`, nothing asks.
impl CacheBuilder {
    /// How long Redis may take to answer (connecting included) before it counts as down; default 250 ms.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long an invalidation on Redis may take before it counts as unsent, while Redis isn't known to be down;
    /// default 2 s. Longer than a read's, since one that is late leaves other processes with old values.
    pub fn invalidation_timeout(mut self, timeout: Duration) -> Self {
        self.invalidation_timeout = timeout;
        self
    }

    /// For how long acknowledged invalidations are remembered and sent again to a Redis that came back as another
    /// server (restarted from a snapshot, or a new master), which may have forgotten them; default 10 s.
    pub fn replay_window(mut self, window: Duration) -> Self {
        self.replay_window = window;
        self
    }

    /// How long a lease in Redis lasts if its holder dies; a living one renews it. Default 5 s.
    pub fn lease_ttl(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Whether a tokio runtime that reads often gets a connection of its own, which spares its reads two changes of thread; default
    /// true.
    ///
    /// Such a connection needs the runtime's I/O. tokio doesn't tell whether a runtime was built with it, and panics where it is asked
    /// to do I/O without. The cache catches that panic, once in a process, and reads over its own thread from then on; but a panic hook
    /// sees it. In a program with such runtimes (no `enable_io`, no `enable_all`) and a hook that reports panics or ends the process,
    /// pass false: then all reads go over the cache's own thread, and no panic is provoked.
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

    /// Keeps up to so many bytes of what Redis holds in this process too; default: none. Redis tells of changes
    /// (`CLIENT TRACKING`, Redis 6 or newer), so what other processes invalidate leaves within the time that its message takes,
    /// and what this one invalidates has left when that returns. While Redis can't tell, nothing is served from here. A
    /// function with `near = false` is kept out. Without Redis there is nothing to be in front of, and this does nothing.
    pub fn near_cache(mut self, bytes: usize) -> Self {
        self.near = Some(bytes);
        self
    }

    /// Set how long the near cache trusts a silent connection; default 1 s. A process that is cut
    /// off from Redis serves old values for at most that long. A heartbeat is sent four times in
    /// that time.
    pub fn near_max_silence(mut self, silence: Duration) -> Self {
        self.near_max_silence = silence;
        self
    }

    #[cfg(feature = "redis")]
    pub(super) fn limits(&self) -> Limits {
        Limits {
            response: self.response_timeout,
            invalidation: self.invalidation_timeout,
            lease: self.lease,
            flight: self.wait_timeout,
            replay_window: self.replay_window,
            near: self.near.filter(|bytes| *bytes > 0),
            near_max_silence: self.near_max_silence,
            runtime_connections: self.runtime_connections,
        }
    }
}
