//! The index in a cluster, where entries and sets are on different nodes.
//!
//! The order is the same (lease, index, compute, fill), but each is a separate step. If the process
//! dies before the index step, the lease is in no set, and no computation runs for it. If it dies
//! before the fill, the lease expires and its member is swept. An invalidation between lease and
//! index doesn't find the key, but the computation begins later and sees what was written before.
//! After the index step, an invalidation finds the key.

use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::Cmd;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::bucket_of;
use crate::store::redis::index::members::{Head, Layout};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Number of members that each registration checks. With more than two, dead members can't
/// outnumber live ones.
const SAMPLE: usize = 4;
/// Number of checks that may run in the background at a time.
pub(crate) const MAX_CHECKS: usize = 32;

impl Client {
    /// Register a key that holds this token. Return 2 if the set is incomplete, otherwise 1.
    pub(crate) async fn register_split(
        self: &Arc<Self>,
        key: &str,
        token: u64,
    ) -> Result<i64, CacheError> {
        let key = key.as_bytes();
        let bucket = bucket_of(key);
        let member = Layout::Split.member(key, token.to_le_bytes());
        let complete_mark = self.complete_mark(Purpose::Call).await?;
        let (answer, sample): (i64, Vec<Vec<u8>>) = self
            .script(Purpose::Call, &lua::REGISTER_SPLIT, |call| {
                call.key(self.bucket(bucket));
                call.arg(&member[..]).arg(&complete_mark[..]).arg(SAMPLE);
            })
            .await?;
        self.check_in_background(bucket, sample).await;
        Ok(answer)
    }

    /// Drop the dead members of a sample. The registration doesn't wait for it, unless too many
    /// checks are running.
    async fn check_in_background(self: &Arc<Self>, bucket: usize, sample: Vec<Vec<u8>>) {
        let client = Arc::clone(self);
        let permit = Arc::clone(&self.index.check_permits).try_acquire_owned();
        let check = async move {
            // If it fails, a later check finds the same members.
            let _ = client
                .drop_dead(bucket, sample, Purpose::Invalidation)
                .await;
        };
        match permit {
            Ok(permit) => {
                let _ = runtime::spawn(async move {
                    check.await;
                    drop(permit);
                });
            }
            Err(_) => check.await,
        }
    }

    /// Drop the members whose token is no longer at their key. Return their number.
    async fn drop_dead(
        self: &Arc<Self>,
        bucket: usize,
        members: Vec<Vec<u8>>,
        purpose: Purpose,
    ) -> Result<usize, CacheError> {
        let checks = members.iter().filter_map(|member| {
            let key = Layout::Split.key_of(member)?;
            Some(async move { Ok::<_, CacheError>((member, self.head(key, purpose).await?)) })
        });
        let dead: Vec<&[u8]> = try_join_all(checks)
            .await?
            .into_iter()
            .filter(|(member, head)| head.as_ref().is_none_or(|head| !head.carries(member)))
            .map(|(member, _)| &member[..])
            .collect();
        self.unregister(bucket, &dead, purpose).await?;
        Ok(dead.len())
    }

    /// Check random members of a set and drop the dead ones. Return their number.
    pub(crate) async fn sweep_split(
        self: &Arc<Self>,
        bucket: usize,
        sample: usize,
    ) -> Result<usize, CacheError> {
        let mut choose = Cmd::new();
        choose
            .arg("ZRANDMEMBER")
            .arg(self.bucket(bucket))
            .arg(sample);
        let choose = &choose;
        let members: Vec<Vec<u8>> = self
            .send(|mut connection| async move { choose.query_async(&mut connection).await })
            .await?;
        self.drop_dead(bucket, members, Purpose::Call).await
    }

    /// Remove keys, then exactly these members and those of the removed entries. Return 1 for each
    /// key that held a value, otherwise 0. A member that is written meanwhile belongs to a later
    /// lease, and stays.
    pub(crate) async fn remove_split(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        members: &[&[u8]],
        purpose: Purpose,
    ) -> Result<Vec<u64>, CacheError> {
        let drops = keys.iter().map(|key| async move {
            let answer: Option<(u64, Vec<u8>)> = self
                .script(purpose, &lua::DELETE_SPLIT, |call| {
                    call.key(self.full_key_bytes(key));
                })
                .await?;
            Ok::<_, CacheError>((key, answer))
        });
        let (mut removed, mut of_entries) = (Vec::with_capacity(keys.len()), Vec::new());
        for (key, answer) in try_join_all(drops).await? {
            let (value, head) = answer.unwrap_or_default();
            removed.push(value);
            let tokens = Head::of(&head).tokens();
            of_entries.extend(tokens.map(|token| Layout::Split.member(key, token)));
        }
        let of_entries = of_entries.iter().map(|member| &member[..]);
        let gone: Vec<&[u8]> = members.iter().copied().chain(of_entries).collect();
        // The entries are gone, which is what the caller asked for. Members that couldn't be
        // removed are swept later.
        let _ = self.unregister(bucket, &gone, purpose).await;
        Ok(removed)
    }

    async fn unregister(
        self: &Arc<Self>,
        bucket: usize,
        members: &[&[u8]],
        purpose: Purpose,
    ) -> Result<(), CacheError> {
        if members.is_empty() {
            return Ok(());
        }
        let remove = &Cmd::zrem(self.bucket(bucket), members);
        self.send_for(purpose, |mut connection| async move {
            remove.query_async(&mut connection).await
        })
        .await
    }

    /// Return the members of keys that a scan found, with the tokens that they hold now. A value
    /// that is being refreshed has two, since its next fill uses the claim's token.
    pub(crate) async fn members_split(
        self: &Arc<Self>,
        keys: &[Vec<u8>],
        purpose: Purpose,
    ) -> Result<Vec<(usize, Vec<u8>)>, CacheError> {
        let heads = keys.iter().map(|key| self.head(key, purpose));
        let found = keys.iter().zip(try_join_all(heads).await?);
        Ok(found
            .filter_map(|(key, head)| Some((key, head?)))
            .flat_map(|(key, head)| {
                let bucket = bucket_of(key);
                head.tokens()
                    .map(move |token| (bucket, Layout::Split.member(key, token)))
            })
            .collect())
    }

    pub(super) async fn head(
        self: &Arc<Self>,
        key: &[u8],
        purpose: Purpose,
    ) -> Result<Option<Head>, CacheError> {
        let head: Option<Vec<u8>> = self
            .script(purpose, &lua::HEAD, |call| {
                call.key(self.full_key_bytes(key));
            })
            .await?;
        Ok(head.map(|bytes| Head::of(&bytes)))
    }
}
