//! Lists the entries that a pattern matches, without a walk over the keyspace.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::{Value, from_redis_value};

use super::ranges::{LexRange, ranges};
use super::{BUCKETS, Layout, PAGE};
use crate::entry::HEADER_BYTES;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// Content of a key, without the value.
#[derive(Debug)]
pub(crate) struct EntryFacts {
    pub(crate) key: String,
    /// The first bytes, at most those of a header. Empty for another type than a string.
    pub(crate) start: Vec<u8>,
    /// Length of the string.
    pub(crate) bytes: u64,
    /// As `PTTL` returns it: -1 for a key that doesn't expire.
    pub(crate) pttl: i64,
}

impl RedisStore {
    /// Return what is at the keys that the pattern matches, for `limit` keys at most.
    pub(crate) async fn list(
        &self,
        pattern: Pattern,
        limit: usize,
    ) -> Result<Vec<EntryFacts>, CacheError> {
        self.run(Operation::Other, move |client| async move {
            client.list(&pattern, limit).await
        })
        .await
    }
}

impl Client {
    async fn list(
        self: &Arc<Self>,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<Vec<EntryFacts>, CacheError> {
        self.with_index(|| self.list_indexed(pattern, limit)).await
    }

    /// Read the index, which returns `None` if a set is incomplete; rebuild it in that case.
    pub(super) async fn with_index<T, Fut>(
        self: &Arc<Self>,
        read: impl Fn() -> Fut,
    ) -> Result<T, CacheError>
    where
        Fut: Future<Output = Result<Option<T>, CacheError>>,
    {
        for _ in 0..3 {
            if let Some(found) = read().await? {
                return Ok(found);
            }
            // A set is lost, or not yet built.
            self.rebuild(Purpose::Call).await?;
        }
        let reason = "the index was lost again after each rebuild, so the keys can't be listed; let the server evict \
                      only keys with a TTL (`maxmemory-policy volatile-lru`)";
        Err(CacheError::Store {
            source: Arc::from(Box::from(reason)),
        })
    }

    /// Return `None` if a set is incomplete.
    async fn list_indexed(
        self: &Arc<Self>,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<Option<Vec<EntryFacts>>, CacheError> {
        let layout = self.index.layout;
        let mut found: Vec<EntryFacts> = Vec::new();
        for mut range in ranges(pattern, layout) {
            loop {
                if found.len() >= limit {
                    return Ok(Some(found));
                }
                let bucket = range.bucket;
                let Some(pages) = self
                    .page(bucket, std::iter::once(&range), Purpose::Call)
                    .await?
                else {
                    return Ok(None);
                };
                let page = pages.into_iter().next().unwrap_or_default();
                let keys = page.iter().filter_map(|member| layout.key_of(member));
                let mut keys: Vec<&[u8]> = keys.filter(|key| pattern.matches(key)).collect();
                // Members are sorted, so several members of one key are adjacent. Those at the end
                // of a page may go on in the next one.
                keys.dedup();
                if let (Some(first), Some(last)) = (keys.first(), found.last())
                    && last.key.as_bytes() == *first
                {
                    keys.remove(0);
                }
                // Members outlive their entries for a while, so a page may hold fewer entries.
                for some in keys.chunks(100) {
                    found.extend(self.facts(some).await?);
                    if found.len() >= limit {
                        break;
                    }
                }
                match page.last() {
                    Some(end) if page.len() >= PAGE => range.from = [b"(", &end[..]].concat(),
                    _ => break,
                }
            }
        }
        found.truncate(limit);
        Ok(Some(found))
    }

    /// Return what is at these keys, without those that are absent.
    pub(super) async fn facts(
        self: &Arc<Self>,
        keys: &[&[u8]],
    ) -> Result<Vec<EntryFacts>, CacheError> {
        // On a cluster's node a script sees the keys of one slot only.
        let together = match self.index.layout {
            Layout::SameNode => keys.len(),
            Layout::Split => 1,
        };
        let measures = u8::from(self.may_measure().await?);
        let reads = keys.chunks(together.max(1)).map(|keys| async move {
            let facts: Vec<Vec<Value>> = self
                .script(Purpose::Call, &lua::FACTS, |call| {
                    for key in keys {
                        call.key(self.full_key_bytes(key));
                    }
                    call.arg(HEADER_BYTES).arg(measures);
                })
                .await?;
            Ok::<_, CacheError>(keys.iter().zip(facts))
        });
        let read = try_join_all(reads).await?.into_iter().flatten();
        Ok(read
            .filter_map(|(key, facts)| of_reply(key, facts))
            .collect())
    }

    /// Return the number of sets that lack the mark of a complete one.
    pub(crate) async fn incomplete_sets(self: &Arc<Self>) -> Result<usize, CacheError> {
        // A range without members: only the mark is of interest.
        let nothing = |bucket| LexRange {
            bucket,
            from: b"(\xff".to_vec(),
            to: b"(\xff".to_vec(),
        };
        let checks = (0..BUCKETS).map(|bucket| async move {
            let range = nothing(bucket);
            self.page(bucket, std::iter::once(&range), Purpose::Call)
                .await
        });
        let sets = try_join_all(checks).await?;
        Ok(sets.iter().filter(|set| set.is_none()).count())
    }
}

/// Read the script's reply for one key. `None` if the key is absent.
fn of_reply(key: &[u8], facts: Vec<Value>) -> Option<EntryFacts> {
    let [start, bytes, pttl]: [Value; 3] = facts.try_into().ok()?;
    let bytes: i64 = from_redis_value(bytes).ok()?;
    Some(EntryFacts {
        key: String::from_utf8_lossy(key).into_owned(),
        start: from_redis_value(start).ok()?,
        bytes: u64::try_from(bytes).unwrap_or(0),
        pttl: from_redis_value(pttl).ok()?,
    })
}
