//! The client: the state that every command depends on, and the basic reads.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{Cmd, Script, ScriptInvocation};

use crate::clock::Clock;
use crate::entry::{self, Bytes, EntryKind};
use crate::error::CacheError;
use crate::store::memory::Eviction;
use crate::store::redis::apps::Apps;
use crate::store::redis::conn::capabilities::Checked;
use crate::store::redis::conn::endpoint::Connector;
use crate::store::redis::conn::manager::ConnectionManager;
use crate::store::redis::conn::per_runtime::PerRuntime;
use crate::store::redis::conn::server_error::refused;
use crate::store::redis::fetched::RemainingTtl;
use crate::store::redis::get_with_ttl::may_be_stale;
use crate::store::redis::index::{Layout, RedisIndex};
use crate::store::redis::lease::orphans::Orphans;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::recovery::breaker::Breaker;
use crate::store::redis::recovery::replay::Replay;
use crate::store::redis::times::Times;
use crate::store::redis::tracking::Tracking;

/// Number of keys loaded by one command.
const BATCH: usize = 500;

/// State shared by all commands of a store. Its methods run on the cache's thread, plain reads over
/// a connection of the caller's runtime excepted.
pub(crate) struct Client {
    pub(crate) manager: ConnectionManager,
    pub(crate) per_runtime: PerRuntime,
    pub(crate) breaker: Breaker,
    pub(crate) replay: Replay,
    pub(crate) index: RedisIndex,
    pub(crate) orphans: Orphans,
    pub(crate) tracking: Option<Arc<Tracking>>,
    /// Whether the cluster monitor runs.
    pub(crate) monitor_runs: AtomicBool,
    pub(crate) prefix: String,
    pub(crate) limits: Limits,
    pub(crate) times: Arc<Times>,
    pub(crate) apps: Arc<Apps>,
    /// Whether the user may run `STRLEN`, once that was tried.
    measures: tokio::sync::OnceCell<bool>,
    /// ID of the process that opened the connections.
    process: u32,
    /// The client of a forked child process. Sockets can't be shared, and the thread that reads
    /// from them exists only in the parent.
    forked: OnceLock<Arc<Self>>,
}

/// Time and size limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Timeout for a reply, connecting included.
    pub(crate) response_timeout: Duration,
    /// Timeout for a reply to an invalidation.
    pub(crate) invalidation_timeout: Duration,
    /// TTL of a lease, after which a lease whose holder died expires.
    pub(crate) lease_ttl: Duration,
    /// How long callers wait for a flight, and how long its lease is renewed.
    pub(crate) wait_timeout: Duration,
    /// How long acknowledged invalidations are remembered.
    pub(crate) replay_window: Duration,
    /// Capacity of the near cache in bytes. `None` means that there is no near cache.
    pub(crate) near: Option<usize>,
    pub(crate) near_eviction: Eviction,
    /// How long a silent connection is still trusted to report changes.
    pub(crate) near_max_silence: Duration,
    /// Bytes that the entries of one owner may take.
    pub(crate) owner_capacity: Option<usize>,
    /// Whether functions of this program name owners.
    pub(crate) has_owners: bool,
    /// Whether runtimes that read often get connections of their own.
    pub(crate) runtime_connections: bool,
}

/// Content of a key.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Absent,
    /// Token and bytes of another caller's lease. The bytes are needed because a lease that never
    /// expires is junk.
    Lease(u64, Bytes),
    /// Bytes that may be an entry.
    Entry(Bytes),
    /// A list, a set, or another type that isn't a string.
    OtherType,
}

impl Client {
    /// Create a client for this endpoint, without connecting.
    pub(crate) fn new(
        endpoint: Arc<Connector>,
        prefix: &str,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        let many_nodes = endpoint.is_many_nodes();
        let layout = match many_nodes {
            true => Layout::Split,
            false => Layout::SameNode,
        };
        Self {
            manager: ConnectionManager::new(
                endpoint,
                Checked {
                    prefix,
                    owners: limits.has_owners,
                },
                clock.clone(),
            ),
            per_runtime: PerRuntime::new(
                limits.runtime_connections && !many_nodes,
                limits.response_timeout,
            ),
            breaker: Breaker::new(clock),
            replay: Replay::new(limits.replay_window),
            index: RedisIndex::new(layout),
            orphans: Orphans::default(),
            tracking: limits.near.map(|bytes| {
                Arc::new(Tracking::new(
                    bytes,
                    limits.near_eviction,
                    limits.near_max_silence,
                ))
            }),
            monitor_runs: AtomicBool::default(),
            prefix: prefix.to_owned(),
            limits,
            times: Arc::default(),
            apps: Arc::default(),
            measures: tokio::sync::OnceCell::new(),
            process: std::process::id(),
            forked: OnceLock::new(),
        }
    }

    /// Return the ID of the process that opened the connections.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// Return this client, or the forked child's own client after a fork. Costs one system call,
    /// which asks for the process ID.
    pub(crate) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        let process = std::process::id();
        let mut client = self;
        while client.process != process {
            client = client.forked.get_or_init(|| {
                // The near cache belongs to the parent and receives no notifications here. Trust in
                // it ends within `near_max_silence`.
                let limits = Limits {
                    near: None,
                    ..client.limits
                };
                let endpoint = Arc::clone(client.manager.endpoint());
                let clock = client.manager.clock();
                Arc::new(Self {
                    times: Arc::clone(&client.times),
                    apps: Arc::clone(&client.apps),
                    ..Self::new(endpoint, &client.prefix, limits, clock)
                })
            });
        }
        client
    }

    pub(crate) fn full_key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    pub(crate) fn full_key_bytes(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), b":", key].concat()
    }

    /// Return the start of keys that aren't entries, for probes.
    pub(crate) fn probe_key(&self) -> String {
        format!("{}#probe", self.prefix)
    }

    /// Read a key by a plain `GET`.
    pub(crate) async fn read(self: &Arc<Self>, key: &str) -> Result<Found, CacheError> {
        let get = &Cmd::get(self.full_key(key));
        let reply: Result<Option<Vec<u8>>, CacheError> = self
            .send(|mut connection| async move { get.query_async(&mut connection).await })
            .await;
        parse_get(reply)
    }

    /// Load many keys, and return their bytes in the same order. Keys are loaded in batches,
    /// because a very long reply could exceed the response timeout.
    pub(crate) async fn load_many(
        self: &Arc<Self>,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        let mut found = Vec::with_capacity(keys.len());
        for part in keys.chunks(BATCH) {
            found.extend(self.load_part(part).await?);
        }
        Ok(found)
    }

    async fn load_part(
        self: &Arc<Self>,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        let mut found = self.get_part(keys).await?;
        self.drop_stale(keys, &mut found).await?;
        Ok(found)
    }

    /// Read many keys for calls that lead if an entry is missing. Each is returned with its
    /// remaining TTL if it may be stale.
    pub(crate) async fn look_many(
        self: &Arc<Self>,
        keys: &[Arc<str>],
    ) -> Result<Vec<(Found, Option<RemainingTtl>)>, CacheError> {
        let mut looks = Vec::with_capacity(keys.len());
        for part in keys.chunks(BATCH) {
            let found = self.get_part(part).await?;
            let found = found.into_iter().map(|bytes| parse_get(Ok(bytes)));
            let found = found.collect::<Result<Vec<Found>, CacheError>>()?;
            let looked = part.iter().zip(found).map(|(key, seen)| async move {
                if !may_be_stale(&seen) {
                    return Ok((seen, None));
                }
                let (seen, left) = self.get_with_ttl(key).await?;
                Ok((seen, Some(left)))
            });
            looks.extend(try_join_all(looked).await?);
        }
        Ok(looks)
    }

    async fn get_part(
        self: &Arc<Self>,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        if self.index.layout == Layout::Split {
            let loads = keys.iter().map(|key| async {
                match self.read(key).await? {
                    Found::Entry(bytes) | Found::Lease(_, bytes) => Ok(Some(bytes.to_vec())),
                    Found::Absent | Found::OtherType => Ok(None),
                }
            });
            return try_join_all(loads).await;
        }
        // `MGET` returns nil for a key that isn't a string.
        let mut get = redis::cmd("MGET");
        for key in keys {
            get.arg(self.full_key(key));
        }
        let get = &get;
        self.send(|mut connection| async move { get.query_async(&mut connection).await })
            .await
    }

    /// Return how long an entry stays fresh. Leases and foreign values return `None`.
    pub(crate) async fn ttl(self: &Arc<Self>, key: &str) -> Result<Option<Duration>, CacheError> {
        let (start, grace, left): (Vec<u8>, Vec<u8>, i64) = self
            .script(Purpose::Call, &lua::TTL, |call| {
                call.key(self.full_key(key));
            })
            .await?;
        if !entry::holds_value(&start) {
            return Ok(None);
        }
        Ok(match u64::try_from(left) {
            Ok(left) => {
                let grace = grace.try_into().map_or(0, u64::from_le_bytes);
                let fresh = left
                    .checked_sub(grace)
                    .filter(|fresh| *fresh > 0 || grace == 0);
                fresh.map(Duration::from_millis)
            }
            // -1: the key doesn't expire.
            Err(_) => (left == -1).then_some(Duration::MAX),
        })
    }

    /// Report whether the key has no expiry, which a lease always has.
    pub(crate) async fn is_eternal(self: &Arc<Self>, key: &str) -> Result<bool, CacheError> {
        let pttl = &Cmd::pttl(self.full_key(key));
        let left: i64 = self
            .send(|mut connection| async move { pttl.query_async(&mut connection).await })
            .await?;
        Ok(left == -1)
    }

    /// Report whether the user may run `STRLEN`, which the least permissions don't include. Tried
    /// once, since the server logs each command that it refuses.
    pub(crate) async fn may_measure(self: &Arc<Self>) -> Result<bool, CacheError> {
        let measure = &Cmd::strlen(self.probe_key());
        let tried = self.measures.get_or_try_init(|| async {
            self.send(|mut connection| async move {
                match measure.query_async::<u64>(&mut connection).await {
                    Err(error) if refused(&error).is_some() => Ok(false),
                    length => length.map(|_| true),
                }
            })
            .await
        });
        tried.await.copied()
    }

    /// Run a script. If the server no longer has the script, it is loaded again.
    pub(crate) async fn script<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        purpose: Purpose,
        script: &Script,
        prepare: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, CacheError> {
        let mut invocation = script.prepare_invoke();
        prepare(&mut invocation);
        let invocation = &invocation;
        self.send_for(purpose, |mut connection| async move {
            invocation.invoke_async(&mut connection).await
        })
        .await
    }
}

/// Interpret a reply to `GET`.
pub(crate) fn parse_get(reply: Result<Option<Vec<u8>>, CacheError>) -> Result<Found, CacheError> {
    match reply {
        Ok(None) => Ok(Found::Absent),
        Ok(Some(bytes)) => Ok(match entry::inspect(&bytes) {
            Some(header) if header.kind == EntryKind::Lease => {
                Found::Lease(header.token, bytes.into())
            }
            _ => Found::Entry(bytes.into()),
        }),
        Err(error) if is_wrong_type(&error) => Ok(Found::OtherType),
        Err(error) => Err(error),
    }
}

fn is_wrong_type(error: &CacheError) -> bool {
    let CacheError::Store { source } = error else {
        return false;
    };
    let error = source.downcast_ref::<redis::RedisError>();
    error.is_some_and(|error| error.code() == Some("WRONGTYPE"))
}

/// Convert a TTL to whole milliseconds, at least one, as Redis requires.
pub(crate) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, i64::MAX as u64 / 2)
}
