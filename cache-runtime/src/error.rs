use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The cause of a [`CacheError`], kept for [`Error::source`]. Shared, because one outage answers many calls.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// What a cache operation can answer instead of a value.
///
/// Annotated functions never show it to their callers: a failing cache runs the body. Only the explicit
/// operations of [`Cache`](crate::Cache) and its builder return it.
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
        /// The prefix as it was given.
        prefix: String,
    },
    /// The store's URL can't be used. The URL isn't shown, since it may hold a password.
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// An option of the builder was given what it can't take.
    InvalidOption {
        /// The builder's method.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An environment variable holds what it can't mean.
    InvalidVariable {
        /// The variable's name.
        variable: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// [`Cache::install`](crate::Cache::install) was called before, or the default was used before.
    AlreadyInstalled,
    /// A value can't be turned into bytes by any codec.
    Encode {
        /// Why.
        source: Cause,
    },
    /// A value takes more bytes than may be stored of one: [`CacheBuilder::max_value_bytes`](crate::CacheBuilder::max_value_bytes),
    /// what there is room for in memory, or the 16 MiB of an entry in Redis.
    TooLarge {
        /// How many bytes the value takes.
        bytes: usize,
        /// How many it may take.
        limit: usize,
    },
    /// A value would come back from the store changed, since serde doesn't read all of what it writes, or write all of
    /// what it reads: `skip`, `skip_serializing`, `skip_deserializing`, a `serialize_with` that masks. Store a type whose
    /// fields are all written and read alike.
    Changed {
        /// The type of the value.
        type_name: &'static str,
        /// What would change, and which attribute of serde is likely to do it.
        reason: String,
    },
    /// A value nests deeper than is stored. Encoding follows a value by recursion, so this bounds the stack that it
    /// takes.
    TooDeep {
        /// How many levels are stored. Each element, field, map entry, `Some` and newtype is one.
        limit: usize,
    },
    /// The store refused the connection, broke it, or answered with an error.
    Store {
        /// What the store or the connection said.
        source: Cause,
    },
    /// The store didn't answer in time.
    Timeout {
        /// How long the operation waited.
        after: Duration,
    },
    /// The store is known to be down, so nothing was sent. A probe in the background notices its return.
    Unavailable {
        /// What took it down.
        source: Cause,
    },
    /// The cache's background thread can't be had (out of threads or memory).
    Background {
        /// What the system said.
        source: Cause,
    },
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPrefix { prefix } => write!(
                f,
                "the prefix {prefix:?} is not of the form [A-Za-z0-9_.-]+; use letters, digits, `_`, `.` and `-` only, and at least one of them"
            ),
            Self::InvalidUrl { reason } => write!(f, "the store's URL can't be used: {reason}"),
            Self::InvalidOption { option, reason } => write!(f, "`{option}`: {reason}"),
            Self::InvalidVariable { variable, reason } => {
                write!(f, "the environment variable {variable} {reason}")
            }
            Self::AlreadyInstalled => f.write_str(
                "the default cache is already set; call `install` once, before the first cached call",
            ),
            Self::Encode { source } => write!(f, "the value can't be encoded: {source}"),
            Self::TooLarge { bytes, limit } => write!(
                f,
                "the value takes {bytes} bytes, and at most {limit} are stored; store less of it, or raise what limits it: `max_value_bytes`, in memory also `memory_capacity`, while an entry in Redis takes at most 16 MiB"
            ),
            Self::Changed { type_name, reason } => write!(
                f,
                "a stored `{type_name}` would come back changed: {reason}; cache a type whose fields are all written and read alike"
            ),
            Self::TooDeep { limit } => write!(
                f,
                "the value nests deeper than the {limit} levels that are stored; store it flat, for example as a list of nodes that name each other by index"
            ),
            Self::Store { source } => write!(f, "the store failed: {source}"),
            Self::Timeout { after } => write!(f, "the store didn't answer within {after:?}"),
            Self::Unavailable { source } => write!(f, "the store is unavailable since: {source}"),
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
