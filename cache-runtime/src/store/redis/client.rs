use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{Cmd, Script, ScriptInvocation};

use crate::clock::Clock;
use crate::entry::{self, Bytes, Kind};
use crate::error::CacheError;
use crate::store::redis::conn::endpoint::Connector;
use crate::store::redis::conn::manager::ConnectionManager;
use crate::store::redis::conn::per_runtime::PerRuntime;
use crate::store::redis::index::{Index, Layout};
use crate::store::redis::lease::orphans::Orphans;
use crate::store::redis::lua;
use crate::store::redis::recovery::breaker::Breaker;
use crate::store::redis::recovery::outage::Purpose;
use crate::store::redis::recovery::replay::Replay;
use crate::store::redis::tracking::Tracking;

/// How many keys are loaded at a time.
const PART: usize = 500;

/// What is sent, and all that it depends on. Runs on the cache's thread.
pub(crate) struct Client {
    pub(crate) manager: ConnectionManager,
    pub(crate) per_runtime: PerRuntime,
    pub(crate) breaker: Breaker,
    pub(crate) replay: Replay,
    pub(crate) index: Index,
    pub(crate) orphans: Orphans,
    pub(crate) tracking: Option<Arc<Tracking>>,
    /// The masters of a cluster are being watched.
    pub(crate) watched: AtomicBool,
    pub(crate) prefix: String,
    pub(crate) limits: Limits,
    /// The process that these connections are of.
    process: u32,
    /// What a child that was forked from that process has instead: sockets can't be shared, and who reads from them is a thread of
    /// the parent.
    forked: OnceLock<Arc<Self>>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A reply, connecting included.
    pub(crate) response: Duration,
    /// A reply to an invalidation.
    pub(crate) invalidation: Duration,
    /// A lease whose holder died.
    pub(crate) lease: Duration,
    /// A flight.
    pub(crate) flight: Duration,
    /// How long acknowledged invalidations are remembered.
    pub(crate) replay_window: Duration,
    /// How many bytes the near cache takes; none: there isn't one.
    pub(crate) near: Option<usize>,
    /// For how long a connection that says nothing is trusted to tell of changes.
    pub(crate) near_max_silence: Duration,
    /// Whether runtimes that read often get connections of their own.
    pub(crate) runtime_connections: bool,
}

/// What stands at a key.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Absent,
    /// Another caller's right to fill it; and the bytes, since one that never expires is junk.
    Lease(u64, Bytes),
    /// Bytes that may be an entry.
    Entry(Bytes),
    /// A list, a set, or what else is no string.
    OtherType,
}

impl Client {
    /// Make what sends client to this endpoint. Nothing is connected.
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
            manager: ConnectionManager::new(endpoint, prefix, clock.clone()),
            per_runtime: PerRuntime::new(
                limits.runtime_connections && !many_nodes,
                limits.response,
            ),
            breaker: Breaker::new(clock),
            replay: Replay::new(limits.replay_window),
            index: Index::new(layout),
            orphans: Orphans::default(),
            tracking: limits
                .near
                .map(|bytes| Arc::new(Tracking::new(bytes, limits.near_max_silence))),
            watched: AtomicBool::default(),
            prefix: prefix.to_owned(),
            limits,
            process: std::process::id(),
            forked: OnceLock::new(),
        }
    }

    /// These, or in a forked child its own. Costs a system call that asks for the process.
    pub(crate) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        let process = std::process::id();
        let mut client = self;
        while client.process != process {
            client = client.forked.get_or_init(|| {
                // The near cache is the parent's, and hears of nothing here: its trust ends within `near_max_silence`.
                let limits = Limits {
                    near: None,
                    ..client.limits
                };
                let endpoint = Arc::clone(client.manager.endpoint());
                let clock = client.manager.clock();
                Arc::new(Self::new(endpoint, &client.prefix, limits, clock))
            });
        }
        client
    }

    pub(crate) fn full(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    pub(crate) fn full_bytes(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), b":", key].concat()
    }

    /// How keys begin that are no entry's.
    pub(crate) fn probe_key(&self) -> String {
        format!("{}#probe", self.prefix)
    }

    /// One plain `GET`.
    pub(crate) async fn read(self: &Arc<Self>, key: &str) -> Result<Found, CacheError> {
        let get = &Cmd::get(self.full(key));
        let reply: Result<Option<Vec<u8>>, CacheError> = self
            .send(|mut connection| async move { get.query_async(&mut connection).await })
            .await;
        seen(reply)
    }

    /// Loads many keys, in their order: in parts, so that no reply is so long that it seems late.
    pub(crate) async fn load_many(
        self: &Arc<Self>,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        let mut found = Vec::with_capacity(keys.len());
        for part in keys.chunks(PART) {
            found.extend(self.load_part(part).await?);
        }
        Ok(found)
    }

    async fn load_part(
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
        // `MGET` answers nil where a key holds no string.
        let mut get = redis::cmd("MGET");
        for key in keys {
            get.arg(self.full(key));
        }
        let get = &get;
        let mut found: Vec<Option<Vec<u8>>> = self
            .send(|mut connection| async move { get.query_async(&mut connection).await })
            .await?;
        self.drop_stale(keys, &mut found).await?;
        Ok(found)
    }

    /// How long an entry is still fresh; leases and what isn't ours don't count.
    pub(crate) async fn ttl(self: &Arc<Self>, key: &str) -> Result<Option<Duration>, CacheError> {
        let (start, grace, left): (Vec<u8>, Vec<u8>, i64) = self
            .script(Purpose::Call, &lua::TTL, |call| {
                call.key(self.full(key));
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
            // -1: it doesn't expire.
            Err(_) => (left == -1).then_some(Duration::MAX),
        })
    }

    /// Whether the key never expires, as no lease does.
    pub(crate) async fn is_eternal(self: &Arc<Self>, key: &str) -> Result<bool, CacheError> {
        let pttl = &Cmd::pttl(self.full(key));
        let left: i64 = self
            .send(|mut connection| async move { pttl.query_async(&mut connection).await })
            .await?;
        Ok(left == -1)
    }

    /// Runs a script; a server that forgot it is given it again.
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

/// What a reply to `GET` shows.
pub(crate) fn seen(reply: Result<Option<Vec<u8>>, CacheError>) -> Result<Found, CacheError> {
    match reply {
        Ok(None) => Ok(Found::Absent),
        Ok(Some(bytes)) => Ok(match entry::inspect(&bytes) {
            Some(header) if header.kind == Kind::Lease => Found::Lease(header.token, bytes.into()),
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

/// What Redis takes as a lifetime: whole milliseconds, at least one.
pub(crate) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, i64::MAX as u64 / 2)
}
