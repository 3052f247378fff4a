//! Named TTLs, for `ttl = ttl::LONG` on an attribute and for [`Cache::set`](crate::Cache::set).

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// One minute: data that changes constantly, such as notifications and live counters.
pub const SHORT: Duration = Duration::from_secs(60);
/// Ten minutes: data that users edit.
pub const MEDIUM: Duration = Duration::from_secs(600);
/// One hour: data that seldom changes.
pub const LONG: Duration = Duration::from_secs(3_600);
/// One day: data that only a deployment changes.
pub const STATIC: Duration = Duration::from_secs(86_400);

/// A type that can be given as a TTL: a [`Duration`], whole seconds, or `None` for the cache's
/// default.
///
/// ```
/// # use std::time::Duration;
/// # use cache_runtime::Cache;
/// # async fn run() -> Result<(), cache_runtime::CacheError> {
/// # let cache = Cache::builder().build()?;
/// cache.set("a", &1, Duration::from_millis(1_500)).await?;
/// cache.set("b", &1, 60).await?;
/// cache.set("c", &1, None).await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a TTL",
    label = "not a TTL",
    note = "a TTL is a `Duration`, a `u64` in whole seconds, or `None` for the cache's default",
    note = "declare an integer constant as `u64`, convert a `u32` with `u64::from(seconds)`, or write `Duration::from_secs(..)`"
)]
pub trait IntoTtl {
    /// Return the TTL, or `None` for the cache's default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::ttl::IntoTtl;
    ///
    /// assert_eq!(60.into_ttl(), Some(Duration::from_secs(60)));
    /// assert_eq!(None.into_ttl(), None);
    /// ```
    fn into_ttl(self) -> Option<Duration>;
}

impl IntoTtl for Duration {
    fn into_ttl(self) -> Option<Duration> {
        Some(self)
    }
}

impl IntoTtl for u64 {
    fn into_ttl(self) -> Option<Duration> {
        Some(Duration::from_secs(self))
    }
}

impl IntoTtl for Option<Duration> {
    fn into_ttl(self) -> Option<Duration> {
        self
    }
}

/// The TTL named by an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ttl {
    /// The cache's default.
    Default,
    /// This long.
    Fixed(Duration),
    /// A named TTL of the cache.
    Preset(&'static str),
    /// A member of a family of named TTLs; the name as written.
    Family(&'static str),
    /// Computed at each call.
    Computed,
}

impl Ttl {
    /// Whether the attribute's closure returns it, once a call has missed.
    pub(crate) fn is_computed(&self) -> bool {
        matches!(self, Self::Default | Self::Computed | Self::Family(_))
    }
}

/// Format it for people: `600s`, `preset "posts"`, `default` or `computed`.
impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::Fixed(ttl) => f.pad(&format!("{}s", ttl.as_secs_f64())),
            Self::Preset(name) | Self::Family(name) => f.pad(&format!("preset {name:?}")),
            Self::Computed => f.pad("computed"),
        }
    }
}

/// Serialize it as its text.
impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
