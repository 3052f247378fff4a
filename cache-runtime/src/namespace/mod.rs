//! `Namespace`: keys that are built from parts, below one root.

mod blocking;
mod ops;
mod write_through;

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

pub use blocking::BlockingNamespace;
pub use ops::TtlOrParts;

use crate::core::Cache;
use crate::key::escape::escape;
use crate::key::segment::{KeyParts, PathWriter, PatternParts, Segment};

/// Keys of one subject, built from parts: `chat:v1:conversation:123:messages`. Created by
/// [`Cache::namespace`]. Cheap to clone.
///
/// Each part is one segment and is escaped, so a value never reaches another key. An attribute with
/// `namespace = "chat"` has its keys and patterns below the same root.
///
/// ```
/// use cache_runtime::{ANY, Cache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cache_runtime::CacheError> {
/// let chat = Cache::builder().build()?.namespace("chat");
/// chat.set(("conversation", 123, "messages"), &vec!["hello".to_owned()]).await?;
/// let messages: Option<Vec<String>> = chat.get(("conversation", 123, "messages")).await?;
/// assert_eq!(messages.unwrap(), ["hello"]);
///
/// chat.invalidate(chat.pattern(("conversation", ANY, "messages"))).await?;
/// assert!(!chat.exists(("conversation", 123, "messages")).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Namespace {
    cache: Cache,
    /// Escaped.
    name: Arc<str>,
    version: u32,
    ttl: Option<Duration>,
}

impl Cache {
    /// Return the keys below this name. The name is one segment; a `:` in it is escaped.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// assert_eq!(chat.key(("conversation", 123)), "chat:v1:conversation:123");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn namespace(&self, name: &str) -> Namespace {
        Namespace {
            cache: self.clone(),
            name: escape(name).into(),
            version: 1,
            ttl: None,
        }
    }
}

impl Namespace {
    /// Set the version, which is part of every key. Raise it if the meaning of the values changes:
    /// the entries of other versions are no longer read. Default: 1.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat").version(2);
    /// assert_eq!(chat.key("online"), "chat:v2:online");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[must_use = "the namespace of the other version is returned"]
    pub fn version(&self, version: u32) -> Self {
        Self {
            version,
            ..self.clone()
        }
    }

    /// Return the path of an entry, as the operations of [`Cache`] take it.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let key = chat.key(("conversation", 123, "messages"));
    /// assert_eq!(key, "chat:v1:conversation:123:messages");
    /// assert_eq!(chat.key(("conversation", "1:2")), "chat:v1:conversation:1%3A2");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn key(&self, parts: impl KeyParts) -> String {
        self.unambiguous(&self.path(&parts))
    }

    /// Return a pattern for [`invalidate`](Self::invalidate) and [`Cache::delete_pattern`].
    /// [`ANY`](crate::ANY) is its only wildcard.
    ///
    /// ```
    /// use cache_runtime::{ANY, Cache};
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let pattern = chat.pattern(("conversation", ANY, "messages"));
    /// assert_eq!(pattern, "chat:v1:conversation:*:messages");
    /// assert_eq!(chat.pattern(("conversation", "*")), "chat:v1:conversation:%2A");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn pattern(&self, parts: impl PatternParts) -> String {
        let mut writer = PathWriter::pattern(&self.root());
        parts.write_parts(&mut writer);
        writer.finish()
    }

    /// Return the path of an entry of one user.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// assert_eq!(chat.user(42, "notifications"), "chat:v1:user_42:notifications");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn user(&self, id: impl Segment, parts: impl KeyParts) -> String {
        let mut writer = PathWriter::key(&self.root());
        writer.segment(|out| {
            out.literal("user_");
            id.write(out);
        });
        parts.write_key(&mut writer);
        self.unambiguous(&writer.finish())
    }

    /// Return the path of an entry with named parameters, in any order.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// let chat = Cache::builder().build()?.namespace("chat");
    /// let key = chat.key_with("search", [("query", "python"), ("page", "1")]);
    /// assert_eq!(key, "chat:v1:search:page=1:query=python");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn key_with<N: Display, V: Display>(
        &self,
        name: impl Segment,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> String {
        let mut writer = PathWriter::key(&self.root());
        writer.segment(|out| name.write(out));
        let named = |(name, value): (N, V)| {
            let mut named = PathWriter::key("");
            named.name(&name);
            named.literal("=");
            value.write(&mut named);
            named.finish()
        };
        let mut parameters: Vec<String> = parameters.into_iter().map(named).collect();
        parameters.sort_unstable();
        for parameter in parameters {
            writer.segment(|out| out.literal(&parameter));
        }
        self.unambiguous(&writer.finish())
    }

    /// Return the root of this version's paths.
    fn root(&self) -> String {
        format!("{}:v{}", self.name, self.version)
    }

    fn path(&self, parts: &impl KeyParts) -> String {
        let mut writer = PathWriter::key(&self.root());
        parts.write_key(&mut writer);
        writer.finish()
    }

    /// Return a path in full, if its first segment is the prefix of the cache: the operations of
    /// the cache would take it for a full key.
    fn unambiguous(&self, path: &str) -> String {
        self.cache.inner().prefix.unambiguous(path)
    }

    /// Return a pattern that stays within this namespace: one of its own, or the part below its
    /// root.
    fn contained(&self, pattern: &str) -> String {
        let below = pattern.strip_prefix(&*self.name);
        match below.is_some_and(|below| below.starts_with(':')) {
            true => pattern.to_owned(),
            false => format!("{}:{pattern}", self.root()),
        }
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace")
            .field("root", &self.root())
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
