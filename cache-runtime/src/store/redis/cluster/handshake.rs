//! Identity and slot map of a master, as it reports them.

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisResult, Value, from_redis_value};

use crate::store::redis::cluster::slot_map::{Address, Master, SlotMap, unreadable};
use crate::store::redis::conn::manager::identity;
use crate::store::redis::conn::server_error::refused;

/// Identity of a master, and its view of the cluster.
pub(crate) struct Handshake {
    pub(crate) map: SlotMap,
    /// Its node ID, its process, and the replication ID of its data.
    pub(crate) identity: String,
    /// Whether this user may not query process and replication ID.
    pub(crate) partial: bool,
}

/// Ask a master for its identity and its slot map.
///
/// Fails if the node is no longer a master, or is cut off from the others. A node that was cut off
/// a moment ago doesn't know it yet; the other masters report that, since they are asked too.
pub(crate) async fn handshake(
    mut node: MultiplexedConnection,
    master: &Master,
) -> RedisResult<Handshake> {
    let map = healthy_map(&mut node, &master.address).await?;
    let mut ask = redis::pipe();
    for section in ["server", "replication"] {
        ask.cmd("INFO").arg(section);
    }
    let asked: RedisResult<(String, String)> = ask.query_async(&mut node).await;
    match asked {
        Ok((_, replication)) if field(&replication, "role:") != "master" => {
            Err((ErrorKind::Client, "a master became a replica").into())
        }
        Ok((server, replication)) => Ok(Handshake {
            map,
            identity: format!("{}={}", master.id, identity(&server, &replication)),
            partial: false,
        }),
        Err(error) if refused(&error).is_some() => Ok(Handshake {
            map,
            identity: master.id.clone(),
            partial: true,
        }),
        Err(error) => Err(error),
    }
}

/// Return the slot map as this node knows it, if the node considers the cluster healthy. A node
/// that has been cut off for a while doesn't.
pub(crate) async fn healthy_map(
    node: &mut MultiplexedConnection,
    address: &Address,
) -> RedisResult<SlotMap> {
    let mut ask = redis::pipe();
    for subcommand in ["INFO", "SLOTS"] {
        ask.cmd("CLUSTER").arg(subcommand);
    }
    let (state, slots): (String, Value) = ask.query_async(node).await?;
    if field(&state, "cluster_state:") != "ok" {
        return Err((ErrorKind::Client, "a node says that the cluster is down").into());
    }
    SlotMap::read(slots, address)
}

/// Return the slot map as this node knows it.
pub(crate) async fn map_of(
    node: &mut MultiplexedConnection,
    address: &Address,
) -> RedisResult<SlotMap> {
    let mut ask = redis::cmd("CLUSTER");
    let slots: Value = ask.arg("SLOTS").query_async(node).await?;
    SlotMap::read(slots, address)
}

/// Return the slots that a master has, imports and migrates: its own line of `CLUSTER NODES`,
/// without the fields that change all the time. A slot that is being moved is listed in brackets.
pub(crate) async fn own_slots(node: &mut MultiplexedConnection) -> RedisResult<String> {
    let mut ask = redis::cmd("CLUSTER");
    let reply: Value = ask.arg("NODES").query_async(node).await?;
    let nodes: String = from_redis_value(reply)?;
    let own = nodes.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let flags = fields.get(2)?;
        // ID, flags, configuration epoch, slots.
        let held = fields.get(8..)?;
        flags
            .split(',')
            .any(|flag| flag == "myself")
            .then(|| [&[fields[0], *flags, fields[6]], held].concat().join(" "))
    });
    own.ok_or_else(|| unreadable("CLUSTER NODES"))
}

fn field<'a>(section: &'a str, name: &str) -> &'a str {
    let value = section.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap_or_default().trim()
}
