//! The processes of a prefix: each publishes a snapshot of its counters, and any of them can read
//! all.
//!
//! `<prefix>#app:<instance>` holds the snapshot of one cache in one process, with a TTL. The sorted
//! set `<prefix>#apps` names the instances, so that they are found without a walk over the keyspace.
//! In a cluster the keys are on different nodes, so each is written by a command of its own, and the
//! set may name an instance whose snapshot is gone. A process that notices it drops the name. If the
//! instance publishes at that very moment, it is back at its next registration.
//!
//! A snapshot is of use to people alone. So publishing waits for nothing, fails silently, sends
//! nothing while the breaker is open, and doesn't open the breaker.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::Cmd;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::index::Layout;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// Pause before the first snapshot, so that a program that ends at once publishes none, and the
/// first call has the connection for itself.
const FIRST: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a snapshot lives: two may be late or lost before the process seems to be gone.
const LIFETIME: Duration = Duration::from_secs(15);
/// Number of snapshots after which the instance is registered again, in case the set was lost.
const REGISTERED_FOR: u32 = 12;
/// How long the set lives without a registration.
const SET_LIFETIME: Duration = Duration::from_secs(3_600);
/// Number of other instances that a registration checks. As many as die meanwhile are dropped, and
/// more, so the set stays small.
const CHECKED: usize = 4;
/// Number of snapshots that are read by one command.
const BATCH: usize = 100;

/// A published snapshot.
pub(crate) struct Published {
    /// The name of the instance.
    pub(crate) instance: String,
    pub(crate) bytes: Vec<u8>,
}

/// Returns the current snapshot; `None` once the cache is dropped.
pub(crate) type Source = Box<dyn Fn() -> Option<Published> + Send + Sync>;

/// Whether and what a client publishes.
#[derive(Default)]
pub(crate) struct Apps {
    /// Not set: nothing is published.
    source: OnceLock<Source>,
    /// ID of the process whose thread publishes; 0 for none. A forked child starts its own.
    publishes: AtomicU32,
}

impl RedisStore {
    /// Publish the snapshots that the source returns, from the first operation on.
    pub(crate) fn publish(&self, source: Source) {
        let _ = self.client.apps.source.set(source);
    }

    /// Whether this store publishes snapshots.
    pub(crate) fn publishes(&self) -> bool {
        self.client.apps.source.get().is_some()
    }

    /// Return all published snapshots, with the names of their instances.
    pub(crate) async fn published(&self) -> Result<Vec<Published>, CacheError> {
        self.run(Operation::Other, |client| async move {
            client.read_apps().await
        })
        .await
    }
}

impl Client {
    /// Start publishing in the background, if this process has something to publish and doesn't yet.
    pub(crate) fn start_publishing(self: &Arc<Self>) {
        // The common case costs loads only, since every call comes here.
        let (apps, process) = (&self.apps, self.process());
        if apps.source.get().is_some()
            && apps.publishes.load(Ordering::Relaxed) != process
            && apps.publishes.swap(process, Ordering::AcqRel) != process
            && runtime::spawn(run(Arc::downgrade(self))).is_err()
        {
            apps.publishes.store(0, Ordering::Release);
        }
    }

    fn apps_key(&self) -> String {
        format!("{}#apps", self.prefix)
    }

    fn app_key(&self, instance: &str) -> String {
        format!("{}#app:{instance}", self.prefix)
    }

    /// Send a command for which no call waits.
    pub(super) async fn send_aside<T>(self: &Arc<Self>, command: &Cmd) -> Result<T, CacheError>
    where
        T: redis::FromRedisValue,
    {
        self.send_for(Purpose::Statistics, |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Publish a snapshot. `registers`: name the instance in the set, too. Usually sends one `SET`.
    ///
    /// Each step may be the last one, if the process dies there: what is left expires, or is dropped
    /// by another process.
    async fn publish(
        self: &Arc<Self>,
        published: &Published,
        registers: bool,
    ) -> Result<(), CacheError> {
        let key = self.app_key(&published.instance);
        let lifetime = LIFETIME.as_millis() as u64;
        let set = || {
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(&published.bytes[..]);
            set.arg("PX").arg(lifetime);
            set
        };
        if !registers {
            let mut again = set();
            again.arg("XX");
            // Without the last snapshot (it has expired, or the server was emptied) the name may be
            // gone, too.
            if self.send_aside::<Option<()>>(&again).await?.is_some() {
                return Ok(());
            }
        }
        // Before the name: a name without a snapshot is dropped.
        self.send_aside::<()>(&set()).await?;
        let apps = self.apps_key();
        let mut add = redis::cmd("ZADD");
        add.arg(&apps).arg(0).arg(&published.instance);
        self.send_aside::<()>(&add).await?;
        let mut keep = redis::cmd("PEXPIRE");
        keep.arg(&apps).arg(SET_LIFETIME.as_millis() as u64);
        self.send_aside::<()>(&keep).await?;
        let mut sample = redis::cmd("ZRANDMEMBER");
        sample.arg(&apps).arg(CHECKED);
        let sample: Vec<String> = self.send_aside(&sample).await?;
        for instance in sample {
            let mut exists = redis::cmd("EXISTS");
            exists.arg(self.app_key(&instance));
            if !self.send_aside::<bool>(&exists).await? {
                self.drop_app(&instance).await?;
            }
        }
        Ok(())
    }

    /// Drop the name of an instance whose snapshot is gone.
    async fn drop_app(self: &Arc<Self>, instance: &str) -> Result<(), CacheError> {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.apps_key()).arg(instance);
        self.send_aside(&remove).await
    }

    async fn read_apps(self: &Arc<Self>) -> Result<Vec<Published>, CacheError> {
        let mut range = redis::cmd("ZRANGEBYLEX");
        range.arg(self.apps_key()).arg("-").arg("+");
        let range = &range;
        let instances: Vec<String> = self
            .send(|mut connection| async move { range.query_async(&mut connection).await })
            .await?;
        let mut published = Vec::with_capacity(instances.len());
        for part in instances.chunks(BATCH) {
            let snapshots = self.read_snapshots(part).await?;
            for (instance, bytes) in part.iter().zip(snapshots) {
                match bytes {
                    Some(bytes) => published.push(Published {
                        instance: instance.clone(),
                        bytes,
                    }),
                    // The names are of use without this, so a failure isn't the caller's.
                    None => drop(self.drop_app(instance).await),
                }
            }
        }
        Ok(published)
    }

    async fn read_snapshots(
        self: &Arc<Self>,
        instances: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        let keys = instances.iter().map(|instance| self.app_key(instance));
        if self.index.layout == Layout::Split {
            let reads = keys.map(|key| async move {
                let get = &Cmd::get(key);
                self.send(|mut connection| async move { get.query_async(&mut connection).await })
                    .await
            });
            return try_join_all(reads).await;
        }
        let mut get = redis::cmd("MGET");
        keys.for_each(|key| {
            get.arg(key);
        });
        let get = &get;
        self.send(|mut connection| async move { get.query_async(&mut connection).await })
            .await
    }
}

/// Publish until the cache is dropped.
async fn run(client: Weak<Client>) {
    let (mut since_registration, mut shapes) = (0, 0);
    tokio::time::sleep(FIRST).await;
    loop {
        let Some(client) = client.upgrade() else {
            return;
        };
        if client.breaker.check().is_ok() {
            let Some(published) = client.apps.source.get().and_then(|source| source()) else {
                return;
            };
            let registers = since_registration % REGISTERED_FOR == 0;
            since_registration += 1;
            if registers {
                shapes = 0;
            }
            let sent = async {
                client.publish(&published, registers).await?;
                client.publish_shapes(shapes).await
            };
            match sent.await {
                Ok(sent) => shapes = sent,
                Err(error) => {
                    // The snapshot may be lost, and the name with it.
                    since_registration = 0;
                    tracing::debug!(target: "cache", op = "publish", "[Cache] the counters of this process weren't published: {error}");
                }
            }
        }
        drop(client);
        tokio::time::sleep(INTERVAL).await;
    }
}
