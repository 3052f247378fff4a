//! Removal of keys and of what patterns match.
//!
//! All targets of one call are removed together. For each index set that they concern, one script
//! reads all ranges and another deletes what was found; the sets are independent of each other, so
//! their commands go out together. A write with several patterns therefore takes two round trips,
//! unless more than [`PAGE`] keys of one set match.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{try_join, try_join_all};

use super::ranges::{LexRange, ranges};
use super::{BUCKETS, Layout, PAGE, Token, bucket_of};
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::client::Client;
use crate::store::redis::invalidate::Target;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Number of ranges that one script reads. Each costs the server a search, even if it is empty.
const RANGES: usize = 128;

/// The part of some targets that concerns one index set.
#[derive(Default)]
struct InSet<'t> {
    /// Keys, each with the number of its target.
    keys: Vec<(usize, &'t [u8])>,
    /// Ranges, each with the number of its target.
    ranges: Vec<(usize, LexRange)>,
}

/// Number of removed values for each target.
struct Counts(Vec<AtomicU64>);

impl Counts {
    fn new(targets: usize) -> Self {
        Self((0..targets).map(|_| AtomicU64::new(0)).collect())
    }

    fn add(&self, target: usize, removed: u64) {
        self.0[target].fetch_add(removed, Ordering::Relaxed);
    }

    fn into_inner(self) -> Vec<u64> {
        self.0.into_iter().map(AtomicU64::into_inner).collect()
    }
}

impl Client {
    /// Remove the entries and leases that the targets name, and return the number of values for
    /// each target. A key that two targets name counts for one of them.
    pub(crate) async fn remove_targets(
        self: &Arc<Self>,
        targets: &[Target],
        purpose: Purpose,
    ) -> Result<Vec<u64>, CacheError> {
        let sets = divide(targets, self.index.layout);
        let counts = Counts::new(targets.len());
        for _ in 0..3 {
            let removals = sets
                .iter()
                .map(|(bucket, part)| self.remove_in_set(*bucket, part, targets, purpose, &counts));
            let complete = try_join_all(removals).await?;
            if complete.iter().all(|complete| *complete) {
                self.remove_owners(targets, purpose, &counts).await?;
                return Ok(counts.into_inner());
            }
            // A set is lost, or not yet built. What was deleted is deleted; the rest is found after
            // a rebuild.
            self.rebuild(purpose).await?;
        }
        // A set was lost repeatedly (the server keeps evicting). Scan and delete without an index.
        for (number, target) in targets.iter().enumerate() {
            if let Target::Pattern(pattern) = target {
                counts.add(number, self.remove_by_scan(pattern, purpose).await?);
            }
        }
        self.remove_owners(targets, purpose, &counts).await?;
        Ok(counts.into_inner())
    }

    /// Remove the entries and leases of the targets that are owners.
    async fn remove_owners(
        self: &Arc<Self>,
        targets: &[Target],
        purpose: Purpose,
        counts: &Counts,
    ) -> Result<(), CacheError> {
        for (number, target) in targets.iter().enumerate() {
            if let Target::Owner(owner, patterns) = target {
                counts.add(number, self.remove_owned(owner, patterns, purpose).await?);
            }
        }
        Ok(())
    }

    /// Remove the entries and leases that the pattern matches.
    pub(crate) async fn remove_matching(
        self: &Arc<Self>,
        pattern: &Pattern,
        purpose: Purpose,
    ) -> Result<(), CacheError> {
        let target = Target::Pattern(pattern.clone());
        self.remove_targets(&[target], purpose).await.map(drop)
    }

    /// Remove a key. Report whether it held a value.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        key: &str,
        purpose: Purpose,
    ) -> Result<bool, CacheError> {
        let key = key.as_bytes();
        let removed = self.remove_keys(bucket_of(key), &[key], purpose).await?;
        Ok(removed > 0)
    }

    /// Remove keys of one set, at most [`PAGE`], and their members. Return the number of keys that
    /// held a value.
    pub(crate) async fn remove_keys(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let removed = self.remove_each(bucket, keys, &[], purpose).await?;
        Ok(removed.into_iter().sum())
    }

    /// Remove what concerns one set. Return false if the set is incomplete and ranges of it were to
    /// be read.
    async fn remove_in_set(
        self: &Arc<Self>,
        bucket: usize,
        part: &InSet<'_>,
        targets: &[Target],
        purpose: Purpose,
        counts: &Counts,
    ) -> Result<bool, CacheError> {
        let keys = async {
            for keys in part.keys.chunks(PAGE) {
                self.remove_found(bucket, keys, &[], purpose, counts)
                    .await?;
            }
            Ok(())
        };
        let ranges = self.remove_ranges(bucket, &part.ranges, targets, purpose, counts);
        let ((), complete) = try_join(keys, ranges).await?;
        Ok(complete)
    }

    /// Remove the entries of the ranges that their patterns match. Return false if the set is
    /// incomplete.
    async fn remove_ranges(
        self: &Arc<Self>,
        bucket: usize,
        ranges: &[(usize, LexRange)],
        targets: &[Target],
        purpose: Purpose,
        counts: &Counts,
    ) -> Result<bool, CacheError> {
        let layout = self.index.layout;
        let mut open: VecDeque<(usize, LexRange)> = ranges.iter().cloned().collect();
        while !open.is_empty() {
            let next = open.iter().take(RANGES).map(|(_, range)| range);
            let Some(pages) = self.page(bucket, next, purpose).await? else {
                return Ok(false);
            };
            let is_full = pages.iter().map(Vec::len).sum::<usize>() >= PAGE;
            let last = pages.len().saturating_sub(1);
            let mut members = Vec::new();
            for (at, page) in pages.into_iter().enumerate() {
                let Some((number, range)) = open.pop_front() else {
                    break;
                };
                if let Some(end) = page.last().filter(|_| is_full && at == last) {
                    let from = [b"(", &end[..]].concat();
                    open.push_front((number, LexRange { from, ..range }));
                }
                let matching = page.into_iter().filter(|member| {
                    let key = layout.key_of(member);
                    key.is_some_and(|key| targets[number].matches(key))
                });
                members.extend(matching.map(|member| (number, member)));
            }
            let mut keys: Vec<(usize, &[u8])> = members
                .iter()
                .filter_map(|(number, member)| Some((*number, layout.key_of(member)?)))
                .collect();
            // Members are sorted, so several members of one key are adjacent.
            keys.dedup();
            let members: Vec<&[u8]> = members.iter().map(|(_, member)| &member[..]).collect();
            self.remove_found(bucket, &keys, &members, purpose, counts)
                .await?;
        }
        Ok(true)
    }

    /// Return the next members of several ranges of one set, or `None` if the set is incomplete.
    pub(super) async fn page(
        self: &Arc<Self>,
        bucket: usize,
        ranges: impl Iterator<Item = &LexRange>,
        purpose: Purpose,
    ) -> Result<Option<Vec<Vec<Vec<u8>>>>, CacheError> {
        let complete_mark = self.complete_mark(purpose).await?;
        self.script(purpose, &lua::RANGE, |call| {
            call.key(self.bucket(bucket));
            call.arg(&complete_mark[..]).arg(PAGE);
            for range in ranges {
                call.arg(&range.from[..]).arg(&range.to[..]);
            }
        })
        .await
    }

    /// Remove keys of one set and their members, and count the values for their targets.
    async fn remove_found(
        self: &Arc<Self>,
        bucket: usize,
        found: &[(usize, &[u8])],
        members: &[&[u8]],
        purpose: Purpose,
        counts: &Counts,
    ) -> Result<(), CacheError> {
        let keys: Vec<&[u8]> = found.iter().map(|(_, key)| *key).collect();
        let removed = self.remove_each(bucket, &keys, members, purpose).await?;
        for ((number, _), removed) in found.iter().zip(removed) {
            counts.add(*number, removed);
        }
        Ok(())
    }

    /// Remove keys and their members. Return 1 for each key that held a value, otherwise 0.
    async fn remove_each(
        self: &Arc<Self>,
        bucket: usize,
        keys: &[&[u8]],
        members: &[&[u8]],
        purpose: Purpose,
    ) -> Result<Vec<u64>, CacheError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self.index.layout {
            Layout::SameNode => {
                self.script(purpose, &lua::DELETE, |call| {
                    call.key(self.bucket(bucket));
                    for key in keys {
                        let member = Layout::SameNode.member(key, Token::default());
                        call.key(self.full_key_bytes(key)).arg(member);
                    }
                })
                .await
            }
            Layout::Split => self.remove_split(bucket, keys, members, purpose).await,
        }
    }
}

/// Divide the targets among the index sets. Sets without any part are left out.
fn divide(targets: &[Target], layout: Layout) -> Vec<(usize, InSet<'_>)> {
    let mut sets: [InSet<'_>; BUCKETS] = Default::default();
    let add_ranges = |sets: &mut [InSet<'_>; BUCKETS], pattern: &Pattern, number| {
        for range in ranges(pattern, layout) {
            sets[range.bucket].ranges.push((number, range));
        }
    };
    for (number, target) in targets.iter().enumerate() {
        match target {
            Target::Key(key) => {
                let key = key.as_bytes();
                sets[bucket_of(key)].keys.push((number, key));
            }
            Target::Pattern(pattern) => add_ranges(&mut sets, pattern, number),
            // There the owner is the hash tag, so the patterns cover no other owner's entries, and
            // the account may have been lost unnoticed.
            Target::Owner(_, patterns) if layout == Layout::Split => {
                for pattern in patterns.iter() {
                    add_ranges(&mut sets, pattern, number);
                }
            }
            Target::Owner(..) => {}
        }
    }
    let parts = sets.into_iter().enumerate();
    parts
        .filter(|(_, part)| !part.keys.is_empty() || !part.ranges.is_empty())
        .collect()
}
