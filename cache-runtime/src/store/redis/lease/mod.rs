//! Leases in Redis (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013).
//!
//! On a miss, the caller stores a lease at the entry's key. A lease is a special kind of entry with
//! a random token. The fill is a script that stores the value only if the token is still there. An
//! invalidation deletes whatever is at the key, lease or value, so a computation that began before
//! the invalidation can't fill after it.

pub(crate) mod claim;
pub(crate) mod orphans;
pub(crate) mod scripts;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, Found};
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;
use crate::store::redis::tracking::tracked_io::NearCopy;
use crate::sync::LazyLock;

/// Number of leases taken in one batch. A lease behind too many others would exceed the response
/// timeout and look like an outage.
const BATCH: usize = 500;

/// The right to fill one entry. Dropping it gives it back. If the process dies, the lease expires
/// in Redis.
pub(crate) struct Lease {
    pub(crate) client: Arc<Client>,
    pub(crate) key: Arc<str>,
    token: u64,
    /// Whether there is a lease to give back.
    pub(crate) held: bool,
    /// Whether the claimed value is outdated, and is deleted when the claim is given back.
    pub(crate) withdraws: bool,
    /// Whose entry it is, if anybody's.
    pub(crate) owner: Option<Arc<str>>,
    renewal: Option<JoinHandle<()>>,
}

impl Lease {
    /// Create a lease that isn't taken yet.
    pub(crate) fn new(client: Arc<Client>, key: Arc<str>) -> Self {
        Self {
            client,
            key,
            token: fresh_token(),
            held: false,
            withdraws: false,
            owner: None,
            renewal: None,
        }
    }

    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Return the store in which it was taken.
    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::of(Arc::clone(&self.client))
    }

    /// Store the entry if the lease is still there, and keep its value in the near cache if `near`
    /// is given. Runs on the cache's thread only.
    pub(crate) async fn fill(
        &self,
        entry: &[u8],
        ttl: Duration,
        near: Option<NearCopy>,
    ) -> Result<bool, CacheError> {
        let (client, owner) = (&self.client, self.owner.as_deref());
        let lease = (&self.key, self.token);
        let filling = async {
            if let Some(kept) = near
                && let Some(filled) = client.fill_tracked(lease, owner, entry, ttl, kept).await?
            {
                return Ok(filled);
            }
            let filled = client
                .fill((&self.key, self.token), owner, entry, ttl)
                .await;
            // A later caller must not find the value from before this fill in the near cache.
            client.void_near(&self.key);
            filled
        };
        client.times.of(Operation::Fill, filling).await
    }

    /// Store the entry of a write-through. Return false if the lease is gone or contested, or if the
    /// server isn't certain to be the one that holds the lease: the key must then be invalidated.
    /// Runs on the cache's thread only.
    ///
    /// A server that takes over may have lost lease and fill, and have an entry from before them. So
    /// the fill is remembered like an acknowledged invalidation.
    pub(crate) async fn fill_write(
        &self,
        entry: &[u8],
        ttl: Duration,
        near: Option<NearCopy>,
    ) -> Result<bool, CacheError> {
        let before = self.client.server_of(Purpose::Call);
        let filled = self.fill(entry, ttl, near).await?;
        let server = self.client.server_of(Purpose::Call);
        if !filled || server.is_none() || server != before {
            return Ok(false);
        }
        let pattern = Pattern::of_path(&self.key);
        self.client.replay.acknowledged(&pattern, server.as_deref());
        Ok(true)
    }

    /// Take the lease in place of exactly the content that was read. Return `None` if the content
    /// has changed.
    async fn take(
        mut self,
        client: &Arc<Client>,
        seen: &Found,
    ) -> Result<Option<Self>, CacheError> {
        // Set before the reply, since a command whose reply is lost may have been executed.
        self.held = true;
        if client.take(&self, seen).await? {
            return Ok(Some(self.start_renewal()));
        }
        self.mark_over();
        Ok(None)
    }

    /// Read the key; if there is nothing, take the lease.
    async fn get_or_take(
        mut self,
        client: &Arc<Client>,
    ) -> Result<Result<Self, Found>, CacheError> {
        // As in `take`.
        self.held = true;
        match client.get_or_take(&self).await? {
            None => Ok(Ok(self.start_renewal())),
            Some(found) => {
                self.mark_over();
                Ok(Err(found))
            }
        }
    }

    /// Start renewing the lease while the body runs.
    pub(crate) fn start_renewal(mut self) -> Self {
        let (client, key, token) = (Arc::clone(&self.client), Arc::clone(&self.key), self.token);
        self.renewal = runtime::spawn(async move { client.renew(&key, token).await }).ok();
        self
    }

    /// Note that there is nothing to give back: the lease wasn't granted, or it was filled.
    pub(crate) fn mark_over(&mut self) {
        self.held = false;
    }
}

impl RedisStore {
    /// Create a lease that is still to be taken.
    pub(crate) fn new_lease(&self, key: Arc<str>) -> Lease {
        Lease::new(Arc::clone(self.client()), key)
    }

    /// Take a lease in place of exactly the content that was read, or return `None` if the content
    /// has changed.
    ///
    /// The lease moves into the task that runs the command. If the caller is dropped meanwhile,
    /// that task gives the lease back, always after it was taken.
    pub(crate) async fn take(
        &self,
        lease: Lease,
        seen: Found,
    ) -> Result<Option<Lease>, CacheError> {
        self.run(Operation::Lease, |client| async move {
            lease.take(&client, &seen).await
        })
        .await
    }

    /// Read the lease's key; if there is nothing, take the lease, all in one round trip. `Err`: the
    /// content of the key. A dropped caller as for [`take`](Self::take).
    pub(crate) async fn get_or_take(
        &self,
        lease: Lease,
    ) -> Result<Result<Lease, Found>, CacheError> {
        self.run(Operation::Lease, |client| async move {
            lease.get_or_take(&client).await
        })
        .await
    }

    /// Take many leases, as [`take`](Self::take) does, in one round trip for each [`BATCH`].
    pub(crate) async fn take_many(
        &self,
        wanted: Vec<(Lease, Found)>,
    ) -> Result<Vec<Option<Lease>>, CacheError> {
        self.run(Operation::Lease, |client| async move {
            let mut taken = Vec::with_capacity(wanted.len());
            let mut wanted = wanted.into_iter().peekable();
            while wanted.peek().is_some() {
                let part = wanted.by_ref().take(BATCH);
                let takes = part.map(|(lease, seen)| {
                    let client = &client;
                    async move { lease.take(client, &seen).await }
                });
                // All of them are awaited even if one fails: a lease must not be given back before
                // it has been taken.
                for answer in join_all(takes).await {
                    taken.push(answer?);
                }
            }
            Ok(taken)
        })
        .await
    }

    /// Take the lease of a write-through, whatever is at the key.
    pub(crate) async fn take_write(&self, mut lease: Lease) -> Result<Lease, CacheError> {
        self.run(Operation::Lease, |client| async move {
            lease.held = true;
            client.take_write(&lease).await?;
            // As the key in Redis, the near cache has no value of before the write any more.
            client.void_near(&lease.key);
            Ok(lease.start_renewal())
        })
        .await
    }

    /// Take a lease, whatever is at the key.
    pub(crate) async fn take_over(&self, mut lease: Lease) -> Result<Lease, CacheError> {
        self.run(Operation::Lease, |client| async move {
            lease.held = true;
            client
                .take_over((&lease.key, lease.token), lease.owner.as_deref(), true)
                .await?;
            Ok(lease.start_renewal())
        })
        .await
    }
}

impl Lease {
    /// Give the lease back, and remove the entry that it was on if `withdraws`. Awaiting the result
    /// tells when another caller can take it.
    pub(crate) fn give_back(mut self, withdraws: bool) -> Option<JoinHandle<()>> {
        self.withdraws = withdraws;
        self.end()
    }

    fn end(&mut self) -> Option<JoinHandle<()>> {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        if !mem::take(&mut self.held) {
            return None;
        }
        let (client, key, token) = (Arc::clone(&self.client), Arc::clone(&self.key), self.token);
        let withdraws = self.withdraws;
        let ended = runtime::spawn(async move {
            client.give_back(key, token, withdraws).await;
        });
        ended.ok()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.end());
    }
}

/// Return a token that no other lease has: 64 bits of a keyed hash, whose keys are random in each
/// process.
pub(crate) fn fresh_token() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = KEYS.build_hasher();
    hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
    hasher.finish().max(1)
}
