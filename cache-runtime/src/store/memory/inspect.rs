//! Entries with everything that is known of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::slot::{ColdSlot, Slot};
use super::{MemoryStore, write};
use crate::clock::Moment;
use crate::entry::payload::Payload;
use crate::pattern::Pattern;
use crate::store::listing::{Branch, Level, Page};

/// An entry, and what is known of it.
pub(crate) struct Inspected {
    pub(crate) key: String,
    pub(crate) payload: Payload,
    pub(crate) version: u32,
    pub(crate) fresh_until: Moment,
    pub(crate) expires: Moment,
    pub(crate) stored: Moment,
    pub(crate) compute: Duration,
    pub(crate) bytes: usize,
    pub(crate) owner: Option<Arc<str>>,
}

impl Inspected {
    pub(super) fn new(slot: &Slot, cold: &ColdSlot) -> Self {
        Self {
            key: String::from_utf8_lossy(slot.key.as_bytes()).into_owned(),
            payload: slot.payload.clone(),
            version: slot.version,
            fresh_until: slot.fresh_until,
            expires: cold.expires,
            stored: cold.stored,
            compute: cold.compute(),
            bytes: cold.bytes(slot.key.len()),
            owner: cold.owned().map(|owned| Arc::clone(&owned.owner)),
        }
    }
}

impl MemoryStore {
    /// Return an entry that hasn't expired, fresh or stale. Doesn't count as a read, so it doesn't
    /// keep the entry from being evicted.
    pub(crate) fn inspect(&self, key: &str, now: Moment) -> Option<Inspected> {
        let wanted = self.seek(key);
        super::read(self.shard(&wanted)).inspect(&wanted, now)
    }

    /// Return `limit` of the entries that the pattern matches and that haven't expired.
    pub(crate) fn list(&self, pattern: &Pattern, limit: usize, now: Moment) -> Vec<Inspected> {
        let spans = pattern.spans();
        let mut found = Vec::new();
        for shard in &self.shards {
            write(shard).list(pattern, &spans, now, limit, &mut found);
        }
        found
    }

    /// Return entries that the pattern matches, in the order of their keys, from this one on, at most
    /// `limit`.
    pub(crate) fn page(
        &self,
        pattern: &Pattern,
        from: &[u8],
        limit: usize,
        now: Moment,
    ) -> Page<Inspected> {
        let mut found = BTreeMap::new();
        // Before it, all shards have been read.
        let mut next: Option<Vec<u8>> = None;
        for shard in &self.shards {
            let part = write(shard).page(pattern, from, now, limit, LOOKED);
            next = earlier(next, part.next);
            let entries = part.entries.into_iter();
            found.extend(entries.map(|entry| (entry.key.clone().into_bytes(), entry)));
        }
        if let Some((first, _)) = found.iter().nth(limit) {
            next = earlier(next, Some(first.clone()));
        }
        found.retain(|key, _| next.as_ref().is_none_or(|next| key < next));
        Page {
            entries: found.into_values().collect(),
            next,
        }
    }

    /// Return the entries and branches directly below a prefix, in the order of their keys, from this
    /// one on, at most `limit` of both.
    pub(crate) fn level(
        &self,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
        now: Moment,
    ) -> Level<Inspected> {
        let mut rows: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
        // Before it, all shards have been read.
        let mut next: Option<Vec<u8>> = None;
        for shard in &self.shards {
            let part = write(shard).level(prefix, from, now, limit, COUNTED);
            next = earlier(next, part.next);
            for entry in part.entries {
                rows.insert(entry.key.clone().into_bytes(), Row::Entry(entry));
            }
            for branch in part.branches {
                match rows.get_mut(&branch.prefix) {
                    Some(Row::Branch(sum)) => {
                        sum.entries += branch.entries;
                        sum.more |= branch.more;
                    }
                    _ => {
                        rows.insert(branch.prefix.clone(), Row::Branch(branch));
                    }
                }
            }
        }
        if let Some((first, _)) = rows.iter().nth(limit) {
            next = earlier(next, Some(first.clone()));
        }
        rows.retain(|key, _| next.as_ref().is_none_or(|next| key < next));
        let mut level = Level {
            branches: Vec::new(),
            entries: Vec::new(),
            next,
        };
        for row in rows.into_values() {
            match row {
                Row::Entry(entry) => level.entries.push(entry),
                Row::Branch(branch) => level.branches.push(branch),
            }
        }
        level
    }
}

/// Number of keys of one shard that a page looks at, so that it doesn't hold the lock for longer than
/// a millisecond or two.
const LOOKED: usize = 10_000;
/// Number of entries of one branch that are counted in a shard.
const COUNTED: u64 = 64;

/// A row of a level.
enum Row {
    Entry(Inspected),
    Branch(Branch),
}

/// Return the earlier of two ends; `None` is after everything.
fn earlier(one: Option<Vec<u8>>, other: Option<Vec<u8>>) -> Option<Vec<u8>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
