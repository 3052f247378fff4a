//! Reads and fills over the tracked connections, whose values may enter the near cache.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue as _, Pipeline, RedisError, Value};

use crate::entry;
use crate::entry::payload::Payload;
use crate::error::CacheError;
use crate::store::near::{self, NearCache, Note};
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, millis, parse_get};
use crate::store::redis::fetched::Fetched;
use crate::store::redis::get_with_ttl::with_remaining_ttl;
use crate::store::redis::invalidate::Target;
use crate::store::redis::lua::FILL;
use crate::store::redis::times::Operation;
use crate::store::redis::tracking::Tracking;

/// Value being stored in Redis that is also to be kept in the near cache.
pub(crate) struct NearCopy {
    pub(crate) payload: Payload,
    /// Approximate size in memory, in bytes.
    pub(crate) weight: usize,
}

impl RedisStore {
    /// Return the near cache, if there is one.
    pub(crate) fn near(&self) -> Option<&NearCache> {
        self.near.as_deref()
    }

    /// Read a key. With `near`, the entry may enter the near cache, if possible.
    pub(crate) async fn fetch(&self, key: &Arc<str>, near: bool) -> Result<Fetched, CacheError> {
        if !near || self.near.is_none() {
            return self.read(key).await.map(Fetched::plain);
        }
        let key = Arc::clone(key);
        self.run(Operation::Get, |client| async move {
            match client.get_tracked(&key).await? {
                Some(fetched) => Ok(fetched),
                None => client.read(&key).await.map(Fetched::plain),
            }
        })
        .await
    }
}

impl Client {
    /// Remove a key that this process has changed from the near caches.
    pub(crate) fn void_near(&self, key: &str) {
        for near in near::of_prefix(&self.prefix) {
            drop(near.void(key));
        }
    }

    /// Remove what this process has invalidated from the near caches.
    pub(crate) fn void_near_matching(&self, target: &Target) {
        for near in near::of_prefix(&self.prefix) {
            match target {
                Target::Key(key) => drop(near.void(key)),
                Target::Pattern(pattern) => near.void_matching(pattern),
                Target::Owner(_, patterns) => {
                    patterns
                        .iter()
                        .for_each(|pattern| near.void_matching(pattern));
                }
            }
        }
    }

    /// Note a fetch or fill, and return the connection to send it over: that to the node which has
    /// the key according to the main connection's slot map. If the key has moved since, the node
    /// redirects, and the main connection follows the redirection.
    fn note(
        &self,
        tracking: &Tracking,
        key: &Arc<str>,
        full: &str,
    ) -> Option<(MultiplexedConnection, Note)> {
        tracking.note(key, &self.manager.node_of(full)?)
    }

    /// Send `GET` and `PTTL` as one transaction with tracked keys. Return `None` if tracking isn't
    /// available.
    pub(crate) async fn get_tracked(
        self: &Arc<Self>,
        key: &Arc<str>,
    ) -> Result<Option<Fetched>, CacheError> {
        let Some(tracking) = self.tracking() else {
            return Ok(None);
        };
        let full = self.full_key(key);
        let Some((mut connection, note)) = self.note(tracking, key, &full) else {
            return Ok(None);
        };
        let get = tracked_get(&full);
        let reply = self.tracked(tracking, get.query_async::<(Value,)>(&mut connection));
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
        let seen = parse_get(got.map_err(CacheError::store))?;
        let Ok(left) = i64::from_redis_value(left) else {
            return Ok(None);
        };
        let (seen, left) = with_remaining_ttl(seen, left);
        Ok(Some(Fetched {
            seen,
            left: Some(left),
            note: Some(note),
        }))
    }

    /// Store the entry over the tracked connection if the token is still there, and keep its value
    /// in the near cache unless a push voids it meanwhile.
    ///
    /// Return `None` if tracking isn't available, or no answer came. The caller then fills over the
    /// main connection. The entry is stored at most once, since the first fill uses up the token.
    pub(crate) async fn fill_tracked(
        self: &Arc<Self>,
        (key, token): (&Arc<str>, u64),
        owner: Option<&str>,
        bytes: &[u8],
        ttl: Duration,
        kept: NearCopy,
    ) -> Result<Option<bool>, CacheError> {
        let (Some(tracking), Some(header)) = (self.tracking(), entry::inspect(bytes)) else {
            return Ok(None);
        };
        let (full, left) = (self.full_key(key), millis(ttl));
        let Some((mut connection, note)) = self.note(tracking, key, &full) else {
            return Ok(None);
        };
        let mut fill = opted_in();
        fill.cmd("EVALSHA").arg(FILL.get_hash()).arg(1).arg(full);
        fill.arg(&token.to_le_bytes()[..]).arg(bytes).arg(left);
        fill.arg(1);
        for argument in self.fill_arguments(owner) {
            fill.arg(argument);
        }
        let reply = fill.query_async::<(i64,)>(&mut connection);
        let Some((filled,)) = self.tracked(tracking, reply).await? else {
            return Ok(None);
        };
        if filled > 0 {
            self.note_directory(filled);
            let siblings = near::of_prefix(&self.prefix);
            for near in siblings {
                if !Arc::ptr_eq(&near, &tracking.near) {
                    drop(near.void(key));
                }
            }
            note.replace(&header, left, kept.weight, kept.payload);
        }
        Ok(Some(filled > 0))
    }
}

/// `GET` and `PTTL` of a key, with tracking.
pub(crate) fn tracked_get(full: &str) -> Pipeline {
    let mut get = opted_in();
    get.cmd("MULTI").ignore();
    get.get(full).ignore().pttl(full).ignore().cmd("EXEC");
    get
}

/// Start a pipeline in which the next command's keys are tracked.
fn opted_in() -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
    pipeline
}
