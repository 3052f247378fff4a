//! The index of keys: an invalidation finds its matches without scanning the keyspace.
//!
//! Sorted sets whose scores are all 0 and whose members are keys, so that `ZRANGEBYLEX` finds a
//! literal prefix in O(log N + matches). A key is registered in the script that leases it, before
//! anything is computed. It leaves in the script that deletes it, or in one that checks a few
//! members and drops those whose entries are gone. Check and removal are one step; otherwise a key
//! leased in between would be lost.
//!
//! Keys are divided into [`BUCKETS`] sets by a hash of their first segment. A pattern whose first
//! segment is literal reads one set, and a template that begins with a placeholder doesn't create a
//! set for each user.
//!
//! A set can be lost (evicted, deleted, flushed) or incomplete from the start (keys of an older
//! release). A complete set has a member that only the end of a scan over the keyspace puts there.
//! Every use checks for it, and a set without it is rebuilt by a scan before it is trusted.

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
use ranges::{LexRange, ranges};

/// Number of sets of a prefix.
pub(crate) const BUCKETS: usize = 16;
/// Number of members that one command reads, and of keys that one deletes. A page takes the server
/// a few milliseconds at most.
const PAGE: usize = 500;
/// Member that only a complete set has. Members that begin with a NUL are marks, see
/// [`Layout::member`].
pub(crate) const COMPLETE: &[u8] = b"\0whole";

/// State of the index in this process.
pub(crate) struct RedisIndex {
    pub(crate) layout: Layout,
    /// Held during a rebuild. A process runs one at a time.
    pub(crate) rebuilding: Mutex<()>,
    /// Whether a rebuild in the background is under way.
    pub(crate) rebuild_started: AtomicBool,
    /// Whether the sweeper runs.
    pub(crate) sweeping: AtomicBool,
    /// Permits for checks of other members that run in the background.
    check_permits: Arc<Semaphore>,
}

impl RedisIndex {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            rebuilding: Mutex::default(),
            rebuild_started: AtomicBool::default(),
            sweeping: AtomicBool::default(),
            check_permits: Arc::new(Semaphore::new(split::MAX_CHECKS)),
        }
    }
}

/// Return the number of the set that a key is in.
pub(crate) fn bucket_of(key: &[u8]) -> usize {
    let end = key
        .iter()
        .position(|byte| matches!(byte, b':' | b'#'))
        .unwrap_or(key.len());
    xxh3_64(&key[..end]) as usize % BUCKETS
}

impl Client {
    /// Return the key of a set. It is outside the entries' namespace and, since no prefix contains
    /// a `#`, outside that of any other prefix.
    pub(crate) fn bucket(&self, number: usize) -> String {
        format!("{}#index:{number}", self.prefix)
    }

    /// Remove the entries and leases that the pattern matches, and return the number of values.
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
                // The set is lost, or not yet built. What was deleted is deleted; the rest is found
                // after a rebuild.
                false => self.rebuild(purpose).await?,
            }
        }
        // The set was lost repeatedly (the server keeps evicting). Scan and delete without an
        // index.
        Ok(removed + self.remove_by_scan(pattern, purpose).await?)
    }

    /// Remove what the index finds. Return false if a set that the pattern needs is incomplete.
    async fn remove_indexed(
        self: &Arc<Self>,
        pattern: &Pattern,
        ranges: &[LexRange],
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

    /// Return the next members of a range, or `None` if the set is incomplete.
    async fn page(
        self: &Arc<Self>,
        range: &LexRange,
        from: &[u8],
        purpose: Purpose,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        let complete_mark = self.complete_mark(purpose).await?;
        self.script(purpose, &lua::RANGE, |call| {
            call.key(self.bucket(range.bucket))
                .arg(&complete_mark[..])
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

    /// Remove the keys of one set's members, and the members. Return the number of keys that held a
    /// value.
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
        // Members are sorted, so several members of one key are adjacent.
        keys.dedup();
        match layout {
            Layout::SameNode => self.remove_on_same_node(bucket, &keys, purpose).await,
            Layout::Split => self.remove_split(bucket, &keys, members, purpose).await,
        }
    }

    /// Remove keys of one set and their members. Return the number of keys that held a value.
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

    /// Remove entries and members in one step.
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
                call.key(self.full_key_bytes(key)).arg(member);
            }
        })
        .await
    }

    /// Remove a key. Report whether it held a value.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        key: &str,
        purpose: Purpose,
    ) -> Result<bool, CacheError> {
        let key = key.as_bytes();
        Ok(self.remove_keys(bucket_of(key), &[key], purpose).await? > 0)
    }

    /// Return the mark of a complete set.
    ///
    /// In a cluster the mark names the masters. Another master may have lost members of entries
    /// that a third one still has, or may have entries again whose members are gone. So a set that
    /// was complete under other masters isn't complete under these. On a single server, sets and
    /// entries are lost together.
    pub(crate) async fn complete_mark(
        self: &Arc<Self>,
        purpose: Purpose,
    ) -> Result<Vec<u8>, CacheError> {
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
