//! Entries page by page, and as the tree that their keys form.

use serde::Serialize;

use crate::cache::inspect::Inspection;
use crate::core::Cache;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::Store;
use crate::store::listing::Branch;

/// Some of the entries that a pattern matches. Returned by [`Cache::entries_page`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EntriesPage {
    /// The entries, without their values: values, fresh or stale, and leases.
    pub entries: Vec<Inspection>,
    /// The position of the next page; `None` at the end.
    pub next: Option<String>,
}

/// The entries and branches directly below a prefix. Returned by [`Cache::entries_below`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EntriesLevel {
    /// The prefixes that go on, such as `posts:42:` below `posts:`.
    pub branches: Vec<KeyBranch>,
    /// The entries whose path has no further `:`, without their values.
    pub entries: Vec<Inspection>,
    /// The position of the next part of the level; `None` at the end.
    pub next: Option<String>,
}

/// The entries whose paths begin with one prefix, in an [`EntriesLevel`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KeyBranch {
    /// The prefix, which ends in `:`.
    pub prefix: String,
    /// Number of entries below it, as the index knows them: those that have just expired may be
    /// included.
    pub entries: u64,
    /// Whether there are more entries than were counted.
    pub more: bool,
}

impl Cache {
    /// Return some of the entries that the pattern matches, beginning with a page's
    /// [`next`](EntriesPage::next), or with the first one. `limit`: the largest number of entries,
    /// at least one.
    ///
    /// A page may have fewer entries than `limit`, or none, and yet a `next`: the number of keys
    /// that one call looks at is bounded, and a pattern may match few of many. In memory the
    /// entries are in the order of their keys; on Redis only those with the same first segment are.
    /// An entry that is stored or removed in the meantime may be in a page or not. Each other entry
    /// is in one page; in a cluster, one that is refilled often may be in two.
    ///
    /// On Redis, this reads the index, as [`entries`](Self::entries) does.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("posts:1", 1), ("posts:2", 2), ("posts:3", 3)], 60).await?;
    /// let first = cache.entries_page("posts:*", None, 2).await?;
    /// assert_eq!(first.entries.len(), 2);
    /// let second = cache.entries_page("posts:*", first.next.as_deref(), 2).await?;
    /// assert_eq!((second.entries[0].path.as_str(), second.next), ("posts:3", None));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidOption`] if `after` isn't the position of a page. Otherwise those of
    /// [`entries`](Self::entries).
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes no entry.
    pub async fn entries_page(
        &self,
        pattern: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntriesPage, CacheError> {
        let pattern = Pattern::new(pattern);
        let from = after.map(position).transpose()?;
        let limit = limit.max(1);
        let (entries, next) = match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                let page = store.page(&pattern, &from.unwrap_or_default(), limit, now);
                let entries = page.entries.into_iter();
                let seen = entries.map(|entry| self.of_memory(entry, false)).collect();
                (seen, page.next)
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let page = store.page(pattern, from, limit).await?;
                let entries = page.entries.into_iter();
                let seen = entries.map(|entry| self.of_facts(&entry)).collect();
                (seen, page.next)
            }
        };
        let next = next.map(|next| text_of(&next));
        Ok(EntriesPage { entries, next })
    }

    /// Return the entries and branches directly below a prefix, as a folder shows its files and
    /// folders, beginning with [`next`](EntriesLevel::next) of an earlier part, or with the first
    /// one. The prefix is a literal text, without wildcards: empty for the top, or one that ends in
    /// `:`. `limit`: the largest number of branches and entries together, at least one.
    ///
    /// A branch isn't walked through: its entries are counted up to some hundreds, and on Redis the
    /// rest is skipped in the index. So the top of a million keys costs as many commands as it has
    /// branches. A part may have fewer rows than `limit`, and yet a `next`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("posts:1", 1), ("posts:1:page", 2), ("posts:1:likes", 3)], 60).await?;
    /// let top = cache.entries_below("", None, 100).await?;
    /// assert_eq!((top.branches[0].prefix.as_str(), top.branches[0].entries), ("posts:", 3));
    /// let posts = cache.entries_below("posts:", None, 100).await?;
    /// assert_eq!(posts.entries[0].path, "posts:1");
    /// assert_eq!((posts.branches[0].prefix.as_str(), posts.branches[0].entries), ("posts:1:", 2));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidOption`] if `after` isn't the position of a part. Otherwise those of
    /// [`entries`](Self::entries).
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes no entry.
    pub async fn entries_below(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntriesLevel, CacheError> {
        let from = after.map(position).transpose()?;
        let limit = limit.max(1);
        let (branches, entries, next) = match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                let from = from.unwrap_or_default();
                let level = store.level(prefix.as_bytes(), &from, limit, now);
                let entries = level.entries.into_iter();
                let seen = entries.map(|entry| self.of_memory(entry, false)).collect();
                (level.branches, seen, level.next)
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let level = store.level(prefix.as_bytes().to_vec(), from, limit).await?;
                let entries = level.entries.into_iter();
                let seen = entries.map(|entry| self.of_facts(&entry)).collect();
                (level.branches, seen, level.next)
            }
        };
        Ok(EntriesLevel {
            branches: branches.into_iter().map(KeyBranch::from).collect(),
            entries,
            next: next.map(|next| text_of(&next)),
        })
    }
}

impl From<Branch> for KeyBranch {
    fn from(branch: Branch) -> Self {
        Self {
            prefix: String::from_utf8_lossy(&branch.prefix).into_owned(),
            entries: branch.entries,
            more: branch.more,
        }
    }
}

/// Write a position as text. It can't be text itself: keys of other programs may have any bytes.
fn text_of(position: &[u8]) -> String {
    position.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn position(text: &str) -> Result<Vec<u8>, CacheError> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| {
        let is_hex = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        let pair = std::str::from_utf8(pair).ok().filter(|_| is_hex)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| CacheError::InvalidOption {
            option: "after",
            reason: format!("{text:?} isn't the `next` of a page; pass that on unchanged"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_nothing_else_is_one() {
        for bytes in [&b"posts:1\0"[..], b"\0", b"\xff\n"] {
            assert_eq!(position(&text_of(bytes)).expect("it is one"), bytes);
        }
        for text in ["", "0", "0g", "posts", "+1", "é"] {
            let error = position(text).expect_err("it isn't one");
            assert!(error.to_string().starts_with("`after`: "), "{error}");
        }
    }
}
