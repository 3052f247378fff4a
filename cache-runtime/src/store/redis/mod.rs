//! The Redis store.
//!
//! Every command runs on the cache's own thread: it finishes whatever becomes of its caller, and callers need no
//! runtime of their own. [`ConnectionManager`](manager::ConnectionManager) is the connection with its breaker, [`client`] what is sent,
//! [`lease`] the right to fill an entry, [`approach`] what a call does with all of them.

mod client;
mod cluster;
mod conn;
mod get_with_ttl;
mod index;
mod lease;
mod lua;
mod put;
mod recovery;
mod tracking;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::entry::Bytes;
use crate::error::CacheError;
use crate::runtime;
use crate::store::near::{self, NearStore};
use client::Client;
pub(crate) use client::{Found, Limits, millis};
use conn::endpoint::Connector;
pub(crate) use conn::endpoint::{ConnectOptions, Endpoint, check_url};
pub(crate) use get_with_ttl::{RemainingTtl, may_be_stale};
pub(crate) use lease::Lease;
pub(crate) use lease::claim::{Claimed, Holder, header_of};
use recovery::outage::Purpose;
pub(crate) use recovery::outage::{PendingReply, Target};
pub(crate) use tracking::tracked_io::{NearCandidate, NearCopy};
/// A handle of the store; clones share one connection.
#[derive(Clone)]
pub(crate) struct RedisStore {
    client: Arc<Client>,
    /// The near cache, one step away: each hit in it comes by here.
    near: Option<Arc<NearStore>>,
}

impl RedisStore {
    pub(crate) fn new(
        place: &Endpoint,
        way: &ConnectOptions,
        prefix: &str,
        limits: Limits,
        clock: &Clock,
    ) -> Result<Self, CacheError> {
        let endpoint = Connector::new(place, way, limits.response)?;
        let client = Client::new(Arc::new(endpoint), prefix, limits, clock.clone());
        if let Some(tracking) = &client.tracking {
            near::enlist(prefix, &tracking.near);
        }
        Ok(Self::of(Arc::new(client)))
    }

    fn of(client: Arc<Client>) -> Self {
        let near = client.tracking.as_ref();
        Self {
            near: near.map(|tracking| Arc::clone(&tracking.near)),
            client,
        }
    }

    fn client(&self) -> &Arc<Client> {
        self.client.of_this_process()
    }

    /// Runs client on the cache's thread. Refused at once, without a thread's turn, while the store is known
    /// to be down.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Client>) -> F) -> Result<T, CacheError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CacheError>> + Send + 'static,
    {
        let client = self.client();
        client.breaker.check()?;
        client.start_monitor();
        runtime::spawn(work(Arc::clone(client)))
            .map_or_else(PendingReply::Refused, PendingReply::Running)
            .await
    }

    /// The bytes of a key, leases excepted.
    pub(crate) async fn load(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let key: Arc<str> = key.into();
        match self
            .run(|client| async move { client.read_fresh(&key).await })
            .await?
        {
            Found::Entry(bytes) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    pub(crate) async fn load_many(
        &self,
        keys: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        self.run(|client| async move { client.load_many(&keys).await })
            .await
    }

    pub(crate) async fn store(
        &self,
        entries: Vec<(Arc<str>, Vec<u8>)>,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        self.run(|client| async move {
            let keys: Vec<Arc<str>> = entries.iter().map(|(key, _)| Arc::clone(key)).collect();
            let stored = client.store(entries, ttl).await;
            keys.iter().for_each(|key| client.void_near(key));
            stored
        })
        .await
    }

    /// Removes a key, value or lease; whether a value was there. Not for invalidations: what can't be sent is lost.
    pub(crate) async fn remove(&self, key: &str) -> Result<bool, CacheError> {
        let key: Arc<str> = key.into();
        self.run(|client| async move {
            let removed = client.remove(&key, Purpose::Call).await;
            client.void_near(&key);
            removed
        })
        .await
    }

    /// Removes what the invalidation names, values and leases, and counts the values; `report` hears of it. What
    /// can't be sent is queued, and reads run uncached until it is. Begins when called, and finishes without its
    /// caller.
    pub(crate) fn invalidate(
        &self,
        target: Target,
        report: impl FnOnce(&Target, &Result<u64, CacheError>) + Send + 'static,
    ) -> PendingReply<u64> {
        let client = Arc::clone(self.client());
        if let Err(error) = client.breaker.check() {
            client.owe(&target, &error);
            client.void_near_matching(&target);
            report(&target, &Err(error.clone()));
            return PendingReply::Refused(error);
        }
        let work = async move {
            let removed = client.invalidate(&target).await;
            // After the store has answered: what is fetched later is what it holds now. And where it has not: what it is owed
            // isn't served here, though it may still stand there.
            client.void_near_matching(&target);
            report(&target, &removed);
            removed
        };
        runtime::spawn_telling(work).map_or_else(PendingReply::Refused, PendingReply::Running)
    }

    pub(crate) async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        let key: Arc<str> = key.into();
        self.run(|client| async move { client.ttl(&key).await })
            .await
    }

    /// Whether that is known; then its cause has been logged.
    /// Report whether the breaker is open.
    pub(crate) fn is_down(&self) -> bool {
        self.client().breaker.check().is_err()
    }

    /// Report whether what is cached at a key has no TTL.
    pub(crate) async fn is_eternal(&self, key: &Arc<str>) -> Result<bool, CacheError> {
        let key = Arc::clone(key);
        self.run(|client| async move { client.is_eternal(&key).await })
            .await
    }
}
