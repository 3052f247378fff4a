//! Entries with everything that is known of them.

use std::ops::ControlFlow;

use super::{StoreShard, key_at};
use crate::clock::Moment;
use crate::pattern::{Pattern, Span};
use crate::store::listing::{Branch, Level, Page, after_branch, branch_of};
use crate::store::memory::inspect::Inspected;
use crate::store::memory::key::AnyKey;

impl StoreShard {
    /// Return the entry, fresh or stale, without marking it as read.
    pub(in crate::store::memory) fn inspect(
        &self,
        wanted: &AnyKey<'_>,
        now: Moment,
    ) -> Option<Inspected> {
        self.inspect_at(self.find(wanted)?, now)
    }

    fn inspect_at(&self, number: u32, now: Moment) -> Option<Inspected> {
        let (slot, cold) = (self.at(number)?, self.cold.get(number as usize)?);
        (cold.expires > now).then(|| Inspected::new(slot, cold))
    }

    /// Append the entries that the pattern matches, until there are `limit`. `spans` must cover all
    /// of them.
    pub(in crate::store::memory) fn list(
        &mut self,
        pattern: &Pattern,
        spans: &[Span],
        now: Moment,
        limit: usize,
        found: &mut Vec<Inspected>,
    ) {
        self.index_all();
        let slots = &self.slots;
        let key_at = |number| key_at(slots, number);
        self.index.visit_spans(spans, key_at, |number| {
            if found.len() < limit && pattern.matches(key_at(number)) {
                found.extend(self.inspect_at(number, now));
            }
        });
    }

    /// Return entries that the pattern matches, in the order of their keys, from this one on: at most
    /// `limit`, and of at most `looked` keys.
    pub(in crate::store::memory) fn page(
        &mut self,
        pattern: &Pattern,
        from: &[u8],
        now: Moment,
        limit: usize,
        looked: usize,
    ) -> Page<Inspected> {
        self.index_all();
        let slots = &self.slots;
        let key_at = |number| key_at(slots, number);
        let mut page = Page {
            entries: Vec::new(),
            next: None,
        };
        let mut left = looked;
        for span in pattern.spans() {
            let (Span::Exact(start) | Span::Prefix(start)) = &span;
            let from = from.max(start);
            self.index.visit_from(from, key_at, |number| {
                let key = key_at(number);
                let is_within = match &span {
                    Span::Exact(exact) => key == exact,
                    Span::Prefix(prefix) => key.starts_with(prefix),
                };
                if !is_within {
                    return ControlFlow::Break(());
                }
                if page.entries.len() == limit || left == 0 {
                    page.next = Some(key.to_vec());
                    return ControlFlow::Break(());
                }
                left -= 1;
                if pattern.matches(key) {
                    page.entries.extend(self.inspect_at(number, now));
                }
                ControlFlow::Continue(())
            });
            if page.next.is_some() {
                break;
            }
        }
        page
    }

    /// Return the entries and branches directly below a prefix, in the order of their keys, from this
    /// one on: at most `limit` of each. Of each branch, at most `counted` entries are counted.
    pub(in crate::store::memory) fn level(
        &mut self,
        prefix: &[u8],
        from: &[u8],
        now: Moment,
        limit: usize,
        counted: u64,
    ) -> Level<Inspected> {
        self.index_all();
        let slots = &self.slots;
        let key_at = |number| key_at(slots, number);
        let mut level = Level {
            branches: Vec::<Branch>::new(),
            entries: Vec::new(),
            next: None,
        };
        let mut from = Some(from.max(prefix).to_vec());
        // Each turn ends at a branch that isn't counted to its end, and goes on after it.
        while let Some(start) = from.take() {
            self.index.visit_from(&start, key_at, |number| {
                let key = key_at(number);
                if !key.starts_with(prefix) {
                    return ControlFlow::Break(());
                }
                let branch = branch_of(key, prefix);
                if let (Some(branch), Some(last)) = (branch, level.branches.last_mut())
                    && last.prefix == branch
                {
                    if last.entries >= counted {
                        last.more = true;
                        from = Some(after_branch(branch));
                        return ControlFlow::Break(());
                    }
                    last.entries += 1;
                    return ControlFlow::Continue(());
                }
                if level.branches.len().max(level.entries.len()) == limit {
                    level.next = Some(branch.unwrap_or(key).to_vec());
                    return ControlFlow::Break(());
                }
                match branch {
                    Some(branch) => level.branches.push(Branch {
                        prefix: branch.to_vec(),
                        entries: 1,
                        more: false,
                    }),
                    None => level.entries.extend(self.inspect_at(number, now)),
                }
                ControlFlow::Continue(())
            });
        }
        level
    }
}
