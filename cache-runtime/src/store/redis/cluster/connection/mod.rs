mod verify;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::store::redis::cluster::handshake::{holdings, map_of};
use crate::store::redis::cluster::routing::{ClusterSnapshot, To, addressee, ask};
use crate::store::redis::cluster::slot_map::{Address, Map, slot_of};
use crate::store::redis::cluster::{Cluster, Identity, addresses};

/// How often a command is sent elsewhere, since the node that was asked refers to another one.
const MOST_HOPS: u32 = 9;
/// From which hop on one waits a little first: two nodes that name each other agree in a moment.
const PATIENT_HOP: u32 = 3;

/// A connection to one set of masters; clones share it.
#[derive(Clone)]
pub(crate) struct ClusterConnection(Arc<Inner>);

struct Inner {
    cluster: Arc<Cluster>,
    identity: Identity,
    view: Mutex<View>,
    /// The masters, and whom they have sent us to.
    nodes: Mutex<HashMap<Address, MultiplexedConnection>>,
    /// Held while one connects to a node, reads the map anew, or makes sure.
    opening: tokio::sync::Mutex<()>,
    reading: tokio::sync::Mutex<()>,
    /// These masters aren't the cluster's any more.
    over: AtomicBool,
}

struct View {
    map: Arc<Map>,
    /// When the masters last agreed.
    certain: Instant,
}

impl ClusterConnection {
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        map: Map,
        identity: Identity,
        nodes: Vec<(Address, MultiplexedConnection)>,
    ) -> Self {
        let view = View {
            map: Arc::new(map),
            certain: Instant::now(),
        };
        Self(Arc::new(Inner {
            cluster,
            identity,
            view: Mutex::new(view),
            nodes: Mutex::new(nodes.into_iter().collect()),
            opening: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            over: AtomicBool::new(false),
        }))
    }

    /// Who the masters are: other ones have other data. A user who may not ask all of it can't tell; then each
    /// connection is to others.
    pub(crate) fn identity(&self, number: u64) -> String {
        let Identity { text, guessed } = &self.0.identity;
        match guessed {
            true => format!("{text}/connection {number}"),
            false => text.to_string(),
        }
    }

    /// The same in short, and the same in every process.
    pub(crate) fn digest(&self) -> String {
        format!("{:016x}", xxh3_64(self.0.identity.text.as_bytes()))
    }

    /// Where the masters are.
    pub(crate) fn masters(&self) -> Vec<Address> {
        addresses(&self.map().masters)
    }

    /// Where the master is that has a key, as far as is known: its slot may be moving.
    pub(crate) fn master_of(&self, key: &[u8]) -> RedisResult<Address> {
        self.map().owner(slot_of(key)).cloned()
    }

    /// Each master, with a key of its own that begins so.
    pub(crate) fn key_on_each(&self, start: &str) -> Vec<(Address, String)> {
        self.map().key_on_each(start)
    }

    /// Sends a command to this master, whatever its slots.
    pub(crate) async fn ask(&self, at: &Address, cmd: &Cmd) -> RedisResult<Value> {
        self.assure().await?;
        let mut node = self.node(at).await?;
        node.req_packed_command(cmd).await
    }

    /// Where keys are just now.
    pub(crate) async fn snapshot(&self) -> RedisResult<ClusterSnapshot> {
        self.assure().await?;
        let looks = self.masters().into_iter().map(|master| async move {
            let mut node = self.node(&master).await?;
            holdings(&mut node).await
        });
        let mut all = try_join_all(looks).await?;
        all.sort_unstable();
        Ok(ClusterSnapshot(all))
    }

    /// From now on every command fails: whoever shares this connection must not read from others than he believes.
    fn ends(&self) -> RedisError {
        self.0.over.store(true, Ordering::Release);
        (ErrorKind::Io, "the cluster's masters changed").into()
    }

    async fn send(&self, cmd: &Cmd) -> RedisResult<Value> {
        self.assure().await?;
        match addressee(cmd)? {
            To::Slot(slot) => self.send_to(slot, cmd).await,
            To::Everyone => self.send_everyone(cmd).await,
        }
    }

    /// Follows the nodes' directions to where the slot is.
    async fn send_to(&self, slot: u16, cmd: &Cmd) -> RedisResult<Value> {
        let mut map = self.map();
        let mut at = map.owner(slot)?.clone();
        let mut asking = false;
        let mut hop = 0;
        loop {
            let mut node = self.node(&at).await?;
            let reply = match asking {
                true => ask(&mut node, cmd).await,
                false => node.req_packed_command(cmd).await,
            };
            let error = match reply.and_then(Value::extract_error) {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let directed = error.redirect_node();
            let Some(next) = directed.and_then(|(to, _)| Address::redirected(to, &at)) else {
                return Err(error);
            };
            hop += 1;
            if hop == MOST_HOPS {
                return Err(error);
            }
            asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            if !asking {
                map = self.read_map(&map, &at).await?;
            }
            if hop >= PATIENT_HOP {
                tokio::time::sleep(Duration::from_millis(1 << hop)).await;
            }
            at = next;
        }
    }

    /// To every node that is known: a script must be where a slot is being moved to, too.
    async fn send_everyone(&self, cmd: &Cmd) -> RedisResult<Value> {
        let nodes: Vec<_> = self.nodes().values().cloned().collect();
        let sent = nodes.into_iter().map(|mut node| async move {
            let reply = node.req_packed_command(cmd).await;
            reply.and_then(Value::extract_error)
        });
        let replies = try_join_all(sent).await?;
        Ok(replies.into_iter().next_back().unwrap_or(Value::Nil))
    }

    /// Reads the map anew, unless another one has; `at` has just said that it is old.
    async fn read_map(&self, old: &Arc<Map>, at: &Address) -> RedisResult<Arc<Map>> {
        let _reading = self.0.reading.lock().await;
        let current = self.map();
        if !Arc::ptr_eq(old, &current) {
            return Ok(current);
        }
        let mut node = self.node(at).await?;
        let map = Arc::new(map_of(&mut node, at).await?);
        if map.ids() != current.ids() {
            return Err(self.ends());
        }
        self.view().map = Arc::clone(&map);
        Ok(map)
    }

    /// The connection to a node. One that breaks is replaced together with all others.
    pub(crate) async fn node(&self, at: &Address) -> RedisResult<MultiplexedConnection> {
        let known = || self.nodes().get(at).cloned();
        if let Some(node) = known() {
            return Ok(node);
        }
        let _opening = self.0.opening.lock().await;
        if let Some(node) = known() {
            return Ok(node);
        }
        let node = self.0.cluster.connect(at).await?;
        self.nodes().insert(at.clone(), node.clone());
        Ok(node)
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.view().map)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<Address, MultiplexedConnection>> {
        self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionLike for ClusterConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.send(cmd).boxed()
    }

    /// Each command on its own: they may be for different nodes.
    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let all = pipeline.cmd_iter().map(|cmd| self.send(cmd));
        async move {
            let replies = try_join_all(all).await?;
            Ok(replies.into_iter().skip(offset).take(count).collect())
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        0
    }
}
