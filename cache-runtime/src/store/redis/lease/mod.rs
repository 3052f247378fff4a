//! Leases in Redis (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013).
//!
//! A miss puts a lease, an entry of a kind of its own with a random token, at the entry's key, and fills only
//! if that token still stands there, in one script. An invalidation deletes what stands at the key, lease or
//! value; so a computation that began before it can't fill after it.

pub(crate) mod claim;
pub(crate) mod orphans;
pub(crate) mod scripts;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, Found};
use crate::store::redis::tracking::tracked_io::NearCopy;

/// The right to fill one entry. Given back when dropped; the store's own expiry gives back that of a process
/// that dies.
pub(crate) struct Lease {
    pub(crate) client: Arc<Client>,
    pub(crate) key: Arc<str>,
    token: u64,
    /// Whether there is something to give back.
    pub(crate) held: bool,
    /// Whether the value that it claims is outdated, and goes with it.
    pub(crate) withdraws: bool,
    renewal: Option<JoinHandle<()>>,
}

impl Lease {
    /// A lease that isn't taken yet.
    pub(crate) fn new(client: Arc<Client>, key: Arc<str>) -> Self {
        Self {
            client,
            key,
            token: fresh_token(),
            held: false,
            withdraws: false,
            renewal: None,
        }
    }

    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Where it was taken.
    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::of(Arc::clone(&self.client))
    }

    /// Stores the entry if the lease still stands, and keeps its value near where one is given. On the cache's thread only.
    pub(crate) async fn fill(
        &self,
        entry: &[u8],
        ttl: Duration,
        near: Option<NearCopy>,
    ) -> Result<bool, CacheError> {
        if let Some(kept) = near
            && let Some(filled) = self
                .client
                .fill_tracked(&self.key, self.token, entry, ttl, kept)
                .await?
        {
            return Ok(filled);
        }
        let filled = self.client.fill(&self.key, self.token, entry, ttl).await;
        // Whoever comes after this fill must not find here what was before it.
        self.client.void_near(&self.key);
        filled
    }

    /// Keeps the lease alive while the body runs.
    pub(crate) fn granted(mut self) -> Self {
        let (client, key, token) = (Arc::clone(&self.client), Arc::clone(&self.key), self.token);
        self.renewal = runtime::spawn(async move { client.keep(&key, token).await }).ok();
        self
    }

    /// Notes that there is nothing to give back: it wasn't granted, or it was filled.
    pub(crate) fn is_over(&mut self) {
        self.held = false;
    }
}

impl RedisStore {
    /// A lease that is still to be taken.
    pub(crate) fn new_lease(&self, key: Arc<str>) -> Lease {
        Lease::new(Arc::clone(self.client()), key)
    }

    /// Takes a lease in place of exactly what was seen; `None` if something else stands there by now.
    ///
    /// The lease goes with the command: whoever goes away meanwhile leaves it to the command's task, which gives
    /// it back after it was taken, never before.
    pub(crate) async fn take(
        &self,
        mut lease: Lease,
        seen: Found,
    ) -> Result<Option<Lease>, CacheError> {
        self.run(|client| async move {
            // Before the reply: a command whose reply is lost may have been obeyed.
            lease.held = true;
            if client.take(&lease.key, &seen, lease.token).await? {
                return Ok(Some(lease.granted()));
            }
            lease.is_over();
            Ok(None)
        })
        .await
    }

    /// Takes a lease whatever stands there.
    pub(crate) async fn take_over(&self, mut lease: Lease) -> Result<Lease, CacheError> {
        self.run(|client| async move {
            lease.held = true;
            client.take_over(&lease.key, lease.token, true).await?;
            Ok(lease.granted())
        })
        .await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        if self.held {
            let (client, key, token) =
                (Arc::clone(&self.client), Arc::clone(&self.key), self.token);
            let withdraws = self.withdraws;
            let _ = runtime::spawn(async move {
                client.give_back(key, token, withdraws).await;
            });
        }
    }
}

/// A token that no other lease has: 64 bits of a keyed hash, whose keys are random in each process.
pub(crate) fn fresh_token() -> u64 {
    // Not the other crate's `Lazy`: callers in a plain executor may meet here, see `background`.
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = KEYS.build_hasher();
    hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
    hasher.finish().max(1)
}
