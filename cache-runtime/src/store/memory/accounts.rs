//! The owners of entries in memory, and how many bytes each owner's entries take.
//!
//! An account is changed under its lock, and the store under the locks of its shards, which are
//! taken after it. An entry that leaves the store by another way than its account, such as an
//! invalidation, tells its account when it is dropped, and no lock is held then. So an account
//! counts an entry at least as long as the store holds it, and its bytes are never too few.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};

use crate::clock::Moment;
use crate::sync::{Mutex, MutexGuard, RandomState};

/// Number of locks. AccountTable share one by their hash.
const SHARDS: usize = 16;

pub(super) type Accounts = HashMap<Arc<str>, Account>;

/// The accounts of all owners that have entries.
#[derive(Default)]
pub(super) struct AccountTable {
    shards: [Mutex<Accounts>; SHARDS],
    hasher: RandomState,
    /// The next entry's number. A later entry has a larger one.
    pub(super) next: AtomicU64,
}

/// The entries of one owner.
#[derive(Default)]
pub(super) struct Account {
    pub(super) bytes: usize,
    pub(super) by_key: HashMap<Arc<str>, u64>,
    /// The entries by their numbers, the oldest first.
    pub(super) records: BTreeMap<u64, Record>,
    by_expiry: BTreeSet<(Moment, u64)>,
}

pub(super) struct Record {
    pub(super) key: Arc<str>,
    pub(super) bytes: usize,
    pub(super) expires: Moment,
}

/// Membership of an entry in its owner's account. Dropping it, with the entry, removes the record.
pub(crate) struct Owned {
    pub(super) owners: Arc<AccountTable>,
    pub(super) owner: Arc<str>,
    pub(super) number: u64,
}

impl Drop for Owned {
    fn drop(&mut self) {
        let mut accounts = self.owners.lock(&self.owner);
        if let Some(account) = accounts.get_mut(&self.owner) {
            account.remove(self.number);
            AccountTable::drop_empty(&mut accounts, &self.owner);
        }
    }
}

impl AccountTable {
    pub(super) fn lock(&self, owner: &str) -> MutexGuard<'_, Accounts> {
        let shard = self.hasher.hash_one(owner) as usize % SHARDS;
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn drop_empty(accounts: &mut Accounts, owner: &str) {
        if accounts
            .get(owner)
            .is_some_and(|account| account.records.is_empty())
        {
            accounts.remove(owner);
        }
    }
}

impl Account {
    pub(super) fn add(&mut self, number: u64, record: Record) {
        self.bytes += record.bytes;
        self.by_key.insert(Arc::clone(&record.key), number);
        self.by_expiry.insert((record.expires, number));
        self.records.insert(number, record);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Record> {
        let record = self.records.remove(&number)?;
        self.bytes -= record.bytes;
        self.by_expiry.remove(&(record.expires, number));
        if self.by_key.get(&record.key) == Some(&number) {
            self.by_key.remove(&record.key);
        }
        Some(record)
    }

    /// Forget expired entries, which the store removes in time.
    pub(super) fn drop_expired(&mut self, now: Moment) {
        while let Some(&(expires, number)) = self.by_expiry.first()
            && expires <= now
        {
            self.remove(number);
        }
    }

    pub(super) fn oldest(&self) -> Option<u64> {
        self.records.first_key_value().map(|(number, _)| *number)
    }
}
