//! A value and its remaining TTL, read at one moment.

use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::entry;
use crate::error::CacheError;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, Found, parse_get};
use crate::store::redis::fetched::{Fetched, RemainingTtl};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// Number of keys checked in one batch. A key behind too many others would exceed the response
/// timeout and look like an outage.
const BATCH: usize = 500;

impl Client {
    /// Read value and `PTTL` in one script. With two commands, the TTL of an entry stored in
    /// between could make a stale value look fresh.
    pub(crate) async fn get_with_ttl(
        self: &Arc<Self>,
        key: &str,
    ) -> Result<(Found, RemainingTtl), CacheError> {
        let reply: Result<(Option<Vec<u8>>, i64), CacheError> = self
            .script(Purpose::Call, &lua::GET_WITH_TTL, |call| {
                call.key(self.full_key(key));
            })
            .await;
        match reply {
            Ok((got, left)) => Ok(with_remaining_ttl(parse_get(Ok(got))?, left)),
            Err(error) => Ok((parse_get(Err(error))?, None)),
        }
    }

    /// Drop stale entries from loaded values. Few entries have a grace period after their TTL, so
    /// only their remaining TTL is queried.
    pub(crate) async fn drop_stale(
        self: &Arc<Self>,
        keys: &[Arc<str>],
        found: &mut [Option<Vec<u8>>],
    ) -> Result<(), CacheError> {
        let doubtful = |at: &usize| matches!(&found[*at], Some(bytes) if entry::grace(bytes) > 0);
        let doubtful: Vec<usize> = (0..found.len()).filter(doubtful).collect();
        for part in doubtful.chunks(BATCH) {
            let reads = part.iter().map(|&at| self.get_with_ttl(&keys[at]));
            for (&at, (seen, left)) in part.iter().zip(try_join_all(reads).await?) {
                found[at] = match &seen {
                    Found::Entry(bytes) if is_fresh(&seen, left) => Some(bytes.to_vec()),
                    _ => None,
                };
            }
        }
        Ok(())
    }

    /// Read a key for a caller that can't use a stale value. Most entries are never stale, and one
    /// plain `GET` is enough to tell.
    pub(crate) async fn read_fresh(self: &Arc<Self>, key: &str) -> Result<Found, CacheError> {
        let seen = self.read(key).await?;
        if !may_be_stale(&seen) {
            return Ok(seen);
        }
        let (seen, left) = self.get_with_ttl(key).await?;
        Ok(if is_fresh(&seen, left) {
            seen
        } else {
            Found::Absent
        })
    }
}

impl RedisStore {
    /// Read a key and its remaining TTL. With `near`, the entry may enter the near cache, if
    /// possible.
    pub(crate) async fn get_with_ttl(
        &self,
        key: &Arc<str>,
        near: bool,
    ) -> Result<Fetched, CacheError> {
        let key = Arc::clone(key);
        let near = near && self.near.is_some();
        self.run(Operation::Get, |client| async move {
            if near && let Some(fetched) = client.get_tracked(&key).await? {
                return Ok(fetched);
            }
            let (seen, left) = client.get_with_ttl(&key).await?;
            Ok(Fetched {
                seen,
                left: Some(left),
                note: None,
            })
        })
        .await
    }
}

/// Combine what was read with its remaining TTL, as `PTTL` returned it.
pub(crate) fn with_remaining_ttl(seen: Found, left: i64) -> (Found, RemainingTtl) {
    match u64::try_from(left) {
        Ok(left) => (seen, Some(left)),
        // -1: the key doesn't expire. -2: the key is absent, or its last millisecond ended in
        // between.
        Err(_) if left == -1 => (seen, None),
        Err(_) => (Found::Absent, None),
    }
}

/// Report whether these are the bytes of an entry that is kept beyond its TTL.
pub(crate) fn may_be_stale(seen: &Found) -> bool {
    matches!(seen, Found::Entry(bytes) if entry::grace(bytes) > 0)
}

fn is_fresh(seen: &Found, left: RemainingTtl) -> bool {
    match (seen, left) {
        (Found::Entry(bytes), Some(left)) => left > entry::grace(bytes),
        _ => true,
    }
}
