//! Doubly linked lists over the numbers of entries.

use crate::store::memory::growth::make_room;

pub(super) const NONE: u32 = u32::MAX;
const NOWHERE: u16 = u16::MAX;

/// Lists that share one array of links, so an entry is in one of them at most.
pub(super) struct Lists {
    ends: Box<[Ends]>,
    links: Vec<Link>,
}

#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
    list: u16,
}

const EMPTY: Ends = Ends {
    first: NONE,
    last: NONE,
};
const UNLINKED: Link = Link {
    before: NONE,
    after: NONE,
    list: NOWHERE,
};

impl Lists {
    pub(super) fn new(count: usize) -> Self {
        Self {
            ends: vec![EMPTY; count].into(),
            links: Vec::new(),
        }
    }

    pub(super) fn first(&self, list: usize) -> Option<u32> {
        let first = self.ends[list].first;
        (first != NONE).then_some(first)
    }

    /// Return the list that contains the entry.
    pub(super) fn of(&self, number: u32) -> Option<usize> {
        let list = self.links.get(number as usize)?.list;
        (list != NOWHERE).then_some(list.into())
    }

    /// Append an entry that is in no list.
    pub(super) fn push(&mut self, list: usize, number: u32) {
        if self.links.len() <= number as usize {
            let more = number as usize + 1 - self.links.len();
            make_room(&mut self.links, more);
            self.links.resize(number as usize + 1, UNLINKED);
        }
        let before = std::mem::replace(&mut self.ends[list].last, number);
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = number,
            None => self.ends[list].first = number,
        }
        self.links[number as usize] = Link {
            before,
            after: NONE,
            list: list as u16,
        };
    }

    /// Remove an entry. Return the list that contained it.
    pub(super) fn remove(&mut self, number: u32) -> Option<usize> {
        let list = self.of(number)?;
        let Link { before, after, .. } =
            std::mem::replace(&mut self.links[number as usize], UNLINKED);
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => self.ends[list].first = after,
        }
        match self.links.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => self.ends[list].last = before,
        }
        Some(list)
    }

    /// Return the entries of a list in order.
    #[cfg(test)]
    pub(super) fn iter(&self, list: usize) -> impl Iterator<Item = u32> {
        let after = |number: &u32| Some(self.links[*number as usize].after);
        std::iter::successors(self.first(list), move |number| {
            after(number).filter(|after| *after != NONE)
        })
    }
}
