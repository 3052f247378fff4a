//! The owners of entries: whose calls are counted, and which patterns cover an owner's entries.

#[cfg(feature = "redis")]
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::atomic::Ordering;
#[cfg(feature = "redis")]
use std::time::Duration;

use super::{Cache, without_repeats};
#[cfg(feature = "redis")]
use crate::error::CacheError;
use crate::key::writer::NONE;
use crate::pattern::Pattern;
#[cfg(feature = "redis")]
use crate::runtime;
use crate::site::registry;
use crate::stats::owners::CallsByOwner;
#[cfg(feature = "redis")]
use crate::stats::owners::OwnerCalls;
#[cfg(feature = "redis")]
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::RedisStore;
#[cfg(feature = "redis")]
use crate::store::redis::owners::OwnerInRedis;
use crate::sync::AtomicBool;

/// Longest text of an owner, in bytes. An entry's header has two bytes for its length.
const LONGEST: usize = u16::MAX as usize;

/// State of a cache that concerns owners.
pub(crate) struct Owners {
    /// Bytes that the entries of one owner may take.
    pub(crate) capacity: Option<usize>,
    pub(crate) calls: CallsByOwner,
    /// Whether a task adds the calls to those in Redis.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "for Redis"))]
    pub(crate) publishing: AtomicBool,
    /// Held while calls are on their way to Redis.
    #[cfg(feature = "redis")]
    pub(crate) sending: tokio::sync::Mutex<()>,
}

impl Owners {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            calls: CallsByOwner::new(),
            publishing: AtomicBool::new(false),
            #[cfg(feature = "redis")]
            sending: tokio::sync::Mutex::new(()),
        }
    }
}

/// Whether a text, as a placeholder writes it, names an owner. `None` and `""` don't.
pub(crate) fn is_somebody(text: &str) -> bool {
    !text.is_empty() && text != NONE && text.len() <= LONGEST
}

/// How often a process adds its calls to those in Redis.
#[cfg(feature = "redis")]
const INTERVAL: Duration = Duration::from_secs(5);

#[cfg(feature = "redis")]
impl Cache {
    /// Start adding this process's calls to those in Redis every five seconds, until the cache is
    /// dropped.
    fn publish_owner_calls(&self) {
        let Store::Redis(store) = &self.inner.store else {
            return;
        };
        let owners = &self.inner.owners;
        if owners.publishing.load(Ordering::Relaxed)
            || owners.publishing.swap(true, Ordering::AcqRel)
        {
            return;
        }
        let (inner, store) = (Arc::downgrade(&self.inner), store.clone());
        let task = async move {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Some(inner) = inner.upgrade() else {
                    return;
                };
                inner.owners.send_all(&store).await;
            }
        };
        if runtime::spawn(task).is_err() {
            owners.publishing.store(false, Ordering::Release);
        }
    }

    /// Add this process's calls of an owner to those in Redis, and return what Redis knows.
    pub(crate) async fn owner_in_redis(
        &self,
        store: &RedisStore,
        owner: Arc<str>,
    ) -> Result<OwnerInRedis, CacheError> {
        let owners = &self.inner.owners;
        // Calls on their way to Redis are neither here nor there.
        let _sending = owners.sending.lock().await;
        let calls = owners.calls.take(&owner);
        let known = store.owner(Arc::clone(&owner), calls).await;
        owners.settle(vec![(owner, calls)], known.as_ref().err());
        known
    }
}

#[cfg(feature = "redis")]
impl Owners {
    async fn send_all(&self, store: &RedisStore) {
        let _sending = self.sending.lock().await;
        for calls in self.calls.take_all().filter(|calls| !calls.is_empty()) {
            let sent = store.add_owner_calls(calls.clone()).await;
            self.settle(calls, sent.as_ref().err());
        }
    }

    /// Put calls back that the breaker has refused. After another error they may have arrived, and
    /// each call is counted at most once.
    fn settle(&self, calls: Vec<(Arc<str>, OwnerCalls)>, error: Option<&CacheError>) {
        if matches!(error, Some(CacheError::Unavailable { .. })) {
            for (owner, calls) in calls {
                self.calls.put_back(&owner, calls);
            }
        }
    }
}

impl Cache {
    /// Count a call of an owner's entry.
    pub(crate) fn count_owner(&self, owner: &str, is_hit: bool) {
        self.inner.owners.calls.count(owner, is_hit);
        #[cfg(feature = "redis")]
        self.publish_owner_calls();
    }

    /// Return the patterns that cover all entries that this program's functions may store for the
    /// owner. They cover entries of others where the owner isn't a part of the path.
    pub(crate) fn owner_patterns(owner: &str) -> Vec<Pattern> {
        let sites = registry::owned().into_iter();
        let patterns = sites.map(|site| Pattern::new(site.owner_pattern(owner)));
        without_repeats(patterns.collect())
    }
}
