//! `CacheError`: the errors of the builder and of explicit operations.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::default_origin::explain_late_install;

/// The cause of a [`CacheError`], kept for [`Error::source`]. Shared, because one outage fails many
/// calls.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Error of a cache operation.
///
/// Annotated functions never return it to their callers: if the cache fails, the body runs. Only
/// the explicit operations of [`Cache`](crate::Cache) and its builder return it.
///
/// ```
/// use cache_runtime::{Cache, CacheError};
///
/// let error = Cache::builder().prefix("no spaces").build().unwrap_err();
/// assert!(matches!(error, CacheError::InvalidPrefix { .. }));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CacheError {
    /// The prefix isn't of the form `[A-Za-z0-9_.-]+`.
    InvalidPrefix {
        /// The given prefix.
        prefix: String,
    },
    /// The store's URL can't be used. The URL isn't shown, since it may contain a password.
    InvalidUrl {
        /// The problem with the URL.
        reason: String,
    },
    /// An option of the builder was given an unsupported value.
    InvalidOption {
        /// The builder's method.
        option: &'static str,
        /// The problem with the value.
        reason: String,
    },
    /// An environment variable has an invalid value.
    InvalidVariable {
        /// The variable's name.
        variable: String,
        /// The problem with the value, and the expected form.
        reason: String,
    },
    /// [`Cache::install`](crate::Cache::install) was called before, or the default was used before.
    /// The text names the call that set the default, with its place in the source.
    AlreadyInstalled,
    /// No codec can turn the value into bytes.
    Encode {
        /// The codec's error.
        source: Cause,
    },
    /// A value is larger than the limit:
    /// [`CacheBuilder::max_value_bytes`](crate::CacheBuilder::max_value_bytes), the capacity in
    /// memory, or the 16 MiB of an entry in Redis.
    TooLarge {
        /// Size of the value in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A value would come back from the store changed, since serde doesn't read everything it
    /// writes, or write everything it reads: `skip`, `skip_serializing`, `skip_deserializing`, a
    /// `serialize_with` that masks. Store a type whose fields are all written and read alike.
    Changed {
        /// The type of the value.
        type_name: &'static str,
        /// The change, and the serde attribute that is likely to cause it.
        reason: String,
    },
    /// A value nests too deep to be stored. Encoding is recursive, so this limit bounds its stack
    /// use.
    TooDeep {
        /// The maximum depth. Each element, field, map entry, `Some` and newtype is one level.
        limit: usize,
    },
    /// The store refused the connection, broke it, or answered with an error.
    Store {
        /// The error of the store or the connection.
        source: Cause,
    },
    /// The store didn't answer in time.
    Timeout {
        /// How long the operation waited.
        after: Duration,
    },
    /// The store is known to be down, so nothing was sent. A probe in the background notices its
    /// return.
    Unavailable {
        /// The error that began the outage.
        source: Cause,
    },
    /// No [`Warmer`](crate::Warmer) of this name was given to the cache.
    UnknownWarmer {
        /// The name that was asked for.
        name: String,
        /// The names of the cache's warmers.
        known: Vec<String>,
    },
    /// The warmer is running, in this process or another one.
    WarmerBusy {
        /// The warmer's name.
        name: String,
        /// When to try again, at the earliest. A run may take longer.
        retry_after: Duration,
    },
    /// The cache's background thread couldn't be started (out of threads or memory).
    Background {
        /// The system's error.
        source: Cause,
    },
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPrefix { prefix } => write!(
                f,
                "the prefix {prefix:?} is invalid; use one or more of the characters A-Z, a-z, 0-9, `_`, `.` and `-`"
            ),
            Self::InvalidUrl { reason } => write!(f, "the store's URL can't be used: {reason}"),
            Self::InvalidOption { option, reason } => write!(f, "`{option}`: {reason}"),
            Self::InvalidVariable { variable, reason } => {
                write!(f, "the environment variable {variable} {reason}")
            }
            Self::AlreadyInstalled => explain_late_install(f),
            Self::Encode { source } => write!(f, "the value can't be encoded: {source}"),
            Self::TooLarge { bytes, limit } => write!(
                f,
                "the value takes {bytes} bytes, more than the limit of {limit}; store a smaller value, or raise `max_value_bytes` or, in memory, `memory_capacity` (an entry in Redis never exceeds 16 MiB)"
            ),
            Self::Changed { type_name, reason } => write!(
                f,
                "a stored `{type_name}` would come back changed: {reason}; cache a type that deserializes to the value that was serialized"
            ),
            Self::TooDeep { limit } => write!(
                f,
                "the value is nested more than {limit} levels deep; store it in a flat form, for example as a list of nodes that refer to each other by index"
            ),
            Self::Store { source } => write!(f, "the store failed: {source}"),
            Self::Timeout { after } => write!(f, "the store didn't answer within {after:?}"),
            Self::Unavailable { source } => write!(f, "the store is unavailable: {source}"),
            Self::UnknownWarmer { name, known } if known.is_empty() => write!(
                f,
                "there is no warmer {name:?}, since the cache has no warmers; give it one with `Cache::add_warmer`"
            ),
            Self::UnknownWarmer { name, known } => write!(
                f,
                "there is no warmer {name:?}; the cache has {}",
                known.join(", ")
            ),
            Self::WarmerBusy { name, .. } => write!(
                f,
                "the warmer {name:?} is running already, in this process or another one; wait for its end"
            ),
            Self::Background { source } => {
                write!(f, "the cache's background thread didn't start: {source}")
            }
        }
    }
}

impl Error for CacheError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Encode { source }
            | Self::Store { source }
            | Self::Unavailable { source }
            | Self::Background { source } => Some(&**source),
            _ => None,
        }
    }
}

impl CacheError {
    #[cfg(feature = "redis")]
    pub(crate) fn store(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Store {
            source: Arc::new(source),
        }
    }
}
