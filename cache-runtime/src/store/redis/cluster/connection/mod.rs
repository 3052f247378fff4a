//! The connection to a cluster: a command goes to the node of its slot, and follows `MOVED` and
//! `ASK`.

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

use crate::store::redis::cluster::handshake::{map_of, own_slots};
use crate::store::redis::cluster::routing::{ClusterSnapshot, Destination, ask, destination};
use crate::store::redis::cluster::slot_map::{Address, SlotMap, slot_of};
use crate::store::redis::cluster::{Cluster, Identity, addresses};

/// Most redirections that are followed for one command.
const MAX_HOPS: u32 = 9;
/// Redirection from which on there is a short pause first: two nodes that name each other soon
/// agree.
const FIRST_PAUSED_HOP: u32 = 3;

/// Connection to one set of masters. Clones share it.
#[derive(Clone)]
pub(crate) struct ClusterConnection(Arc<ClusterInner>);

struct ClusterInner {
    cluster: Arc<Cluster>,
    identity: Identity,
    view: Mutex<View>,
    /// Connections to the masters, and to the nodes that they redirected to.
    nodes: Mutex<HashMap<Address, MultiplexedConnection>>,
    /// Held while connecting to a node, reading the slot map again, or verifying the masters.
    opening: tokio::sync::Mutex<()>,
    reading: tokio::sync::Mutex<()>,
    /// Whether the cluster's masters have changed, which ends this connection.
    ended: AtomicBool,
}

struct View {
    map: Arc<SlotMap>,
    /// When the masters were last verified.
    verified_at: Instant,
}

impl ClusterConnection {
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        map: SlotMap,
        identity: Identity,
        nodes: Vec<(Address, MultiplexedConnection)>,
    ) -> Self {
        let view = View {
            map: Arc::new(map),
            verified_at: Instant::now(),
        };
        Self(Arc::new(ClusterInner {
            cluster,
            identity,
            view: Mutex::new(view),
            nodes: Mutex::new(nodes.into_iter().collect()),
            opening: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            ended: AtomicBool::new(false),
        }))
    }

    /// Return the identity of the masters. Other masters have other data. If this user may not
    /// query all of it, each connection gets an identity of its own.
    pub(crate) fn identity(&self, number: u64) -> String {
        let Identity { text, partial } = &self.0.identity;
        match partial {
            true => format!("{text}/connection {number}"),
            false => text.to_string(),
        }
    }

    /// Return a short form of the masters' identity, the same in every process.
    pub(crate) fn digest(&self) -> String {
        format!("{:016x}", xxh3_64(self.0.identity.text.as_bytes()))
    }

    /// Return the addresses of the masters.
    pub(crate) fn masters(&self) -> Vec<Address> {
        addresses(&self.map().masters)
    }

    /// Return the address of the master that has a key, as far as is known: its slot may be moving.
    pub(crate) fn master_of(&self, key: &[u8]) -> RedisResult<Address> {
        self.map().owner(slot_of(key)).cloned()
    }

    /// Return each master with a key in one of its slots. Each key begins with `start`.
    pub(crate) fn key_on_each(&self, start: &str) -> Vec<(Address, String)> {
        self.map().key_on_each(start)
    }

    /// Send a command to this master, whichever slots it has.
    pub(crate) async fn ask(&self, at: &Address, cmd: &Cmd) -> RedisResult<Value> {
        self.verify_if_due().await?;
        let mut node = self.node(at).await?;
        node.req_packed_command(cmd).await
    }

    /// Return which master holds which slots now.
    pub(crate) async fn snapshot(&self) -> RedisResult<ClusterSnapshot> {
        self.verify_if_due().await?;
        let replies = self.masters().into_iter().map(|master| async move {
            let mut node = self.node(&master).await?;
            own_slots(&mut node).await
        });
        let mut all = try_join_all(replies).await?;
        all.sort_unstable();
        Ok(ClusterSnapshot(all))
    }

    /// Make every later command fail. A caller that shares this connection must not read from
    /// masters other than the expected ones.
    fn end(&self) -> RedisError {
        self.0.ended.store(true, Ordering::Release);
        (ErrorKind::Io, "the cluster's masters changed").into()
    }

    async fn send(&self, cmd: &Cmd) -> RedisResult<Value> {
        self.verify_if_due().await?;
        match destination(cmd)? {
            Destination::Slot(slot) => self.send_to(slot, cmd).await,
            Destination::AllNodes => self.send_to_all(cmd).await,
        }
    }

    /// Send a command to the node that has the slot, following redirections.
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
            if hop == MAX_HOPS {
                return Err(error);
            }
            asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            if !asking {
                map = self.read_map(&map, &at).await?;
            }
            if hop >= FIRST_PAUSED_HOP {
                tokio::time::sleep(Duration::from_millis(1 << hop)).await;
            }
            at = next;
        }
    }

    /// Send a command to every known node. A node that a slot is moving to needs the scripts too.
    async fn send_to_all(&self, cmd: &Cmd) -> RedisResult<Value> {
        let nodes: Vec<_> = self.nodes().values().cloned().collect();
        let sent = nodes.into_iter().map(|mut node| async move {
            let reply = node.req_packed_command(cmd).await;
            reply.and_then(Value::extract_error)
        });
        let replies = try_join_all(sent).await?;
        Ok(replies.into_iter().next_back().unwrap_or(Value::Nil))
    }

    /// Read the slot map again, unless another caller already has. `at` is the node that reported
    /// the map as outdated.
    async fn read_map(&self, old: &Arc<SlotMap>, at: &Address) -> RedisResult<Arc<SlotMap>> {
        let _reading = self.0.reading.lock().await;
        let current = self.map();
        if !Arc::ptr_eq(old, &current) {
            return Ok(current);
        }
        let mut node = self.node(at).await?;
        let map = Arc::new(map_of(&mut node, at).await?);
        if map.ids() != current.ids() {
            return Err(self.end());
        }
        self.view().map = Arc::clone(&map);
        Ok(map)
    }

    /// Return the connection to a node. If one connection breaks, all of them are replaced
    /// together.
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

    fn map(&self) -> Arc<SlotMap> {
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

    /// Send each command on its own, since they may belong to different nodes.
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
