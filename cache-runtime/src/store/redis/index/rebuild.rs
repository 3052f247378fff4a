//! Rebuilds the index by a scan of the keyspace, and replaces the index where it can't be kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::try_join_all;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::scan::KeyScan;
use crate::store::redis::index::{BUCKETS, Layout, Token, bucket_of};
use crate::store::redis::lease::fresh_token;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Prefix of the marks of all rebuilds, and the range that contains them.
const BUILDING: &[u8] = b"\0building:";
const BUILDING_RANGE: [&[u8]; 2] = [b"[\0building:", b"(\0building;"];

/// Range of the marks of sets that are complete under certain masters.
const COMPLETE_RANGE: [&[u8]; 2] = [b"[\0whole:", b"(\0whole;"];

/// Number of keys that one command deletes.
const BATCH: usize = 500;

impl Client {
    /// Start a rebuild in the background, if none is under way. The first registration of a prefix
    /// does this.
    pub(crate) fn rebuild_soon(self: &Arc<Self>) {
        if self.index.rebuild_started.swap(true, Ordering::AcqRel) {
            return;
        }
        let client = Arc::clone(self);
        let scan = async move {
            // If it fails, the next registration or invalidation tries again.
            let _ = client.rebuild(Purpose::Invalidation).await;
            client.index.rebuild_started.store(false, Ordering::Release);
        };
        if runtime::spawn(scan).is_err() {
            self.index.rebuild_started.store(false, Ordering::Release);
        }
    }

    /// Make every set of the prefix complete, by one scan at most. A caller that finds a rebuild
    /// under way waits for that one.
    ///
    /// A rebuild marks the sets as being built, registers every key that it finds, and replaces the
    /// mark at its end. If a set is lost in between, its mark is lost too, and the set isn't
    /// declared complete. Keys that are leased during the rebuild register themselves. The sets may
    /// be on different nodes, so each is marked by its own command.
    pub(crate) async fn rebuild(self: &Arc<Self>, purpose: Purpose) -> Result<(), CacheError> {
        let _rebuilding = self.index.rebuilding.lock().await;
        let complete_mark = self.complete_mark(purpose).await?;
        let server = self.server_of(purpose);
        let mark = [BUILDING, &fresh_token().to_le_bytes()[..]].concat();
        let begins = (0..BUCKETS).map(|bucket| self.begin(bucket, &mark, &complete_mark, purpose));
        let partial: Vec<bool> = try_join_all(begins).await?;
        if !partial.contains(&true) {
            return Ok(());
        }
        let mut scan = KeyScan::over(&Pattern::new("*"));
        while let Some(keys) = scan.step(self, purpose).await? {
            self.add_members(&keys, &partial, purpose).await?;
        }
        // Another server may have the mark (it replicated from this one, or was restored from a
        // snapshot), but this server's cursors mean nothing to it. So the sets aren't declared
        // complete, and the next caller rebuilds them.
        if server.is_none() || self.server_of(purpose) != server {
            return Ok(());
        }
        let built = (0..BUCKETS).filter(|bucket| partial[*bucket]);
        let ends = built.map(|bucket| self.finish(bucket, &mark, &complete_mark, purpose));
        try_join_all(ends).await.map(drop)
    }

    /// Mark a set as being built, unless it is complete. Report whether it had to be marked.
    async fn begin(
        self: &Arc<Self>,
        bucket: usize,
        mark: &[u8],
        complete_mark: &[u8],
        purpose: Purpose,
    ) -> Result<bool, CacheError> {
        let needed: i64 = self
            .script(purpose, &lua::REBUILD_BEGIN, |call| {
                call.key(self.bucket(bucket)).arg(mark).arg(complete_mark);
            })
            .await?;
        Ok(needed == 1)
    }

    /// Register keys that a scan found, in those sets that are incomplete.
    async fn add_members(
        self: &Arc<Self>,
        keys: &[Vec<u8>],
        partial: &[bool],
        purpose: Purpose,
    ) -> Result<(), CacheError> {
        let members = match self.index.layout {
            Layout::SameNode => keys
                .iter()
                .map(|key| {
                    let member = Layout::SameNode.member(key, Token::default());
                    (bucket_of(key), member)
                })
                .collect(),
            Layout::Split => self.members_split(keys, purpose).await?,
        };
        let mut of_sets: [Vec<Vec<u8>>; BUCKETS] = Default::default();
        for (bucket, member) in members {
            if partial[bucket] {
                of_sets[bucket].push(member);
            }
        }
        let lists = of_sets.iter().enumerate().filter(|(_, of)| !of.is_empty());
        let added = lists.map(|(bucket, of)| {
            self.script::<i64>(purpose, &lua::REBUILD_ADD, move |call| {
                call.key(self.bucket(bucket)).arg(of);
            })
        });
        try_join_all(added).await.map(drop)
    }

    /// Declare a set complete, if it still has this rebuild's mark.
    async fn finish(
        self: &Arc<Self>,
        bucket: usize,
        mark: &[u8],
        complete_mark: &[u8],
        purpose: Purpose,
    ) -> Result<(), CacheError> {
        self.script::<i64>(purpose, &lua::REBUILD_FINISH, |call| {
            call.key(self.bucket(bucket)).arg(mark).arg(complete_mark);
            call.arg(&BUILDING_RANGE).arg(&COMPLETE_RANGE);
        })
        .await
        .map(drop)
    }

    /// Remove what the pattern matches by a scan alone.
    pub(crate) async fn remove_by_scan(
        self: &Arc<Self>,
        pattern: &Pattern,
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let mut removed = 0;
        let mut scan = KeyScan::over(pattern);
        while let Some(keys) = scan.step(self, purpose).await? {
            for bucket in 0..BUCKETS {
                let in_bucket: Vec<&[u8]> = keys
                    .iter()
                    .map(|key| &key[..])
                    .filter(|key| bucket_of(key) == bucket)
                    .collect();
                for batch in in_bucket.chunks(BATCH) {
                    removed += self.remove_keys(bucket, batch, purpose).await?;
                }
            }
        }
        Ok(removed)
    }
}
