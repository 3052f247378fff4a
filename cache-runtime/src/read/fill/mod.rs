//! Storing a computed value.

pub(crate) mod conclude;
pub(crate) mod negative;
pub(crate) mod plan;
#[cfg(feature = "redis")]
mod redis;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::clock::later;
#[cfg(feature = "redis")]
use crate::entry::Facts;
use crate::entry::payload::Payload;
use crate::events;
use crate::flight::Leader;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::stats::Counter;
use crate::store::memory::{Entry, Insertion};

/// A fill on its way to the store.
pub(crate) type FillFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Call {
    /// Share a value that isn't to be stored. The cached entry is outdated by it, and would be
    /// served for as long as it is stale, so it is removed together with the claim on it.
    pub(crate) fn share(&self, lead: Lead, payload: Payload) {
        let outdates = self.may_refresh();
        #[cfg(feature = "redis")]
        let lease = lead.lease;
        let taken = lead.leader.complete(payload, self.version, |_, payload| {
            let store = self.cache.inner().store.memory();
            let outdated = store.filter(|_| outdates);
            (payload, outdated.map(|store| store.take(&self.key)))
        });
        drop(taken);
        #[cfg(feature = "redis")]
        if let Some(mut lease) = lease
            && outdates
        {
            lease.withdraws = true;
        }
    }

    /// End a computation whose value is for its caller alone: neither stored nor shared. Callers
    /// that wait compute their own. An entry that it was to replace is outdated, and removed.
    /// It is done without its caller; the result tells when another process can lead.
    pub(crate) fn refuse(&self, lead: Lead) -> impl Future<Output = ()> + Send + use<> {
        let outdates = self.may_refresh();
        #[cfg(feature = "redis")]
        let lease = lead.lease;
        let taken = lead.leader.refuse(|| {
            let store = self.cache.inner().store.memory();
            let outdated = store.filter(|_| outdates);
            outdated.map(|store| store.take(&self.key))
        });
        drop(taken);
        #[cfg(feature = "redis")]
        let ended = lease.and_then(|lease| lease.give_back(outdates));
        async move {
            #[cfg(feature = "redis")]
            if let Some(ended) = ended {
                let _ = ended.await;
            }
        }
    }

    /// Store a computed value in memory, and check in the same step that its flight is still valid.
    /// Return whether it was.
    pub(crate) fn fill_memory(
        &self,
        leader: Leader,
        payload: Payload,
        ttl: Duration,
        took: Duration,
        weight: usize,
    ) -> bool {
        let inner = self.cache.inner();
        let now = inner.clock.now();
        let insertion = leader.complete(payload, self.version, |key, payload| {
            let entry = Entry {
                payload,
                version: self.version,
                fresh_until: later(now, ttl),
                expires: later(now, ttl.saturating_add(self.grace())),
                compute: took,
                paused_until: 0,
                stored: now,
                bytes: weight,
                owned: None,
            };
            match inner.store.memory() {
                Some(store) => Ok(match &self.owner {
                    None => store.insert(key, entry, now),
                    Some(owner) => {
                        let capacity = inner.owners.capacity;
                        store.insert_owned(key, entry, owner, capacity, now)
                    }
                }),
                None => Err(entry),
            }
        });
        match insertion {
            Some(Ok(Insertion { stored: true, .. })) => self.filled(ttl),
            None => self.count(Counter::Overtaken),
            _ => {}
        }
        insertion.is_some()
    }

    /// Whether entries are stored in Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn stores_in_redis(&self) -> bool {
        self.cache.inner().store.memory().is_none()
    }

    /// Return the facts for the entry's header.
    #[cfg(feature = "redis")]
    pub(crate) fn facts(&self, lead: &Lead, took: Duration) -> Facts {
        Facts {
            version: self.version,
            token: lead.lease.as_ref().map_or(0, |lease| lease.token()),
            created: crate::clock::unix_millis(),
            grace: u64::try_from(self.grace().as_millis()).unwrap_or(u64::MAX),
            compute_micros: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            ..Facts::default()
        }
    }

    pub(crate) fn filled(&self, ttl: Duration) {
        self.count(Counter::Fills);
        self.event(|origin, key| events::set(origin, key, ttl));
    }
}
