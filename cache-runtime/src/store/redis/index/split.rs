//! The index where entries and sets are on different nodes.
//!
//! The order is the same, lease -> index -> compute -> fill, in steps of their own. What if the process dies between
//! two of them? Before the index: a lease stands that is in no set, and nobody computes for it. Before the fill: the
//! lease expires, its member is swept. What if another invalidates between lease and index? It doesn't find the key;
//! the computation begins later and sees what was written before. After the index, it finds the key.

use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::Cmd;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::bucket_of;
use crate::store::redis::index::members::{Head, Layout};
use crate::store::redis::lua;
use crate::store::redis::recovery::outage::Purpose;

/// How many members each registration looks at: with more than two, the dead can't outnumber the living.
const SAMPLE: usize = 4;
/// How many such looks are under way without that anybody waits for them.
pub(crate) const LOOKS: usize = 32;

impl Client {
    /// Registers a key at which this token stands; 2 if the set isn't whole.
    pub(crate) async fn register_split(
        self: &Arc<Self>,
        key: &str,
        token: u64,
    ) -> Result<i64, CacheError> {
        let key = key.as_bytes();
        let bucket = bucket_of(key);
        let member = Layout::Split.member(key, token.to_le_bytes());
        let whole = self.whole(Purpose::Call).await?;
        let (answer, sample): (i64, Vec<Vec<u8>>) = self
            .script(Purpose::Call, &lua::REGISTER_SPLIT, |call| {
                call.key(self.bucket(bucket));
                call.arg(&member[..]).arg(&whole[..]).arg(SAMPLE);
            })
            .await?;
        self.check_aside(bucket, sample).await;
        Ok(answer)
    }

    /// Drops the dead of a sample. Who registers doesn't wait for that, as long as not too many look at once.
    async fn check_aside(self: &Arc<Self>, bucket: usize, sample: Vec<Vec<u8>>) {
        let client = Arc::clone(self);
        let permit = Arc::clone(&self.index.looks).try_acquire_owned();
        let look = async move {
            // What fails here is found by the next look.
            let _ = client
                .drop_dead(bucket, sample, Purpose::Invalidation)
                .await;
        };
        match permit {
            Ok(permit) => {
                let _ = runtime::spawn(async move {
                    look.await;
                    drop(permit);
                });
            }
            Err(_) => look.await,
        }
    }

    /// Drops those members whose token stands at their key no more; how many.
    async fn drop_dead(
        self: &Arc<Self>,
        bucket: usize,
        members: Vec<Vec<u8>>,
        purpose: Purpose,
    ) -> Result<usize, CacheError> {
        let looks = members.iter().filter_map(|member| {
            let key = Layout::Split.key_of(member)?;
            Some(async move { Ok::<_, CacheError>((member, self.head(key, purpose).await?)) })
        });
        let dead: Vec<&[u8]> = try_join_all(looks)
            .await?
            .into_iter()
            .filter(|(member, head)| head.as_ref().is_none_or(|head| !head.carries(member)))
            .map(|(member, _)| &member[..])
            .collect();
        self.unregister(bucket, &dead, purpose).await?;
        Ok(dead.len())
    }

    /// Looks at random members of a set and drops the dead; how many.
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

    /// Removes keys, then exactly these members and those of what stood there; counts the keys that held a value. A
    /// member that is written meanwhile is that of a later lease, and stays.
    pub(crate) async fn remove_split(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        members: &[Vec<u8>],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let drops = keys.iter().map(|key| async move {
            let answer: Option<(u64, Vec<u8>)> = self
                .script(purpose, &lua::DELETE_SPLIT, |call| {
                    call.key(self.full_bytes(key));
                })
                .await?;
            Ok::<_, CacheError>((key, answer))
        });
        let (mut removed, mut gone) = (0, members.to_vec());
        for (key, answer) in try_join_all(drops).await? {
            let Some((value, head)) = answer else {
                continue;
            };
            removed += value;
            let tokens = Head::of(&head).tokens();
            gone.extend(tokens.map(|token| Layout::Split.member(key, token)));
        }
        let gone: Vec<&[u8]> = gone.iter().map(|member| &member[..]).collect();
        // The entries are gone, which is what was asked; what of this fails is swept.
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

    /// The members of keys that a walk met, with the tokens that it finds there. Of a value that is being refreshed
    /// both: its next fill stands under the claim's.
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

    async fn head(
        self: &Arc<Self>,
        key: &[u8],
        purpose: Purpose,
    ) -> Result<Option<Head>, CacheError> {
        let head: Option<Vec<u8>> = self
            .script(purpose, &lua::HEAD, |call| {
                call.key(self.full_bytes(key));
            })
            .await?;
        Ok(head.map(|bytes| Head::of(&bytes)))
    }
}
