//! A connection to the server, or to all masters of a cluster.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::store::redis::cluster::{Address, ClusterConnection, ClusterSnapshot};
use crate::store::redis::conn::manager::identify;
use crate::store::redis::tracking::End;

/// Connection to the store. Clones share one connection.
#[derive(Clone)]
pub(crate) enum Connection {
    /// Connection to a single server.
    Server(MultiplexedConnection),
    /// Connection to all masters of a cluster.
    Cluster(ClusterConnection),
}

/// Node that is scanned or tracked: the address of a cluster's master, or `None` for a single
/// server.
pub(crate) type Node = Option<Address>;

impl Connection {
    /// Return a short form of the identity of a cluster's masters.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Server(_) => String::new(),
            Self::Cluster(cluster) => cluster.digest(),
        }
    }

    /// Return all nodes that hold keys.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        match self {
            Self::Server(_) => vec![None],
            Self::Cluster(cluster) => cluster.masters().into_iter().map(Some).collect(),
        }
    }

    /// Return the node that has a key, as far as is known.
    pub(crate) fn node_of(&self, key: &[u8]) -> RedisResult<Node> {
        match self {
            Self::Server(_) => Ok(None),
            Self::Cluster(cluster) => cluster.master_of(key).map(Some),
        }
    }

    /// Return the identity of the server or masters at the other end, queried over these
    /// connections to its nodes, or over this connection if `ends` is empty. Fails if this user may
    /// not query it.
    pub(crate) async fn identify(&self, ends: &[End]) -> RedisResult<String> {
        match (self, ends) {
            (Self::Server(own), []) => identify(&mut own.clone()).await,
            (Self::Server(_), [end, ..]) => identify(&mut end.connection.clone()).await,
            (Self::Cluster(cluster), ends) => cluster.identify(ends).await,
        }
    }

    /// Report whether the other end answers, whatever the answer. In a cluster, report whether all
    /// masters are unchanged.
    pub(crate) async fn is_alive(&self, probe: String) -> bool {
        match self {
            Self::Server(connection) => {
                let ask = Cmd::get(probe);
                let reply = connection.clone().req_packed_command(&ask).await;
                reply.is_ok_and(|reply| !matches!(reply, Value::Push { .. }))
            }
            Self::Cluster(cluster) => cluster.verify().await.is_ok(),
        }
    }

    /// Send a command to a node, whichever keys it has.
    pub(crate) async fn ask(&mut self, node: &Node, cmd: &Cmd) -> RedisResult<Value> {
        let reply = match (self, node) {
            (Self::Cluster(cluster), Some(at)) => cluster.ask(at, cmd).await,
            (connection, _) => connection.req_packed_command(cmd).await,
        };
        reply.and_then(Value::extract_error)
    }

    /// Return which master holds which slots now. The snapshot of a single server is empty.
    pub(crate) async fn snapshot(&self) -> RedisResult<ClusterSnapshot> {
        match self {
            Self::Server(_) => Ok(ClusterSnapshot::default()),
            Self::Cluster(cluster) => cluster.snapshot().await,
        }
    }

    /// Return each node with a key that it has. Each key begins with `start`.
    pub(crate) fn key_on_each(&self, start: &str) -> Vec<(Node, String)> {
        match self {
            Self::Server(_) => vec![(None, start.to_owned())],
            Self::Cluster(cluster) => {
                let keys = cluster.key_on_each(start).into_iter();
                keys.map(|(node, key)| (Some(node), key)).collect()
            }
        }
    }

    /// Fail if the masters of the cluster have changed.
    pub(crate) async fn verify(&self) -> RedisResult<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Cluster(cluster) => cluster.verify().await,
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
