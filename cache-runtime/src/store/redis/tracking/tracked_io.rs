//! What stands at a key, read so that it may enter the near cache.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue as _, Pipeline, RedisError, Value};

use crate::entry;
use crate::error::CacheError;
use crate::store::near::{self, NearStore, Note};
use crate::store::redis::client::{Client, Found, millis, seen};
use crate::store::redis::get_with_ttl::lasting;
use crate::store::redis::lua::FILL;
use crate::store::redis::recovery::outage::Target;
use crate::store::redis::tracking::Tracking;
use crate::store::redis::{RedisStore, RemainingTtl};
use crate::value::payload::Payload;

/// What one look has seen.
pub(crate) struct Fetched {
    pub(crate) seen: Found,
    /// How long it stands, if that was asked.
    pub(crate) left: Option<RemainingTtl>,
    pub(crate) note: Option<Note>,
}

/// An entry that a call has taken, on its way into the near cache.
pub(crate) struct NearCandidate {
    note: Note,
    header: entry::Header,
    left: u64,
}

/// A value on its way into Redis that is to be kept near too.
pub(crate) struct NearCopy {
    pub(crate) payload: Payload,
    /// About how many bytes it takes in memory.
    pub(crate) weight: usize,
}

impl Fetched {
    /// What this look can bring into the near cache: an entry, of which it is known how long it stands.
    pub(crate) fn near_candidate(&mut self) -> Option<NearCandidate> {
        let (Found::Entry(bytes), Some(Some(left))) = (&self.seen, self.left) else {
            return None;
        };
        Some(NearCandidate {
            header: entry::inspect(bytes)?,
            left,
            note: self.note.take()?,
        })
    }
}

impl NearCandidate {
    /// Keeps the value that the entry's bytes were read as, and which takes about so many bytes in memory.
    pub(crate) fn enter(self, payload: Payload, weight: usize) {
        self.note.enter(&self.header, self.left, weight, payload);
    }
}

impl RedisStore {
    /// The near cache, if there is one.
    pub(crate) fn near(&self) -> Option<&NearStore> {
        self.near.as_deref()
    }

    /// What stands at a key; `near`: to keep it near, if that is possible.
    pub(crate) async fn look(&self, key: &Arc<str>, near: bool) -> Result<Fetched, CacheError> {
        let plain = |seen| Fetched {
            seen,
            left: None,
            note: None,
        };
        if !near || self.near.is_none() {
            return self.read(key).await.map(plain);
        }
        let key = Arc::clone(key);
        self.run(|client| async move {
            match client.get_tracked(&key).await? {
                Some(look) => Ok(look),
                None => client.read(&key).await.map(plain),
            }
        })
        .await
    }
}

impl Client {
    /// A key that this process has changed.
    pub(crate) fn void_near(&self, key: &str) {
        for near in near::of_prefix(&self.prefix) {
            drop(near.void(key));
        }
    }

    /// What this process has invalidated.
    pub(crate) fn void_near_matching(&self, target: &Target) {
        for near in near::of_prefix(&self.prefix) {
            match target {
                Target::Key(key) => drop(near.void(key)),
                Target::Pattern(pattern) => near.void_matching(pattern),
            }
        }
    }

    /// Notes a fetch or fill, and gives the connection to send it over: that to the node which has the key by the slot map of the
    /// other connection. If the key has moved since, the node says so, and the other connection hears where to.
    fn note(
        &self,
        tracking: &Tracking,
        key: &Arc<str>,
        full: &str,
    ) -> Option<(MultiplexedConnection, Note)> {
        tracking.note(key, &self.manager.node_of(full)?)
    }

    /// `GET` and `PTTL` as one transaction whose keys are tracked; none if that can't be had.
    pub(crate) async fn get_tracked(
        self: &Arc<Self>,
        key: &Arc<str>,
    ) -> Result<Option<Fetched>, CacheError> {
        let Some(tracking) = self.tracking() else {
            return Ok(None);
        };
        let full = self.full(key);
        let Some((mut connection, note)) = self.note(tracking, key, &full) else {
            return Ok(None);
        };
        let look = tracked_look(&full);
        let reply = self.tracked(tracking, look.query_async::<(Value,)>(&mut connection));
        let Some((Value::Array(replies),)) = reply.await? else {
            return Ok(None);
        };
        let Ok([got, left]) = <[Value; 2]>::try_from(replies) else {
            return Ok(None);
        };
        let got = match got {
            Value::ServerError(error) => Err(RedisError::from(error)),
            got => Option::<Vec<u8>>::from_redis_value(got).map_err(RedisError::from),
        };
        let seen = seen(got.map_err(CacheError::store))?;
        let Ok(left) = i64::from_redis_value(left) else {
            return Ok(None);
        };
        let (seen, left) = lasting(seen, left);
        Ok(Some(Fetched {
            seen,
            left: Some(left),
            note: Some(note),
        }))
    }

    /// Stores the entry if the token still stands, over the tracked connection, and keeps its value near unless something
    /// voids it meanwhile. None if that can't be had, or no answer came: then it is to be filled over the other connection,
    /// which stores it once at most, since the token goes with the first.
    pub(crate) async fn fill_tracked(
        self: &Arc<Self>,
        key: &Arc<str>,
        token: u64,
        bytes: &[u8],
        ttl: Duration,
        kept: NearCopy,
    ) -> Result<Option<bool>, CacheError> {
        let (Some(tracking), Some(header)) = (self.tracking(), entry::inspect(bytes)) else {
            return Ok(None);
        };
        let (full, left) = (self.full(key), millis(ttl));
        let Some((mut connection, note)) = self.note(tracking, key, &full) else {
            return Ok(None);
        };
        let mut fill = opted_in();
        fill.cmd("EVALSHA").arg(FILL.get_hash()).arg(1).arg(full);
        fill.arg(&token.to_le_bytes()[..]).arg(bytes).arg(left);
        fill.arg(1);
        let reply = fill.query_async::<(i64,)>(&mut connection);
        let Some((filled,)) = self.tracked(tracking, reply).await? else {
            return Ok(None);
        };
        if filled == 1 {
            let siblings = near::of_prefix(&self.prefix);
            for near in siblings {
                if !Arc::ptr_eq(&near, &tracking.near) {
                    drop(near.void(key));
                }
            }
            note.replace(&header, left, kept.weight, kept.payload);
        }
        Ok(Some(filled == 1))
    }
}

/// `GET` and `PTTL` of a key that is to be tracked.
pub(crate) fn tracked_look(full: &str) -> Pipeline {
    let mut look = opted_in();
    look.cmd("MULTI").ignore();
    look.get(full).ignore().pttl(full).ignore().cmd("EXEC");
    look
}

/// The next command's keys are to be tracked.
fn opted_in() -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
    pipeline
}
