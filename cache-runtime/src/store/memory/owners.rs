//! Storing and removing the entries of owners.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::accounts::{AccountTable, Owned, Record};
use super::slot::cost_besides;
use super::{Entry, Insertion, MemoryStore, write};
use crate::clock::Moment;

impl MemoryStore {
    /// Store an owner's entry in place of any other of its key. While the owner's entries take more
    /// than `capacity` bytes, the oldest one leaves.
    pub(crate) fn insert_owned(
        &self,
        key: &str,
        mut entry: Entry,
        owner: &Arc<str>,
        capacity: Option<usize>,
        now: Moment,
    ) -> Insertion {
        let bytes = entry.bytes + cost_besides(key.len());
        let room = capacity.unwrap_or(usize::MAX);
        let wanted = self.seek(key);
        let mut removed = Vec::new();
        let mut accounts = self.owners.lock(owner);
        let account = accounts.entry(Arc::clone(owner)).or_default();
        // The entry that this one replaces.
        if let Some(number) = account.by_key.get(key).copied() {
            account.remove(number);
        }
        account.drop_expired(now);
        while account.bytes.saturating_add(bytes) > room {
            let Some(oldest) = account.oldest() else {
                break;
            };
            if let Some(record) = account.remove(oldest) {
                removed.extend(self.take_owned(&record.key, oldest));
            }
        }
        let number = self.owners.next.fetch_add(1, Ordering::Relaxed);
        let fits = bytes <= room;
        if fits {
            let record = Record {
                key: key.into(),
                bytes,
                expires: entry.expires,
            };
            account.add(number, record);
            entry.owned = Some(Box::new(Owned {
                owners: Arc::clone(&self.owners),
                owner: Arc::clone(owner),
                number,
            }));
        }
        let mut shard = write(self.shard(&wanted));
        let stored = match fits {
            true => shard.insert(&wanted, key, entry, now, &mut removed),
            false => {
                removed.extend(shard.remove(&wanted));
                removed.push(entry);
                false
            }
        };
        drop(shard);
        if !stored {
            account.remove(number);
        }
        AccountTable::drop_empty(&mut accounts, owner);
        Insertion {
            stored,
            _removed: removed,
        }
    }

    /// Remove all entries of an owner, and count the unexpired ones.
    pub(crate) fn remove_owned(&self, owner: &str, now: Moment) -> u64 {
        let mut removed = Vec::new();
        let mut accounts = self.owners.lock(owner);
        let account = accounts.remove(owner).unwrap_or_default();
        for (number, record) in account.records {
            removed.extend(self.take_owned(&record.key, number));
        }
        // An entry's drop takes the lock.
        drop(accounts);
        removed.iter().filter(|entry| entry.expires > now).count() as u64
    }

    /// Return the number of an owner's unexpired entries, and their bytes.
    pub(crate) fn owned_size(&self, owner: &str, now: Moment) -> (u64, u64) {
        let mut accounts = self.owners.lock(owner);
        let Some(account) = accounts.get_mut(owner) else {
            return (0, 0);
        };
        account.drop_expired(now);
        let size = (account.records.len() as u64, account.bytes as u64);
        AccountTable::drop_empty(&mut accounts, owner);
        size
    }

    /// Remove an entry, unless another one has taken its place.
    fn take_owned(&self, key: &str, number: u64) -> Option<Entry> {
        let wanted = self.seek(key);
        write(self.shard(&wanted)).remove_owned(&wanted, number)
    }
}
