//! A connection to wherever the entries are, as client see it.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::store::redis::cluster::{Address, ClusterConnection, ClusterSnapshot};
use crate::store::redis::conn::manager::identify;
use crate::store::redis::tracking::End;

/// Clones share one connection.
#[derive(Clone)]
pub(crate) enum Connection {
    /// To one server.
    Server(MultiplexedConnection),
    /// To all masters of a cluster.
    Cluster(ClusterConnection),
}

/// A node that a walk goes to: a master of a cluster, or the only server.
pub(crate) type Node = Option<Address>;

impl Connection {
    /// Who the masters of a cluster are, in short.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Server(_) => String::new(),
            Self::Cluster(cluster) => cluster.digest(),
        }
    }

    /// All nodes that hold keys.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        match self {
            Self::Server(_) => vec![None],
            Self::Cluster(cluster) => cluster.masters().into_iter().map(Some).collect(),
        }
    }

    /// The node that has a key, as far as is known.
    pub(crate) fn node_of(&self, key: &[u8]) -> RedisResult<Node> {
        match self {
            Self::Server(_) => Ok(None),
            Self::Cluster(cluster) => cluster.master_of(key).map(Some),
        }
    }

    /// Who is at the other end, by what is said there over these connections to its nodes, or over its own if there are none.
    /// An error if this user may not ask for that.
    pub(crate) async fn identify(&self, ends: &[End]) -> RedisResult<String> {
        match (self, ends) {
            (Self::Server(own), []) => identify(&mut own.clone()).await,
            (Self::Server(_), [end, ..]) => identify(&mut end.connection.clone()).await,
            (Self::Cluster(cluster), ends) => cluster.identify(ends).await,
        }
    }

    /// Whether the other end answers, whatever it says; in a cluster, whether all masters are who they were.
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

    /// Sends a command to a node, whichever keys it has.
    pub(crate) async fn ask(&mut self, node: &Node, cmd: &Cmd) -> RedisResult<Value> {
        let reply = match (self, node) {
            (Self::Cluster(cluster), Some(at)) => cluster.ask(at, cmd).await,
            (connection, _) => connection.req_packed_command(cmd).await,
        };
        reply.and_then(Value::extract_error)
    }

    /// Where keys are just now; on one server nowhere else.
    pub(crate) async fn snapshot(&self) -> RedisResult<ClusterSnapshot> {
        match self {
            Self::Server(_) => Ok(ClusterSnapshot::default()),
            Self::Cluster(cluster) => cluster.snapshot().await,
        }
    }

    /// Each node, with a key of its own that begins so.
    pub(crate) fn key_on_each(&self, start: &str) -> Vec<(Node, String)> {
        match self {
            Self::Server(_) => vec![(None, start.to_owned())],
            Self::Cluster(cluster) => {
                let keys = cluster.key_on_each(start).into_iter();
                keys.map(|(node, key)| (Some(node), key)).collect()
            }
        }
    }

    /// An error if others than this one's are the masters by now.
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
