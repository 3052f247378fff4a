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

mod examine;
mod list;
mod members;
mod paged;
mod ranges;
mod rebuild;
mod remove;
pub(crate) mod scan;
mod split;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use tokio::sync::{Mutex, Semaphore};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::purpose::Purpose;
pub(crate) use examine::Examined;
pub(crate) use list::EntryFacts;
pub(crate) use members::{Layout, Token};

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
    /// Whether a rebuild of the directory of owners in the background is under way.
    pub(crate) directory_started: AtomicBool,
    /// Whether the sweeper runs.
    pub(crate) sweeping: AtomicBool,
    /// Permits for checks of other members that run in the background.
    check_permits: Arc<Semaphore>,
    /// Number of walks over the keyspace.
    pub(crate) walks: AtomicU64,
}

impl RedisIndex {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            rebuilding: Mutex::default(),
            rebuild_started: AtomicBool::default(),
            directory_started: AtomicBool::default(),
            sweeping: AtomicBool::default(),
            check_permits: Arc::new(Semaphore::new(split::MAX_CHECKS)),
            walks: AtomicU64::default(),
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
