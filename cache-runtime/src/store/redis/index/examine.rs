//! A bounded look at keys and at the index, for a person who looks for a problem: do both agree, is
//! everything an entry, and which entries are large?

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::Cmd;

use super::list::EntryFacts;
use super::ranges::range_of_one;
use super::{BUCKETS, Layout};
use crate::entry::{self, EntryKind};
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// Number of keys, of all programs, that one `SCAN` looks at.
const STEP: usize = 1_000;
/// Number of steps in all, whatever they find.
const STEPS: usize = 500;
/// Number of members of each set that are looked at.
const MEMBERS: usize = 200;
/// Number of keys that are looked up together.
const BATCH: usize = 100;
/// Number of large entries, and of examples, that are kept.
const KEPT: usize = 5;
/// Number of looks before a key counts as one that the index lacks: it may change in between.
const LOOKS: u32 = 3;

/// Result of [`RedisStore::examine`].
#[derive(Default)]
pub(crate) struct Examined {
    /// Number of keys that were looked at.
    pub(crate) keys: u64,
    /// Whether these are all keys of the prefix.
    pub(crate) all: bool,
    /// Number of keys that are no entry of this release, and some of them.
    pub(crate) unknown: u64,
    pub(crate) unknown_keys: Vec<String>,
    /// Number of entries that aren't in the index, and some of them. Nothing of sets that aren't
    /// complete.
    pub(crate) unindexed: u64,
    pub(crate) unindexed_keys: Vec<String>,
    /// The largest ones first.
    pub(crate) largest: Vec<EntryFacts>,
    /// Number of the index's members that were looked at, and of those whose entry is gone.
    pub(crate) members: u64,
    pub(crate) dead_members: u64,
}

impl RedisStore {
    /// Look at this number of keys, and of members of the index. Changes nothing.
    pub(crate) async fn examine(&self, limit: usize) -> Result<Examined, CacheError> {
        self.run(Operation::Other, move |client| async move {
            client.examine(limit).await
        })
        .await
    }
}

impl Client {
    async fn examine(self: &Arc<Self>, limit: usize) -> Result<Examined, CacheError> {
        let mut examined = Examined::default();
        self.examine_keys(limit, &mut examined).await?;
        self.examine_members(limit, &mut examined).await?;
        Ok(examined)
    }

    async fn examine_keys(
        self: &Arc<Self>,
        limit: usize,
        examined: &mut Examined,
    ) -> Result<(), CacheError> {
        let nodes = self
            .send(|connection| async move { Ok(connection.nodes()) })
            .await?;
        let glob = Pattern::new("*").scan_glob(&self.prefix);
        let ours = self.prefix.len() + 1;
        let mut steps = 0;
        for node in &nodes {
            let mut cursor = 0;
            loop {
                if steps == STEPS || examined.keys >= limit as u64 {
                    return Ok(());
                }
                steps += 1;
                let mut scan = Cmd::new();
                scan.arg("SCAN").arg(cursor).arg("MATCH").arg(&glob);
                scan.arg("COUNT").arg(STEP);
                let (next, keys): (u64, Vec<Vec<u8>>) = self.ask_node(node, &scan).await?;
                let keys: Vec<&[u8]> = keys.iter().filter_map(|key| key.get(ours..)).collect();
                for some in keys.chunks(BATCH) {
                    self.examine_some(some, examined).await?;
                }
                cursor = next;
                if next == 0 {
                    break;
                }
            }
        }
        examined.all = true;
        Ok(())
    }

    async fn examine_some(
        self: &Arc<Self>,
        keys: &[&[u8]],
        examined: &mut Examined,
    ) -> Result<(), CacheError> {
        let facts = self.facts(keys).await?;
        examined.keys += facts.len() as u64;
        let mut entries: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        for facts in facts {
            match entry::inspect(&facts.start) {
                None => {
                    examined.unknown += 1;
                    keep(&mut examined.unknown_keys, &facts.key);
                }
                // In a cluster, a lease is in the index only a moment later.
                Some(header) if header.kind == EntryKind::Lease => {}
                Some(_) => {
                    let key = facts.key.clone().into_bytes();
                    entries.entry(super::bucket_of(&key)).or_default().push(key);
                    examined.largest.push(facts);
                }
            }
        }
        examined
            .largest
            .sort_by_key(|entry| std::cmp::Reverse(entry.bytes));
        examined.largest.truncate(KEPT);
        for (bucket, keys) in entries {
            for key in self.without_member(bucket, keys).await? {
                examined.unindexed += 1;
                keep(&mut examined.unindexed_keys, &String::from_utf8_lossy(&key));
            }
        }
        Ok(())
    }

    /// Return the keys of one set that exist and have no member in it. None if the set isn't
    /// complete, where that means nothing.
    async fn without_member(
        self: &Arc<Self>,
        bucket: usize,
        mut keys: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, CacheError> {
        let layout = self.index.layout;
        for _ in 0..LOOKS {
            let mut without = Vec::new();
            // A page holds several members for each key.
            for some in keys.chunks(BATCH / 4) {
                let ranges: Vec<_> = some.iter().map(|key| range_of_one(key, layout)).collect();
                let Some(found) = self.page(bucket, ranges.iter(), Purpose::Call).await? else {
                    return Ok(Vec::new());
                };
                for (key, members) in some.iter().zip(found) {
                    if !self.is_member(key, &members).await? {
                        without.push(key.clone());
                    }
                }
            }
            if without.is_empty() {
                return Ok(without);
            }
            keys = without;
        }
        Ok(keys)
    }

    /// Whether one of these members is the key's. Also for a key that is gone.
    async fn is_member(
        self: &Arc<Self>,
        key: &[u8],
        members: &[Vec<u8>],
    ) -> Result<bool, CacheError> {
        if self.index.layout == Layout::SameNode && !members.is_empty() {
            return Ok(true);
        }
        let Some(head) = self.head(key, Purpose::Call).await? else {
            return Ok(true);
        };
        Ok(members.iter().any(|member| head.carries(member)))
    }

    async fn examine_members(
        self: &Arc<Self>,
        limit: usize,
        examined: &mut Examined,
    ) -> Result<(), CacheError> {
        let layout = self.index.layout;
        for bucket in 0..BUCKETS {
            let mut choose = Cmd::new();
            choose.arg("ZRANDMEMBER").arg(self.bucket(bucket));
            choose.arg(limit.div_ceil(BUCKETS).min(MEMBERS));
            let choose = &choose;
            let members: Vec<Vec<u8>> = self
                .send(|mut connection| async move { choose.query_async(&mut connection).await })
                .await?;
            let members: Vec<(&[u8], &Vec<u8>)> = members
                .iter()
                .filter_map(|member| Some((layout.key_of(member)?, member)))
                .collect();
            examined.members += members.len() as u64;
            examined.dead_members += match layout {
                Layout::SameNode => {
                    let keys: Vec<&[u8]> = members.iter().map(|(key, _)| *key).collect();
                    (keys.len() - self.facts(&keys).await?.len()) as u64
                }
                Layout::Split => {
                    let mut dead = 0;
                    for (key, member) in members {
                        let head = self.head(key, Purpose::Call).await?;
                        dead += u64::from(head.is_none_or(|head| !head.carries(member)));
                    }
                    dead
                }
            };
        }
        Ok(())
    }
}

fn keep(examples: &mut Vec<String>, key: &str) {
    if examples.len() < KEPT {
        examples.push(key.to_owned());
    }
}
