//! Which node a command goes to, and which node has which slots.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Arg, Cmd, ErrorKind, RedisResult, Value};

use super::slot_map::slot_of;

/// Slots of each master at one moment. Two equal snapshots mean that no slot moved in between.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClusterSnapshot(pub(crate) Vec<String>);

impl ClusterSnapshot {
    /// Report whether a slot is being moved, so that its keys are on two nodes.
    pub(crate) fn slot_is_moving(&self) -> bool {
        self.0.iter().any(|slots| slots.contains('['))
    }
}

/// Destination of a command.
pub(crate) enum Destination {
    Slot(u16),
    AllNodes,
}

/// Send `ASKING` and the command in one pipeline to the node that imports the slot.
pub(crate) async fn ask(node: &mut MultiplexedConnection, cmd: &Cmd) -> RedisResult<Value> {
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(cmd.clone());
    let mut replies = node.req_packed_commands(&both, 0, 2).await?.into_iter();
    let (announced, reply) = (replies.next(), replies.next());
    announced.unwrap_or(Value::Nil).extract_error()?;
    Ok(reply.unwrap_or(Value::Nil))
}

/// Return the destination of a command. Every command that the cache sends has one key or goes to
/// all nodes.
pub(crate) fn destination(cmd: &Cmd) -> RedisResult<Destination> {
    let arg = |at: usize| match cmd.args_iter().nth(at) {
        Some(Arg::Simple(arg)) => Some(arg),
        _ => None,
    };
    let key = match arg(0) {
        Some(b"SCRIPT") => return Ok(Destination::AllNodes),
        Some(b"EVALSHA" | b"EVAL") => arg(3),
        Some(_) => arg(1),
        None => None,
    };
    let slot = key.map(|key| Destination::Slot(slot_of(key)));
    slot.ok_or_else(|| {
        (
            ErrorKind::Client,
            "a command without a key can't be routed to a node",
        )
            .into()
    })
}
