//! The Redis store.
//!
//! Every command but a plain read runs on the cache's own thread. It therefore finishes even if
//! its caller is dropped, and callers need no runtime of their own. A plain read may use a
//! connection on the caller's runtime: dropping it is safe, since it changes nothing.
//!
//! [`RedisStore`] is the API. Its methods are here and beside what they need: plain reads in
//! `conn/per_runtime/get.rs`, [`get_with_ttl`] and `tracking/tracked_io.rs`, leases and claims in
//! [`lease`]. They call the methods of [`client::Client`], which send their commands through
//! [`send`]. `conn/` holds the connections, `index/` the sets that patterns read, and `recovery/`
//! the breaker.

mod apps;
mod client;
mod cluster;
mod conn;
mod diagnosis;
mod fetched;
mod get_with_ttl;
mod index;
mod invalidate;
mod lease;
mod lua;
pub(crate) mod owners;
mod purpose;
mod put;
mod recovery;
mod send;
mod server_stats;
mod shapes;
pub(crate) mod times;
mod tracking;
mod warm;
mod watch;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::Clock;
use crate::entry::Bytes;
use crate::error::CacheError;
use crate::runtime;
use crate::store::near::{self, NearCache};
pub(crate) use apps::Published;
use client::Client;
pub(crate) use client::{Found, Limits, millis};
use conn::endpoint::Connector;
pub(crate) use conn::endpoint::{ConnectOptions, Endpoint, check_url};
pub(crate) use diagnosis::NodeFacts;
pub(crate) use fetched::{Fetched, NearCandidate, RemainingTtl};
pub(crate) use get_with_ttl::may_be_stale;
pub(crate) use index::{EntryFacts, Examined};
pub(crate) use invalidate::{PendingReply, Target};
pub(crate) use lease::Lease;
pub(crate) use lease::claim::{Claimed, Holder, header_of};
use purpose::Purpose;
use times::{Operation, Times};
pub(crate) use tracking::tracked_io::NearCopy;
pub(crate) use warm::{WarmLease, WarmTaken};

/// Handle of the store. Clones share one connection.
#[derive(Clone)]
pub(crate) struct RedisStore {
    client: Arc<Client>,
    /// The near cache, at one level of indirection, since every hit in it comes through here.
    near: Option<Arc<NearCache>>,
}

impl RedisStore {
    pub(crate) fn new(
        endpoint: &Endpoint,
        options: &ConnectOptions,
        prefix: &str,
        limits: Limits,
        clock: &Clock,
    ) -> Result<Self, CacheError> {
        let connector = Connector::new(endpoint, options, limits.response_timeout)?;
        let client = Client::new(Arc::new(connector), prefix, limits, clock.clone());
        if let Some(tracking) = &client.tracking {
            near::register(prefix, &tracking.near);
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

    /// Run `work` on the cache's thread. While the breaker is open, the call is refused at once,
    /// without switching threads.
    async fn run<T, F>(
        &self,
        operation: Operation,
        work: impl FnOnce(Arc<Client>) -> F,
    ) -> Result<T, CacheError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CacheError>> + Send + 'static,
    {
        let client = self.client();
        client.breaker.check()?;
        client.start_monitor();
        client.start_publishing();
        let work = runtime::spawn(work(Arc::clone(client)))
            .map_or_else(PendingReply::Refused, PendingReply::Sent);
        client.times.of(operation, work).await
    }

    /// Return the bytes of a key, unless it holds a lease.
    pub(crate) async fn load(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let key: Arc<str> = key.into();
        match self
            .run(Operation::Get, |client| async move {
                client.read_fresh(&key).await
            })
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
        self.run(Operation::Get, |client| async move {
            client.load_many(&keys).await
        })
        .await
    }

    /// Read many keys for calls that lead if an entry is missing. Each is returned with its
    /// remaining TTL if it may be stale.
    pub(crate) async fn look_many(
        &self,
        keys: Vec<Arc<str>>,
    ) -> Result<Vec<(Found, Option<RemainingTtl>)>, CacheError> {
        self.run(Operation::Get, |client| async move {
            client.look_many(&keys).await
        })
        .await
    }

    pub(crate) async fn store(
        &self,
        entries: Vec<(Arc<str>, Vec<u8>)>,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        self.run(Operation::Set, |client| async move {
            let keys: Vec<Arc<str>> = entries.iter().map(|(key, _)| Arc::clone(key)).collect();
            let stored = client.store(entries, ttl).await;
            keys.iter().for_each(|key| client.void_near(key));
            stored
        })
        .await
    }

    /// Remove a key, value or lease. Report whether it held a value. Not for invalidations, since a
    /// failed command isn't queued.
    pub(crate) async fn remove(&self, key: &str) -> Result<bool, CacheError> {
        let key: Arc<str> = key.into();
        self.run(Operation::Other, |client| async move {
            let removed = client.remove(&key, Purpose::Call).await;
            client.void_near(&key);
            removed
        })
        .await
    }

    /// Remove the values and leases that the targets name, and return the number of values. The
    /// result of each target is passed to `report`, with the target's number.
    ///
    /// An invalidation that can't be sent is queued, and reads run uncached until it is sent. It
    /// begins when this is called, and finishes without its caller.
    pub(crate) fn invalidate(
        &self,
        targets: Vec<Target>,
        report: impl Fn(usize, &Target, Result<u64, &CacheError>) + Send + 'static,
    ) -> PendingReply<u64> {
        let client = Arc::clone(self.client());
        // Without the cache's thread nothing can be sent now either.
        let ready = client
            .breaker
            .check()
            .and_then(|()| runtime::handle().map(drop));
        if let Err(error) = ready {
            client.queue_invalidations(&targets, &error);
            for (number, target) in targets.iter().enumerate() {
                client.void_near_matching(target);
                report(number, target, Err(&error));
            }
            return PendingReply::Refused(error);
        }
        let work = async move {
            let times = Arc::clone(&client.times);
            let removed = client.invalidate(&targets);
            let removed = times.of(Operation::Invalidate, removed).await;
            // After the store has answered, so that later fetches get its new content. If it hasn't
            // answered, the queued keys must not be served from the near cache, although the store
            // may still hold them. All of them before the first report, which runs code of a
            // `tracing` subscriber.
            targets
                .iter()
                .for_each(|target| client.void_near_matching(target));
            for (number, target) in targets.iter().enumerate() {
                let removed = removed.as_ref().map(|removed| removed[number]);
                report(number, target, removed);
            }
            Ok(removed?.into_iter().sum())
        };
        runtime::spawn_telling(work).map_or_else(PendingReply::Refused, PendingReply::Sent)
    }

    pub(crate) async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        let key: Arc<str> = key.into();
        self.run(
            Operation::Other,
            |client| async move { client.ttl(&key).await },
        )
        .await
    }

    /// Return how long Redis takes.
    pub(crate) fn times(&self) -> &Times {
        &self.client().times
    }

    /// Return how many invalidations are queued, and how many queued ones were sent so far.
    pub(crate) fn replays(&self) -> (u64, u64) {
        self.client().replay.counts()
    }

    /// Return the number of walks over the keyspace so far.
    pub(crate) fn walks(&self) -> u64 {
        self.client().index.walks.load(Ordering::Relaxed)
    }

    /// Report whether the breaker is open. If it is, the cause has been logged.
    pub(crate) fn is_down(&self) -> bool {
        self.client().breaker.check().is_err()
    }

    /// Report whether the key has no expiry.
    pub(crate) async fn is_eternal(&self, key: &Arc<str>) -> Result<bool, CacheError> {
        let key = Arc::clone(key);
        self.run(Operation::Other, |client| async move {
            client.is_eternal(&key).await
        })
        .await
    }
}
