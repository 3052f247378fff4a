//! The calls of owners, added up over all processes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::error::CacheError;
use crate::stats::owners::OwnerCalls;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, millis};
use crate::store::redis::index::Layout;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// How long the calls of an owner without calls are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Number of owners whose calls one script adds.
const BATCH: usize = 200;
/// Number of expired keys that one script takes out of an account.
const PAGE: i64 = 500;

/// An owner's calls and entries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnerInRedis {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl RedisStore {
    /// Add calls to those of an owner, and return what Redis knows of the owner.
    pub(crate) async fn owner(
        &self,
        owner: Arc<str>,
        calls: OwnerCalls,
    ) -> Result<OwnerInRedis, CacheError> {
        self.run(Operation::Other, |client| async move {
            client.owner(&owner, calls).await
        })
        .await
    }

    /// Add calls to those of many owners.
    pub(crate) async fn add_owner_calls(
        &self,
        calls: Vec<(Arc<str>, OwnerCalls)>,
    ) -> Result<(), CacheError> {
        self.run(Operation::Other, |client| async move {
            client.add_owner_calls(&calls).await
        })
        .await
    }
}

impl Client {
    async fn owner(
        self: &Arc<Self>,
        owner: &str,
        mut calls: OwnerCalls,
    ) -> Result<OwnerInRedis, CacheError> {
        let mut rebuilt = 0;
        loop {
            let answer: [i64; 5] = self
                .script(Purpose::Call, &lua::OWNER_STATS, |call| {
                    for part in ["sizes", "ages", "expiries", "calls"] {
                        call.key(self.of_owner(owner, part));
                    }
                    call.arg(calls.hits).arg(calls.misses);
                    call.arg(millis(KEPT)).arg(PAGE);
                })
                .await?;
            calls = OwnerCalls::default();
            if answer[4] == 1 {
                continue;
            }
            if rebuilt < 2 && !self.owner_is_known(owner, Purpose::Call).await? {
                rebuilt += 1;
                self.rebuild_directory(Purpose::Invalidation).await?;
                continue;
            }
            let [entries, bytes, hits, misses, _] = answer.map(i64::unsigned_abs);
            return Ok(OwnerInRedis {
                hits,
                misses,
                entries,
                bytes,
            });
        }
    }

    async fn add_owner_calls(
        self: &Arc<Self>,
        calls: &[(Arc<str>, OwnerCalls)],
    ) -> Result<(), CacheError> {
        let together = match self.index.layout {
            Layout::SameNode => BATCH,
            Layout::Split => 1,
        };
        for round in calls.chunks(BATCH) {
            let sent = round.chunks(together).map(|part| {
                self.script::<i64>(Purpose::Call, &lua::OWNER_CALLS, move |call| {
                    call.arg(millis(KEPT));
                    for (owner, calls) in part {
                        call.key(self.of_owner(owner, "calls"));
                        call.arg(calls.hits).arg(calls.misses);
                    }
                })
            });
            try_join_all(sent).await?;
        }
        Ok(())
    }
}
