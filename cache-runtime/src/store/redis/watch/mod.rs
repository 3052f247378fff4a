//! Watching changes: `CLIENT TRACKING` in its broadcasting mode, over connections of its own.
//!
//! The server pushes the keys that changed, and each is then looked at over the same connection. A
//! watch ends when its watcher or its cache is gone. If a connection ends, all are opened again.

mod kind;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{PushInfo, PushKind, RedisResult, Value, from_redis_value};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::entry::HEADER_BYTES;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;
use crate::store::redis::conn::endpoint::PushHandler;
use crate::store::redis::conn::server_error::{Refused, refused};
use crate::store::redis::times::Operation;
use crate::watch::{ChangeKind, Feed};
use kind::{Content, Memory};

/// Number of keys that are looked at by one pipeline.
const BATCH: usize = 100;
/// Number of changed keys that wait to be looked at.
const PUSHED: usize = 65_536;
/// How often a quiet connection is tried.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// First pause before the connections are opened again, and the longest.
const FIRST_TRY: Duration = Duration::from_millis(50);
const SLOWEST_TRY: Duration = Duration::from_secs(1);

/// The connections of a watch, one to each node that has keys.
struct Opened {
    ends: Vec<End>,
    pushed: Arc<Pushed>,
    /// Whether the user may run `STRLEN`.
    measures: bool,
}

struct End {
    node: Node,
    connection: MultiplexedConnection,
    /// A key of this node that isn't an entry.
    probe: String,
}

/// Keys that the servers reported as changed and that were not read yet.
struct Pushed {
    /// The prefix of entries, with its `:`.
    entries: Vec<u8>,
    pattern: Pattern,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    /// Changed keys without the prefix, each with the number of its end.
    keys: VecDeque<(usize, Vec<u8>)>,
    lost: u64,
    flushed: bool,
    broken: bool,
}

impl RedisStore {
    /// Tell the feed of changes. They are told from the return of this call on.
    pub(crate) async fn watch(&self, feed: &Arc<Feed>) -> Result<AbortHandle, CacheError> {
        let pattern = feed.pattern.clone();
        let opened = self
            .run(Operation::Other, |client| async move {
                client.open_watch(&pattern).await
            })
            .await?;
        let client = Arc::downgrade(self.client());
        let task = runtime::spawn(run(client, Arc::clone(feed), opened))?;
        Ok(task.abort_handle())
    }
}

impl Client {
    /// Open the connections, and let the servers report changes.
    async fn open_watch(self: &Arc<Self>, pattern: &Pattern) -> Result<Opened, CacheError> {
        let limit = self.limits.response_timeout;
        match timeout(limit, self.open_ends(pattern)).await {
            Ok(opened) => opened,
            Err(_) => Err(CacheError::Timeout { after: limit }),
        }
    }

    async fn open_ends(self: &Arc<Self>, pattern: &Pattern) -> Result<Opened, CacheError> {
        let pushed = Arc::new(Pushed {
            entries: self.full_key_bytes(b""),
            pattern: pattern.clone(),
            state: Mutex::default(),
            wake: Notify::new(),
        });
        let probe = &self.probe_key();
        let probes = self
            .send(|connection| async move { Ok(connection.key_on_each(probe)) })
            .await?;
        let ends = probes
            .into_iter()
            .enumerate()
            .map(|(number, (node, probe))| {
                let pushed = Arc::clone(&pushed);
                async move {
                    let told = Arc::clone(&pushed);
                    let on_push: PushHandler = Box::new(move |info| told.handle(number, &info));
                    let endpoint = self.manager.endpoint();
                    let mut connection = endpoint.open_with_push(&node, on_push).await?;
                    let mut track = redis::cmd("CLIENT");
                    track.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX");
                    let literal = pushed.pattern.shared_prefix();
                    track.arg([&pushed.entries[..], &literal].concat());
                    track.query_async::<()>(&mut connection).await?;
                    Ok(End {
                        node,
                        connection,
                        probe,
                    })
                }
            });
        let ends = try_join_all(ends)
            .await
            .map_err(|error| explained(&error))?;
        Ok(Opened {
            ends,
            pushed,
            measures: self.may_measure().await?,
        })
    }
}

/// Return the error of a server that refuses to report changes, with the fix.
fn explained(error: &redis::RedisError) -> CacheError {
    let text = match refused(error) {
        Some(Refused::Forbidden | Refused::Keys) => format!(
            "the user lacks a permission that watching needs; allow `+client|tracking +getrange +pttl +strlen +exists` for the keys of the cache: {error}"
        ),
        Some(Refused::Unknown) => {
            format!("watching needs RESP3 and CLIENT TRACKING; use Redis 6 or newer: {error}")
        }
        None if error.code() == Some("NOPROTO") => {
            format!("watching needs RESP3 and CLIENT TRACKING; use Redis 6 or newer: {error}")
        }
        None => error.to_string(),
    };
    CacheError::store(io::Error::other(text))
}

impl Pushed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Note a push message. Called by the connection's driver, which a slow watcher must not delay.
    fn handle(&self, end: usize, info: &PushInfo) {
        let mut state = self.state();
        match (&info.kind, info.data.first()) {
            (PushKind::Invalidate, Some(Value::Array(keys))) => {
                for key in keys {
                    let Value::BulkString(key) = key else {
                        continue;
                    };
                    let Some(key) = key.strip_prefix(&self.entries[..]) else {
                        continue;
                    };
                    match self.pattern.matches(key) {
                        true if state.keys.len() < PUSHED => {
                            state.keys.push_back((end, key.to_vec()));
                        }
                        true => state.lost += 1,
                        false => {}
                    }
                }
            }
            (PushKind::Invalidate, _) => state.flushed = true,
            (PushKind::Disconnection, _) => state.broken = true,
            _ => return,
        }
        drop(state);
        self.wake.notify_one();
    }
}

/// Tell the feed of changes until the watcher or the cache is gone.
async fn run(client: Weak<Client>, feed: Arc<Feed>, mut opened: Opened) {
    let mut memory = Memory::default();
    loop {
        let cause = match follow(&client, &feed, &mut opened, &mut memory).await {
            Ok(()) => break,
            Err(cause) => cause,
        };
        feed.tell_all(ChangeKind::Interrupted, Some(cause));
        let mut pause = FIRST_TRY;
        opened = loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_TRY);
            let Some(alive) = alive(&client, &feed) else {
                return feed.end();
            };
            if let Ok(opened) = alive.open_watch(&feed.pattern).await {
                break opened;
            }
        };
        feed.tell_all(ChangeKind::Resumed, None);
    }
    feed.end();
}

/// Return the client, unless it or the watcher is gone. The watcher's end aborts this task; this is
/// for a task that nobody could abort, since its start was refused.
fn alive(client: &Weak<Client>, feed: &Arc<Feed>) -> Option<Arc<Client>> {
    (Arc::strong_count(feed) > 1)
        .then(|| client.upgrade())
        .flatten()
}

/// Tell the feed of changes until the watcher or the cache is gone, or a connection fails, which is
/// an error with the cause.
async fn follow(
    client: &Weak<Client>,
    feed: &Arc<Feed>,
    opened: &mut Opened,
    memory: &mut Memory,
) -> Result<(), String> {
    loop {
        let Some(alive) = alive(client, feed) else {
            return Ok(());
        };
        let limit = alive.limits.response_timeout;
        let (batch, is_broken) = {
            let mut state = opened.pushed.state();
            if std::mem::take(&mut state.flushed) {
                feed.tell_all(ChangeKind::Flushed, None);
            }
            if state.keys.is_empty() && state.lost > 0 {
                feed.tell_lost(std::mem::take(&mut state.lost));
            }
            let count = state.keys.len().min(BATCH);
            let batch: Vec<(usize, Vec<u8>)> = state.keys.drain(..count).collect();
            (batch, state.broken)
        };
        if is_broken {
            return Err("the connection was lost".to_owned());
        }
        if !batch.is_empty() {
            drop(alive);
            match timeout(limit, look(opened, batch, feed, memory)).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err(format!("the server didn't answer within {limit:?}")),
            }
        }
        drop(alive);
        if timeout(HEARTBEAT, opened.pushed.wake.notified())
            .await
            .is_err()
        {
            beat(client, opened).await?;
        }
    }
}

/// Try the connections, which may have ended without a sign, and compare the nodes with those of the
/// cache's main connection.
async fn beat(client: &Weak<Client>, opened: &Opened) -> Result<(), String> {
    let Some(client) = client.upgrade() else {
        return Ok(());
    };
    let limit = client.limits.response_timeout;
    let beats = opened.ends.iter().map(|end| async {
        let mut beat = redis::cmd("EXISTS");
        beat.arg(&end.probe);
        beat.query_async::<()>(&mut end.connection.clone()).await
    });
    match timeout(limit, try_join_all(beats)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("the server didn't answer within {limit:?}")),
    }
    let nodes = client
        .send(|connection| async move { Ok(connection.nodes()) })
        .await;
    // If the main connection fails, it says nothing about these.
    let Ok(nodes) = nodes else {
        return Ok(());
    };
    let same =
        nodes.len() == opened.ends.len() && opened.ends.iter().all(|end| nodes.contains(&end.node));
    match same {
        true => Ok(()),
        false => Err("the masters of the cluster have changed".to_owned()),
    }
}

/// Look at changed keys, and tell the feed.
async fn look(
    opened: &mut Opened,
    mut batch: Vec<(usize, Vec<u8>)>,
    feed: &Arc<Feed>,
    memory: &mut Memory,
) -> RedisResult<()> {
    // The keys of each end in their order, and each key once, where it changed last.
    let mut seen = std::collections::HashSet::new();
    batch.reverse();
    batch.retain(|(_, key)| seen.insert(key.clone()));
    batch.reverse();
    // Where lengths can't be asked for, another reply takes their place.
    let length = if opened.measures { "STRLEN" } else { "EXISTS" };
    for (number, end) in opened.ends.iter_mut().enumerate() {
        let keys = batch.iter().filter(|(of, _)| *of == number);
        let keys: Vec<&[u8]> = keys.map(|(_, key)| &key[..]).collect();
        if keys.is_empty() {
            continue;
        }
        let mut ask = redis::pipe();
        for key in &keys {
            let full = [&opened.pushed.entries[..], key].concat();
            ask.cmd("GETRANGE").arg(&full).arg(0).arg(HEADER_BYTES - 1);
            ask.cmd(length).arg(&full);
            ask.pttl(&full);
        }
        let asked = Instant::now();
        let replies = end
            .connection
            .req_packed_commands(&ask, 0, 3 * keys.len())
            .await?;
        for (key, replies) in keys.into_iter().zip(replies.chunks_exact(3)) {
            // A key that has moved to another node is pushed by that one, too.
            let Some(content) = content(replies, opened.measures) else {
                continue;
            };
            if let Some(seen) = memory.classify(key, &content, asked) {
                feed.tell(key, seen.kind, seen.bytes, seen.ttl);
            }
        }
    }
    Ok(())
}

/// Read the replies for one key. `None` if the node doesn't have the key's slot.
fn content(replies: &[Value], measured: bool) -> Option<Content> {
    let [start, length, left] = replies else {
        return None;
    };
    if let Value::ServerError(error) = start {
        return (error.code() == "WRONGTYPE").then_some(Content::OtherType);
    }
    let start: Vec<u8> = from_redis_value(start.clone()).ok()?;
    let left: i64 = from_redis_value(left.clone()).ok()?;
    if left == -2 {
        return Some(Content::Absent);
    }
    Some(Content::Bytes {
        start,
        length: from_redis_value(length.clone()).ok().filter(|_| measured),
        left: u64::try_from(left).ok().map(Duration::from_millis),
    })
}
