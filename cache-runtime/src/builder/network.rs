//! Builder options for the connection to Redis: Sentinel and TLS.

#[cfg(feature = "sentinel")]
use super::Backend;
use super::CacheBuilder;
#[cfg(feature = "sentinel")]
use crate::store::redis::Endpoint;

/// Options for a master that sentinels know (feature `sentinel`).
#[cfg(feature = "sentinel")]
impl CacheBuilder {
    /// Store entries in the Redis that is the master of this name, according to the sentinels at
    /// these URLs. Each new connection asks all of them, and one that answers is enough. After a
    /// failover the cache continues with the new master, and first sends it the invalidations of
    /// the last [`replay_window`](Self::replay_window).
    ///
    /// Each URL is `redis://[user:password@]host[:port]`, with port 26379 by default. A user and
    /// password in such a URL are the *sentinel's*; the master's are set by
    /// [`master_login`](Self::master_login). With `rediss://`, for all of them, the connection to
    /// the master uses TLS too.
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
    /// [`build`](Self::build) refuses an empty list, an empty name, a URL that is malformed or
    /// names a database, and a list that mixes `redis://` and `rediss://`.
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

    /// Set the user and password for the master that [`redis_sentinel`](Self::redis_sentinel)
    /// finds. The user is `default` where the server has a password only. Default: none.
    /// [`build`](Self::build) refuses an empty user or password.
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
        self.connect_options.login = Some((user.into(), password.into()));
        self
    }

    /// Set the database of the master that [`redis_sentinel`](Self::redis_sentinel) finds; default
    /// 0.
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
        self.connect_options.database = database;
        self
    }
}

/// Options for TLS (feature `tls`). Where the URL is `redis://`, they have no effect.
#[cfg(feature = "tls")]
impl CacheBuilder {
    /// Trust these certificate authorities *instead of* the system's: PEM, one certificate or
    /// several. Needed where the server's certificate is issued by an authority of your own, and
    /// where there is no system store (a minimal container).
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
    /// [`build`](Self::build) refuses input that isn't PEM or holds no certificate.
    pub fn tls_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connect_options.tls.authorities = Some(pem.into());
        self
    }

    /// Set the client certificate, for a server that asks for one, and its key, both in PEM
    /// (PKCS#8, PKCS#1 or SEC1). Intermediate certificates follow the client's.
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
    /// [`build`](Self::build) refuses input that isn't PEM, and a key that isn't the certificate's.
    pub fn tls_client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.connect_options.tls.own = Some((certificate.into(), key.into()));
        self
    }
}
