//! Pages of the index: matches of a pattern, and levels of the tree that keys form.

use std::sync::Arc;

use super::ranges::{LexRange, ranges, ranges_of};
use super::{Layout, PAGE};
use crate::error::CacheError;
use crate::pattern::{Pattern, Span};
use crate::store::listing::{Branch, Level, Page, after, after_branch, branch_of};
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::index::list::EntryFacts;
use crate::store::redis::purpose::Purpose;
use crate::store::redis::times::Operation;

/// Number of members that one call looks at, or a little more: a pattern may match few of many.
const LOOKED: usize = 10_000;
/// Number of keys that one script looks up.
const FACTS: usize = 100;

/// A position in the index: a set, and the least member that is still to be read.
#[derive(Clone, Debug, PartialEq)]
struct Position {
    bucket: u8,
    member: Vec<u8>,
}

impl Position {
    fn new(bucket: usize, member: Vec<u8>) -> Self {
        Self {
            bucket: bucket as u8,
            member,
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (bucket, member) = bytes.split_first()?;
        Some(Self {
            bucket: *bucket,
            member: member.to_vec(),
        })
    }

    fn into_bytes(self) -> Vec<u8> {
        [&[self.bucket], &self.member[..]].concat()
    }

    /// Return what is left of a range from here on; `None` if the range is before.
    fn rest_of(&self, mut range: LexRange) -> Option<LexRange> {
        let here = usize::from(self.bucket);
        if range.bucket == here && (range.from == b"-" || range.from[1..] < self.member[..]) {
            range.from = at(&self.member);
        }
        (range.bucket >= here).then_some(range)
    }
}

/// Return the bound that includes this member.
fn at(member: &[u8]) -> Vec<u8> {
    [b"[", member].concat()
}

/// A row of a level.
struct Row {
    /// The first member.
    start: Vec<u8>,
    kind: Kind,
}

enum Kind {
    Entry(Vec<u8>),
    Branch(Branch),
}

impl RedisStore {
    /// Return entries that the pattern matches, at most `limit`, from a position on.
    pub(crate) async fn page(
        &self,
        pattern: Pattern,
        from: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<EntryFacts>, CacheError> {
        self.run(Operation::Other, move |client| async move {
            let from = from.as_deref().and_then(Position::read);
            let read = || client.page_of_index(&pattern, from.as_ref(), limit);
            client.with_index(read).await
        })
        .await
    }

    /// Return the entries and branches directly below a prefix, at most `limit` of both, from a
    /// position on.
    pub(crate) async fn level(
        &self,
        prefix: Vec<u8>,
        from: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Level<EntryFacts>, CacheError> {
        self.run(Operation::Other, move |client| async move {
            let from = from.as_deref().and_then(Position::read);
            let read = || client.level_of_index(&prefix, from.as_ref(), limit);
            client.with_index(read).await
        })
        .await
    }
}

impl Client {
    /// Return `None` if a set is incomplete.
    async fn page_of_index(
        self: &Arc<Self>,
        pattern: &Pattern,
        from: Option<&Position>,
        limit: usize,
    ) -> Result<Option<Page<EntryFacts>>, CacheError> {
        let layout = self.index.layout;
        let mut entries: Vec<EntryFacts> = Vec::new();
        let mut looked = 0;
        for mut range in rest_of(ranges(pattern, layout), from) {
            loop {
                let Some(members) = self.members(&range).await? else {
                    return Ok(None);
                };
                let mut matches = matches(&members, layout, |key| pattern.matches(key));
                // The members of a key may go on in the next page.
                matches.retain(|(key, _)| !is_last(&entries, key));
                let mut left = &matches[..];
                while !left.is_empty() {
                    let some = left.len().min(FACTS).min(limit - entries.len());
                    let (now, later) = left.split_at(some);
                    let keys: Vec<&[u8]> = now.iter().map(|(key, _)| *key).collect();
                    // Members outlive their entries for a while, so there may be fewer entries.
                    entries.extend(self.facts(&keys).await?);
                    left = later;
                    if entries.len() >= limit {
                        let last = now.last().map_or(&[][..], |(_, member)| member);
                        let next = Position::new(range.bucket, after(last)).into_bytes();
                        let next = Some(next);
                        return Ok(Some(Page { entries, next }));
                    }
                }
                looked += members.len();
                let Some(end) = members.last().filter(|_| members.len() >= PAGE) else {
                    break;
                };
                if looked >= LOOKED {
                    let next = Some(Position::new(range.bucket, after(end)).into_bytes());
                    return Ok(Some(Page { entries, next }));
                }
                range.from = at(&after(end));
            }
        }
        let next = None;
        Ok(Some(Page { entries, next }))
    }

    /// Return `None` if a set is incomplete.
    async fn level_of_index(
        self: &Arc<Self>,
        prefix: &[u8],
        from: Option<&Position>,
        limit: usize,
    ) -> Result<Option<Level<EntryFacts>>, CacheError> {
        let layout = self.index.layout;
        let mut level = Level {
            branches: Vec::new(),
            entries: Vec::new(),
            next: None,
        };
        let mut looked = 0;
        let spans = [Span::Prefix(prefix.to_vec())];
        for mut range in rest_of(ranges_of(spans, layout), from) {
            loop {
                let left = limit.saturating_sub(level.branches.len() + level.entries.len());
                if left == 0 || looked >= LOOKED.max(limit * PAGE) {
                    let member = range.from.split_off(1);
                    level.next = Some(Position::new(range.bucket, member).into_bytes());
                    return Ok(Some(level));
                }
                let Some(members) = self.members(&range).await? else {
                    return Ok(None);
                };
                looked += members.len();
                let mut rows = rows(&members, layout, prefix);
                let is_cut_off = members.len() >= PAGE;
                let mut next = members.last().filter(|_| is_cut_off).map(|end| after(end));
                // A branch that goes on: count it from its start, unless it fills a page.
                let has_one = rows.len() == 1;
                if is_cut_off
                    && let Some(Row { start, kind }) = rows.last_mut()
                    && let Kind::Branch(branch) = kind
                {
                    branch.more = has_one;
                    next = Some(match has_one {
                        true => layout.start(&after_branch(&branch.prefix)),
                        false => start.clone(),
                    });
                    if !has_one {
                        rows.pop();
                    }
                }
                if let Some(first) = rows.get(left) {
                    next = Some(first.start.clone());
                    rows.truncate(left);
                }
                self.add(rows, &mut level).await?;
                match next {
                    Some(next) => range.from = at(&next),
                    None => break,
                }
            }
        }
        Ok(Some(level))
    }

    /// Add rows to a level, without the keys whose entries are gone.
    async fn add(
        self: &Arc<Self>,
        rows: Vec<Row>,
        level: &mut Level<EntryFacts>,
    ) -> Result<(), CacheError> {
        let mut keys = Vec::new();
        for row in rows {
            match row.kind {
                Kind::Entry(key) => keys.push(key),
                Kind::Branch(branch) => level.branches.push(branch),
            }
        }
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        for some in keys.chunks(FACTS) {
            level.entries.extend(self.facts(some).await?);
        }
        Ok(())
    }

    /// Return the first members of a range; `None` if the set is incomplete.
    async fn members(
        self: &Arc<Self>,
        range: &LexRange,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        let pages = self
            .page(range.bucket, std::iter::once(range), Purpose::Call)
            .await?;
        Ok(pages.map(|pages| pages.into_iter().next().unwrap_or_default()))
    }
}

fn rest_of(ranges: Vec<LexRange>, from: Option<&Position>) -> impl Iterator<Item = LexRange> {
    let rest = move |range| match from {
        Some(from) => from.rest_of(range),
        None => Some(range),
    };
    ranges.into_iter().filter_map(rest)
}

/// Return the keys for which `is_match`, each with its last member.
fn matches(
    members: &[Vec<u8>],
    layout: Layout,
    is_match: impl Fn(&[u8]) -> bool,
) -> Vec<(&[u8], &[u8])> {
    let mut matches: Vec<(&[u8], &[u8])> = Vec::new();
    for member in members {
        let Some(key) = layout.key_of(member).filter(|key| is_match(key)) else {
            continue;
        };
        match matches.last_mut() {
            // Members are sorted, so several members of one key are adjacent.
            Some((last, end)) if *last == key => *end = member,
            _ => matches.push((key, member)),
        }
    }
    matches
}

fn is_last(entries: &[EntryFacts], key: &[u8]) -> bool {
    entries
        .last()
        .is_some_and(|last| last.key.as_bytes() == key)
}

/// Divide members into the rows of a level.
fn rows(members: &[Vec<u8>], layout: Layout, prefix: &[u8]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (key, member) in matches(members, layout, |key| key.starts_with(prefix)) {
        let branch = branch_of(key, prefix);
        if let (Some(branch), Some(Row { kind, .. })) = (branch, rows.last_mut())
            && let Kind::Branch(last) = kind
            && last.prefix == branch
        {
            last.entries += 1;
            continue;
        }
        let (start, kind) = match branch {
            Some(branch) => {
                let start = layout.start(branch);
                let branch = Branch {
                    prefix: branch.to_vec(),
                    entries: 1,
                    more: false,
                };
                (start, Kind::Branch(branch))
            }
            None => (member.to_vec(), Kind::Entry(key.to_vec())),
        };
        rows.push(Row { start, kind });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::index::bucket_of;

    #[test]
    fn a_position_cuts_off_what_is_before() {
        let bucket = bucket_of(b"posts");
        let ranges = |pattern: &str, from: &[u8]| {
            let from = Position::new(bucket, from.to_vec());
            let from = Position::read(&from.into_bytes()).expect("it was written");
            let ranges = ranges(&Pattern::new(pattern), Layout::SameNode);
            rest_of(ranges, Some(&from)).collect::<Vec<_>>()
        };
        let all = ranges("*", b"posts:7");
        assert_eq!(all.len(), super::super::BUCKETS - bucket);
        assert_eq!(all[0].from, b"[posts:7");
        assert!(all[1..].iter().all(|range| range.from == b"-"));
        let three = ranges("posts:4:*", b"posts:4:x");
        let starts = three.iter().map(|range| &range.from[..]);
        assert!(starts.eq([b"[posts:4:x"; 3]), "the first two are empty");
        let three = ranges("posts:4:*", b"posts:");
        assert_eq!(three[0].from, b"[posts:4", "not before the range");
        assert_eq!(Position::read(b""), None);
    }

    #[test]
    fn rows_are_entries_and_counted_branches() {
        let keys = [
            "posts:1",
            "posts:1#v",
            "posts:1:a",
            "posts:1:b#v",
            "posts:2",
        ];
        for layout in [Layout::SameNode, Layout::Split] {
            // In a cluster a key may have two members.
            let members = keys.iter().flat_map(|key| {
                let tokens: &[u64] = if layout == Layout::Split {
                    &[1, 2]
                } else {
                    &[1]
                };
                tokens
                    .iter()
                    .map(|token| layout.member(key.as_bytes(), token.to_be_bytes()))
            });
            let members: Vec<Vec<u8>> = members.collect();
            let rows = rows(&members, layout, b"posts:");
            let shown: Vec<String> = rows
                .iter()
                .map(|row| match &row.kind {
                    Kind::Entry(key) => String::from_utf8_lossy(key).into_owned(),
                    Kind::Branch(branch) => {
                        format!(
                            "{} {}",
                            String::from_utf8_lossy(&branch.prefix),
                            branch.entries
                        )
                    }
                })
                .collect();
            assert_eq!(shown, ["posts:1", "posts:1#v", "posts:1: 2", "posts:2"]);
        }
    }
}
