//! The index of keys: an invalidation finds what it matches without walking the keyspace.
//!
//! Sorted sets whose scores are all 0 and whose members are keys, so that `ZRANGEBYLEX` finds a literal prefix in
//! O(log N + matches). A key is registered in the script that leases it, before anything is computed, and leaves in
//! the script that deletes it, or in one that looks at a few members and drops those whose entries are gone: look
//! and removal are one step, or a key leased in between would be lost.
//!
//! The sets are split by a hash of a key's first segment into [`BUCKETS`]: a pattern whose first segment is literal
//! reads one of them, and a template that begins with a placeholder makes no set for each user.
//!
//! A set can be lost (evicted, deleted, flushed) or never have been whole (keys of an older release). A whole one
//! has a member that only the end of a walk over the keyspace puts there; every use looks for it, and a set
//! without it is rebuilt by a walk before it is believed.

mod members;
mod ranges;
mod rebuild;
mod scan;
mod split;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{Mutex, Semaphore};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::client::Client;
use crate::store::redis::lua;
use crate::store::redis::recovery::outage::Purpose;
pub(crate) use members::{Layout, Token};
use ranges::{Range, ranges};

/// How many sets a prefix has.
pub(crate) const BUCKETS: usize = 16;
/// How many members one command reads, and how many keys one deletes: some milliseconds of the server at most.
const PAGE: usize = 500;
/// The member that only a whole set has. Members that begin with a NUL are marks, see [`Layout::member`].
pub(crate) const COMPLETE: &[u8] = b"\0whole";

/// What a process knows of the index.
pub(crate) struct Index {
    pub(crate) layout: Layout,
    /// Held during a walk: one at a time in a process.
    pub(crate) walking: Mutex<()>,
    /// A walk in the background is under way.
    pub(crate) walk_asked: AtomicBool,
    /// The sweeper runs.
    pub(crate) sweeping: AtomicBool,
    /// The looks at other members that nobody waits for.
    looks: Arc<Semaphore>,
}

impl Index {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            walking: Mutex::default(),
            walk_asked: AtomicBool::default(),
            sweeping: AtomicBool::default(),
            looks: Arc::new(Semaphore::new(split::LOOKS)),
        }
    }
}

/// Which set a key is in.
pub(crate) fn bucket_of(key: &[u8]) -> usize {
    let end = key
        .iter()
        .position(|byte| matches!(byte, b':' | b'#'))
        .unwrap_or(key.len());
    xxh3_64(&key[..end]) as usize % BUCKETS
}

impl Client {
    /// The key of a set: outside the entries' namespace, and, since no prefix holds a `#`, outside any other's.
    pub(crate) fn bucket(&self, number: usize) -> String {
        format!("{}#index:{number}", self.prefix)
    }

    /// Removes what the pattern matches, values and leases, and counts the values.
    pub(crate) async fn remove_matching(
        self: &Arc<Self>,
        pattern: &Pattern,
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let ranges = ranges(pattern, self.index.layout);
        let mut removed = 0;
        for _ in 0..3 {
            match self
                .remove_indexed(pattern, &ranges, purpose, &mut removed)
                .await?
            {
                true => return Ok(removed),
                // Lost, or not yet made. What was deleted is deleted; the rest is found after a walk.
                false => self.rebuild(purpose).await?,
            }
        }
        // It was lost again and again (a server that evicts all the time): walk and delete, without an index.
        Ok(removed + self.remove_by_scan(pattern, purpose).await?)
    }

    /// False if a set that the pattern needs isn't whole.
    async fn remove_indexed(
        self: &Arc<Self>,
        pattern: &Pattern,
        ranges: &[Range],
        purpose: Purpose,
        removed: &mut u64,
    ) -> Result<bool, CacheError> {
        for range in ranges {
            let mut from = range.from.clone();
            loop {
                let Some(members) = self.page(range, &from, purpose).await? else {
                    return Ok(false);
                };
                let full = members.len() == PAGE;
                if let Some(last) = members.last().filter(|_| full) {
                    from = [b"(", &last[..]].concat();
                }
                let matching: Vec<Vec<u8>> = members
                    .into_iter()
                    .filter(|member| self.matches(pattern, member))
                    .collect();
                *removed += self
                    .remove_members(range.bucket, &matching, purpose)
                    .await?;
                if !full {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// The next members of a range; none if the set isn't whole.
    async fn page(
        self: &Arc<Self>,
        range: &Range,
        from: &[u8],
        purpose: Purpose,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        let whole = self.whole(purpose).await?;
        self.script(purpose, &lua::RANGE, |call| {
            call.key(self.bucket(range.bucket))
                .arg(&whole[..])
                .arg(from)
                .arg(&range.to[..])
                .arg(PAGE);
        })
        .await
    }

    fn matches(&self, pattern: &Pattern, member: &[u8]) -> bool {
        let key = self.index.layout.key_of(member);
        key.is_some_and(|key| pattern.matches(key))
    }

    /// Removes the keys of members of one set, and the members; counts the keys that held a value.
    async fn remove_members(
        self: &Arc<Self>,
        bucket: usize,
        members: &[Vec<u8>],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let layout = self.index.layout;
        let mut keys: Vec<&[u8]> = members
            .iter()
            .filter_map(|raw| layout.key_of(raw))
            .collect();
        // In order, so several members of one key stand beside each other.
        keys.dedup();
        match layout {
            Layout::SameNode => self.remove_on_same_node(bucket, &keys, purpose).await,
            Layout::Split => self.remove_split(bucket, &keys, members, purpose).await,
        }
    }

    /// Removes keys of one set and their members, and counts those that held a value.
    pub(crate) async fn remove_keys(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        match self.index.layout {
            Layout::SameNode => self.remove_on_same_node(bucket, keys, purpose).await,
            Layout::Split => self.remove_split(bucket, keys, &[], purpose).await,
        }
    }

    /// Entry and member in one step.
    async fn remove_on_same_node(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.script(purpose, &lua::DELETE, |call| {
            call.key(self.bucket(bucket));
            for key in keys {
                let member = Layout::SameNode.member(key, Token::default());
                call.key(self.full_bytes(key)).arg(member);
            }
        })
        .await
    }

    /// Removes a key; whether a value was there.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        key: &str,
        purpose: Purpose,
    ) -> Result<bool, CacheError> {
        let key = key.as_bytes();
        Ok(self.remove_keys(bucket_of(key), &[key], purpose).await? > 0)
    }

    /// The mark of a whole set. In a cluster it names the masters: other ones may have forgotten members of entries
    /// that a third one still has, and may have entries again whose members are gone. So what was whole to
    /// others isn't to them. On one server set and entries are forgotten together.
    pub(crate) async fn whole(self: &Arc<Self>, purpose: Purpose) -> Result<Vec<u8>, CacheError> {
        match self.index.layout {
            Layout::SameNode => Ok(COMPLETE.to_vec()),
            Layout::Split => {
                let masters = self
                    .send_for(purpose, |connection| async move { Ok(connection.digest()) })
                    .await?;
                Ok([COMPLETE, b":", masters.as_bytes()].concat())
            }
        }
    }
}
