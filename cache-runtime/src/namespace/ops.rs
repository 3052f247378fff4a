//! Operations on the entries of a namespace.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{KeyParts, Namespace};
use crate::error::CacheError;
use crate::ttl::IntoTtl;
use crate::value::{Settable, Storable};

/// Operations on entries. Keys are given as [`KeyParts`].
impl Namespace {
    /// Set the namespace's TTL, or return the remaining one of an entry.
    ///
    /// * With a [`Duration`]: return the namespace with this TTL for what it stores. Default: the
    ///   cache's.
    /// * With the parts of a key: the future of its remaining TTL, as [`Cache::ttl`]; `None` if it
    ///   isn't cached.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat").ttl(Duration::from_secs(60));
    /// chat.set(("online", 42), &true).await?;
    /// assert!(chat.ttl(("online", 42)).await? > Some(Duration::from_secs(50)));
    /// assert_eq!(chat.ttl(("online", 43)).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With parts: [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    ///
    /// [`Cache::ttl`]: crate::Cache::ttl
    pub fn ttl<'n, A: TtlOrParts<'n>>(&'n self, argument: A) -> A::Output {
        argument.apply(self)
    }

    /// Return the value of a key, if it is cached and a `T`.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set(("unread", 42), &7).await?;
    /// assert_eq!(chat.get::<i32, _>(("unread", 42)).await?, Some(7));
    /// assert_eq!(chat.get::<i32, _>(("unread", 43)).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat the key as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get<T: DeserializeOwned + 'static, P: KeyParts>(
        &self,
        parts: P,
    ) -> Result<Option<T>, CacheError> {
        self.cache.get(&self.key(parts)).await
    }

    /// Return the value of a key, or `default` if it isn't cached. Nothing is stored.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// assert_eq!(chat.get_or(("unread", 42), 0).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get_or<T: DeserializeOwned + 'static>(
        &self,
        parts: impl KeyParts,
        default: T,
    ) -> Result<T, CacheError> {
        Ok(self.get(parts).await?.unwrap_or(default))
    }

    /// Store a value for the namespace's TTL, replacing any other.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set(("unread", 42), &7).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set`](crate::Cache::set).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set<T: Settable + ?Sized>(
        &self,
        parts: impl KeyParts,
        value: &T,
    ) -> Result<(), CacheError> {
        self.set_for(parts, value, self.ttl).await
    }

    /// Store a value for this TTL: a [`Duration`], seconds, or `None` for the cache's default.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set_for(("typing", 42), &true, 5).await?; // seconds
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set`](crate::Cache::set).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set_for<T: Settable + ?Sized>(
        &self,
        parts: impl KeyParts,
        value: &T,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        self.cache.set(&self.key(parts), value, ttl).await
    }

    /// Delete a key. Returns whether it existed.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set(("unread", 42), &7).await?;
    /// assert!(chat.delete(("unread", 42)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::delete`](crate::Cache::delete).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete(&self, parts: impl KeyParts) -> Result<bool, CacheError> {
        self.cache.delete(&self.key(parts)).await
    }

    /// Whether a key is cached.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// assert!(!chat.exists(("unread", 42)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn exists(&self, parts: impl KeyParts) -> Result<bool, CacheError> {
        self.cache.exists(&self.key(parts)).await
    }

    /// Return the values of many keys, in their order.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set_many([(("unread", 1), 7), (("unread", 2), 9)]).await?;
    /// let unread = chat.get_many::<i32, _>([("unread", 1), ("unread", 3)]).await?;
    /// assert_eq!(unread, [Some(7), None]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::get_many`](crate::Cache::get_many).
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get_many<T: DeserializeOwned + 'static, P: KeyParts>(
        &self,
        keys: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        let keys: Vec<String> = keys.into_iter().map(|parts| self.key(parts)).collect();
        self.cache.get_many(keys).await
    }

    /// Store many values for the namespace's TTL: pairs of parts and value.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set_many([(("unread", 1), 7), (("unread", 2), 9)]).await?;
    /// assert_eq!(chat.get::<i32, _>(("unread", 2)).await?, Some(9));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set_many`](crate::Cache::set_many).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set_many<P: KeyParts, V: Settable>(
        &self,
        entries: impl IntoIterator<Item = (P, V)>,
    ) -> Result<(), CacheError> {
        let keyed = |(parts, value)| (self.key(parts), value);
        let entries: Vec<(String, V)> = entries.into_iter().map(keyed).collect();
        self.cache.set_many(entries, self.ttl).await
    }

    /// Return the value of a key, or compute and store it (cache-aside). Many callers of one missing
    /// key share one computation.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let unread = chat.get_or_set(("unread", 42), || async { 7 }).await;
    /// assert_eq!(unread, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it computes, another waiting caller takes over.
    pub async fn get_or_set<T, F, Fut>(&self, parts: impl KeyParts, compute: F) -> T
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let key = self.key(parts);
        self.cache.get_or_set(&key, self.ttl, compute).await
    }

    /// [`get_or_set`](Self::get_or_set) for a computation that can fail. Errors aren't stored.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let unread = chat.try_get_or_set(("unread", 42), || async { "7".parse::<u32>() }).await;
    /// assert_eq!(unread, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `compute`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it computes, another waiting caller takes over.
    pub async fn try_get_or_set<T, E, F, Fut>(
        &self,
        parts: impl KeyParts,
        compute: F,
    ) -> Result<T, E>
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let key = self.key(parts);
        self.cache.try_get_or_set(&key, self.ttl, compute).await
    }

    /// [`get_or_set`](Self::get_or_set) by the name of the strategy, cache-aside.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// assert_eq!(chat.fetch(("unread", 42), || async { 7 }).await, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_set`](Self::get_or_set).
    pub async fn fetch<T, F, Fut>(&self, parts: impl KeyParts, compute: F) -> T
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        self.get_or_set(parts, compute).await
    }

    /// Delete the entries of this namespace that the pattern matches, and return their number.
    ///
    /// A pattern of [`pattern`](Self::pattern), or the part of one below `chat:v1:`. Either way
    /// nothing outside the namespace is deleted.
    ///
    /// ```
    /// use cache_runtime::{ANY, Cache};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set_many([(("unread", 1), 7), (("unread", 2), 9)]).await?;
    /// assert_eq!(chat.invalidate(chat.pattern(("unread", ANY))).await?, 2);
    /// assert_eq!(chat.invalidate("unread:*").await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::delete_pattern`](crate::Cache::delete_pattern).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn invalidate(&self, pattern: impl AsRef<str>) -> Result<u64, CacheError> {
        let pattern = self.contained(pattern.as_ref());
        self.cache.delete_pattern(&pattern).await
    }

    /// Delete every entry of this namespace, of all versions, and return their number.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// chat.set("online", &3).await?;
    /// chat.version(2).set("online", &4).await?;
    /// assert_eq!(chat.clear().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cache::delete_pattern`](crate::Cache::delete_pattern).
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn clear(&self) -> Result<u64, CacheError> {
        self.cache.delete_pattern(&format!("{}:*", self.name)).await
    }
}

/// An argument of [`Namespace::ttl`]: a [`Duration`] to set, or the parts of a key to ask about.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a TTL nor the parts of a key",
    label = "neither a `Duration` nor parts",
    note = "set the namespace's TTL with a `Duration`, such as `Duration::from_secs(60)`; ask for an entry's with its parts, such as `(\"conversation\", id)`"
)]
pub trait TtlOrParts<'n> {
    /// The namespace with the TTL, or the future of the remaining TTL.
    type Output;
    #[doc(hidden)]
    fn apply(self, namespace: &'n Namespace) -> Self::Output;
}

impl TtlOrParts<'_> for Duration {
    type Output = Namespace;
    fn apply(self, namespace: &Namespace) -> Namespace {
        Namespace {
            ttl: Some(self),
            ..namespace.clone()
        }
    }
}

/// Future of an entry's remaining TTL.
type Remaining<'n> =
    Pin<Box<dyn Future<Output = Result<Option<Duration>, CacheError>> + Send + 'n>>;

impl<'n, P: KeyParts> TtlOrParts<'n> for P {
    type Output = Remaining<'n>;
    fn apply(self, namespace: &'n Namespace) -> Remaining<'n> {
        let key = namespace.key(self);
        Box::pin(async move { namespace.cache.ttl(&key).await })
    }
}
