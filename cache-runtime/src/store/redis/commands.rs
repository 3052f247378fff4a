use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};

use super::link::Link;
use crate::entry::{self, Bytes, Kind};
use crate::error::CacheError;

/// The header up to the kind, as `GETRANGE key 0 2` gives it.
const KIND_RANGE: (isize, isize) = (0, 2);

/// What is sent. Runs on the cache's thread.
pub(crate) struct Commands {
    pub(super) link: Arc<Link>,
    pub(super) prefix: String,
    pub(super) lease: Duration,
    pub(super) flight_limit: Duration,
}

/// What stands at a key.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Absent,
    /// Another caller's right to fill it; and the bytes, since one that never expires is junk.
    Lease(u64, Bytes),
    /// Bytes that may be an entry.
    Entry(Bytes),
    /// A list, a set, or what else is no string.
    OtherType,
}

impl Commands {
    pub(super) fn full(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    /// One plain `GET`.
    pub(super) async fn read(&self, key: &str) -> Result<Seen, CacheError> {
        let get = Cmd::get(self.full(key));
        let reply = self
            .link
            .send(|mut connection| async move {
                get.query_async::<Option<Vec<u8>>>(&mut connection).await
            })
            .await;
        match reply {
            Ok(None) => Ok(Seen::Absent),
            Ok(Some(bytes)) => Ok(match entry::inspect(&bytes) {
                Some(header) if header.kind == Kind::Lease => {
                    Seen::Lease(header.token, bytes.into())
                }
                _ => Seen::Entry(bytes.into()),
            }),
            Err(error) if is_wrong_type(&error) => Ok(Seen::OtherType),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn load_many(
        &self,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>, CacheError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // `MGET` answers nil where a key holds no string.
        let mut get = redis::cmd("MGET");
        for key in keys {
            get.arg(self.full(key));
        }
        self.link
            .send(|mut connection| async move { get.query_async(&mut connection).await })
            .await
    }

    pub(super) async fn store(
        &self,
        entries: &[(Arc<str>, Vec<u8>)],
        ttl: Duration,
    ) -> Result<(), CacheError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (key, bytes) in entries {
            // Redis knows no lifetime of zero: what is stored for no time at all replaces what stands, and is gone.
            if ttl.is_zero() {
                pipeline.unlink(self.full(key)).ignore();
                continue;
            }
            pipeline
                .cmd("SET")
                .arg(self.full(key))
                .arg(&bytes[..])
                .arg("PX")
                .arg(millis(ttl))
                .ignore();
        }
        self.link
            .send(|mut connection| async move { pipeline.query_async::<()>(&mut connection).await })
            .await
    }

    pub(super) async fn remove(&self, key: &str) -> Result<bool, CacheError> {
        Ok(self.unlink(&[self.full(key).into_bytes()]).await? > 0)
    }

    /// Removes keys, in one round trip, and counts those that held no lease.
    pub(super) async fn unlink(&self, keys: &[Vec<u8>]) -> Result<u64, CacheError> {
        let mut pipeline = redis::pipe();
        pipeline.atomic().ignore_errors();
        for key in keys {
            pipeline
                .getrange(&key[..], KIND_RANGE.0, KIND_RANGE.1)
                .unlink(&key[..]);
        }
        let replies: Vec<Value> = self
            .link
            .send(|mut connection| async move { pipeline.query_async(&mut connection).await })
            .await?;
        let removed = replies.chunks(2).filter(|pair| match pair {
            [_, Value::Int(0)] => false,
            [Value::BulkString(kind), _] => !is_lease(kind),
            _ => true,
        });
        Ok(removed.count() as u64)
    }

    /// How long an entry still lives; leases and what isn't ours don't count.
    pub(super) async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        let full = self.full(key);
        let mut pipeline = redis::pipe();
        pipeline
            .atomic()
            .getrange(&full, KIND_RANGE.0, KIND_RANGE.1)
            .pttl(&full);
        let reply: Result<(Vec<u8>, i64), CacheError> = self
            .link
            .send(|mut connection| async move { pipeline.query_async(&mut connection).await })
            .await;
        match reply {
            Ok((kind, left)) if !kind.is_empty() && !is_lease(&kind) => {
                Ok(match u64::try_from(left) {
                    Ok(left) => Some(Duration::from_millis(left)),
                    // -1: it doesn't expire.
                    Err(_) => (left == -1).then_some(Duration::MAX),
                })
            }
            Ok(_) => Ok(None),
            Err(error) if is_wrong_type(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the key never expires, as no lease does.
    pub(super) async fn is_eternal(&self, key: &str) -> Result<bool, CacheError> {
        let pttl = Cmd::pttl(self.full(key));
        let left: i64 = self
            .link
            .send(|mut connection| async move { pttl.query_async(&mut connection).await })
            .await?;
        Ok(left == -1)
    }
}

fn is_lease(kind: &[u8]) -> bool {
    kind == &entry::lease(0)[..kind.len()] && kind.len() == 3
}

fn is_wrong_type(error: &CacheError) -> bool {
    let CacheError::Store { source } = error else {
        return false;
    };
    let error = source.downcast_ref::<redis::RedisError>();
    error.is_some_and(|error| error.code() == Some("WRONGTYPE"))
}

/// What Redis takes as a lifetime: whole milliseconds, at least one.
pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, i64::MAX as u64 / 2)
}
