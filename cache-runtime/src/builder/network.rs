//! What the builder is told about the way to Redis: Sentinel, and TLS.

#[cfg(feature = "sentinel")]
use super::Backend;
use super::CacheBuilder;
#[cfg(feature = "sentinel")]
use crate::store::redis::Endpoint;

/// A master that sentinels know (feature `sentinel`).
#[cfg(feature = "sentinel")]
impl CacheBuilder {
    /// Stores entries in the Redis that is the master of this name, as the sentinels at these URLs know it. Each new
    /// connection asks them all, and one that answers is enough; after a failover the cache goes on with the new
    /// master, and first sends it the invalidations of the last [`replay_window`](Self::replay_window).
    ///
    /// `redis://[user:password@]host[:port]`, port 26379 if there is none. A user and password in such a URL are
    /// the *sentinel's*; the master's are [`master_login`](Self::master_login). With `rediss://`, for all of them, the
    /// master is spoken to over TLS too.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder()
    ///     .redis_sentinel(["redis://10.0.0.1:26379", "redis://10.0.0.2:26379"], "mymaster")
    ///     .master_login("quickpost", "secret")
    ///     .master_database(2)
    ///     .build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// [`build`](Self::build) refuses an empty list, an empty name, a URL that can't be read or that names a
    /// database, and a list of which only a part is `rediss://`.
    pub fn redis_sentinel(
        mut self,
        urls: impl IntoIterator<Item = impl Into<String>>,
        master: impl Into<String>,
    ) -> Self {
        self.backend = Backend::Redis(Endpoint::Sentinel {
            urls: urls.into_iter().map(Into::into).collect(),
            master: master.into(),
        });
        self
    }

    /// User and password for the master that [`redis_sentinel`](Self::redis_sentinel) finds; the user is `default`
    /// where the server knows a password only. Default: none. [`build`](Self::build) refuses an empty user or password.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder()
    ///     .redis_sentinel(["redis://:of-the-sentinel@10.0.0.1"], "mymaster")
    ///     .master_login("default", "of-the-master")
    ///     .build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn master_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.way.login = Some((user.into(), password.into()));
        self
    }

    /// The database of the master that [`redis_sentinel`](Self::redis_sentinel) finds; default 0.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder()
    ///     .redis_sentinel(["redis://10.0.0.1"], "mymaster")
    ///     .master_database(2)
    ///     .build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn master_database(mut self, database: u32) -> Self {
        self.way.database = database;
        self
    }
}

/// How `rediss://` is spoken (feature `tls`). Where the URL is `redis://`, these change nothing.
#[cfg(feature = "tls")]
impl CacheBuilder {
    /// Certificates of authorities in PEM, one or several, that are believed *instead of* the system's. Needed where
    /// the server's certificate is of an authority of your own, and where there is no system store (a minimal
    /// container).
    ///
    /// ```no_run
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder()
    ///     .redis("rediss://redis.internal:6380")
    ///     .tls_ca(std::fs::read("/etc/quickpost/ca.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`build`](Self::build) refuses what is no PEM or holds no certificate.
    pub fn tls_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.way.tls.authorities = Some(pem.into());
        self
    }

    /// The certificate that this side shows to a server that asks for one, and its key, both in PEM (PKCS#8, PKCS#1
    /// or SEC1). Certificates between it and its authority follow it.
    ///
    /// ```no_run
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder()
    ///     .redis("rediss://redis.internal:6380")
    ///     .tls_client_certificate(
    ///         std::fs::read("/etc/quickpost/client.pem")?,
    ///         std::fs::read("/etc/quickpost/client.key")?,
    ///     )
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`build`](Self::build) refuses what is no PEM, and a key that isn't the certificate's.
    pub fn tls_client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.way.tls.own = Some((certificate.into(), key.into()));
        self
    }
}
