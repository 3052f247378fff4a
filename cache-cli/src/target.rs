//! Which cache the program speaks to.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError};

use crate::app::App;

/// Options that say where the cache is.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Target")]
#[non_exhaustive]
pub struct Target {
    /// URL of a service's admin API, such as https://host/admin/cache, instead of Redis. The token is
    /// read from CACHE_ADMIN_TOKEN.
    #[arg(long, global = true, value_name = "URL")]
    pub app: Option<String>,
    /// File with the token for `--app`.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// URL of Redis: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    #[arg(
        long,
        global = true,
        env = "REDIS_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redis_url: Option<String>,
    /// URLs of some nodes of a Redis Cluster, separated by commas.
    #[arg(long, global = true, value_name = "URLS", value_delimiter = ',')]
    pub redis_cluster: Vec<String>,
    /// URLs of some sentinels, separated by commas.
    #[arg(
        long,
        global = true,
        value_name = "URLS",
        value_delimiter = ',',
        conflicts_with = "redis_cluster"
    )]
    pub redis_sentinel: Vec<String>,
    /// The name that the sentinels have for the master.
    #[arg(long, global = true, value_name = "NAME", default_value = "mymaster")]
    pub sentinel_master: String,
    /// The user of the master that the sentinels find.
    #[arg(long, global = true, value_name = "USER", default_value = "default")]
    pub master_user: String,
    /// The password of that user.
    #[arg(
        long,
        global = true,
        env = "CACHE_MASTER_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub master_password: Option<String>,
    /// The prefix of the cache's keys.
    #[arg(
        long,
        global = true,
        env = "CACHE_KEY_PREFIX",
        hide_env_values = true,
        default_value = "cache"
    )]
    pub prefix: String,
    /// File with the certificate authorities to trust instead of the system's (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// File with the client certificate (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// File with the key of the client certificate (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Seconds to wait for a reply.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5)]
    pub timeout: u64,
}

/// Why a [`Target`] names no cache. Its text says how to mend it.
#[derive(Debug)]
pub struct TargetError(String);

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for TargetError {}

impl TargetError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<CacheError> for TargetError {
    fn from(error: CacheError) -> Self {
        Self(error.to_string())
    }
}

impl Target {
    /// Create the cache that the options name. Nothing is sent yet. It doesn't appear in the
    /// statistics of the fleet.
    ///
    /// ```
    /// use cache_cli::Target;
    ///
    /// let mut target = Target::default();
    /// assert!(target.cache().is_err(), "it names no server");
    /// target.redis_url = Some("redis://127.0.0.1:6379".to_owned());
    /// target.prefix = "quickpost".to_owned();
    /// target.timeout = 5;
    /// assert_eq!(target.cache()?.prefix(), "quickpost");
    /// # Ok::<(), cache_cli::TargetError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TargetError`] if no server is named, an option is malformed, or a file can't be read.
    pub fn cache(&self) -> Result<Cache, TargetError> {
        let builder = self.tls(self.endpoint(Cache::builder())?)?;
        // A person waits longer than a call may, and reads little.
        let timeout = Duration::from_secs(self.timeout);
        let builder = builder
            .prefix(&self.prefix)
            .response_timeout(timeout)
            .invalidation_timeout(timeout.max(Duration::from_secs(2)))
            .runtime_connections(false)
            .publish_stats(false);
        Ok(builder.build()?)
    }

    /// Return the admin API that the options name, if they name one: the only way to a cache in a
    /// service's memory. Nothing is sent yet. The token is read from `token_file`, or from the
    /// variable `CACHE_ADMIN_TOKEN`.
    ///
    /// ```
    /// use cache_cli::Target;
    ///
    /// let mut target = Target::default();
    /// assert!(target.app()?.is_none());
    /// target.app = Some("http://127.0.0.1:3000/admin/cache".to_owned());
    /// assert!(target.app()?.is_some());
    /// # Ok::<(), cache_cli::TargetError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TargetError`] if the URL can't be one, or a file can't be read.
    pub fn app(&self) -> Result<Option<App>, TargetError> {
        let Some(url) = &self.app else {
            return match &self.token_file {
                Some(_) => Err(TargetError::new("`--token-file` is for `--app`")),
                None => Ok(None),
            };
        };
        let ca = self.tls_ca.as_deref().map(read).transpose()?;
        let timeout = Duration::from_secs(self.timeout);
        App::new(url, self.token()?, ca.as_deref(), timeout).map(Some)
    }

    fn token(&self) -> Result<Option<String>, TargetError> {
        let token = match &self.token_file {
            Some(file) => {
                let bytes = read(file)?;
                let text = String::from_utf8(bytes);
                let text =
                    text.map_err(|_| TargetError::new(format!("{} isn't text", file.display())))?;
                Some(text)
            }
            None => std::env::var("CACHE_ADMIN_TOKEN").ok(),
        };
        let token = token.map(|token| token.trim().to_owned());
        let token = token.filter(|token| !token.is_empty());
        if self.token_file.is_some() && token.is_none() {
            return Err(TargetError::new("the file of `--token-file` is empty"));
        }
        match token {
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(
                TargetError::new("the token has characters that no HTTP header holds"),
            ),
            token => Ok(token),
        }
    }

    fn endpoint(&self, builder: CacheBuilder) -> Result<CacheBuilder, TargetError> {
        if !self.redis_cluster.is_empty() {
            return Ok(builder.redis_cluster(&self.redis_cluster));
        }
        if !self.redis_sentinel.is_empty() {
            let builder = builder.redis_sentinel(&self.redis_sentinel, &self.sentinel_master);
            return Ok(match &self.master_password {
                Some(password) => builder.master_login(&self.master_user, password),
                None => builder,
            });
        }
        match self.redis_url.as_deref().map(str::trim) {
            Some(url) if !url.is_empty() => Ok(builder.redis(url)),
            _ => Err(TargetError(
                "no Redis is given; set `--redis-url` or REDIS_URL, `--redis-cluster` or `--redis-sentinel` (or `--app` for a service's admin API)"
                    .to_owned(),
            )),
        }
    }

    fn tls(&self, mut builder: CacheBuilder) -> Result<CacheBuilder, TargetError> {
        if let Some(file) = &self.tls_ca {
            builder = builder.tls_ca(read(file)?);
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(builder.tls_client_certificate(read(certificate)?, read(key)?))
            }
            (None, None) => Ok(builder),
            _ => Err(TargetError(
                "`--tls-cert` and `--tls-key` are needed together".to_owned(),
            )),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TargetError> {
    std::fs::read(file)
        .map_err(|error| TargetError(format!("{} can't be read: {error}", file.display())))
}
