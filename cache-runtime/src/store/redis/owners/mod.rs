//! The owners of entries in Redis.
//!
//! An owner's account names its keys, values and leases, with the bytes of each value. It is changed
//! in the script that changes the entry, so it is exact at every moment, but for entries that the
//! server evicts. A value ends with its owner's text, so the script that deletes a value finds its
//! account. A lease enters the account before anything is computed, as it enters the index: an
//! invalidation of the owner voids it.
//!
//! An account can be lost, by eviction for instance. A directory lists the owners with accounts, and
//! until when each has keys, so a loss is noticed. Its mark says that every account is complete; it
//! goes when a loss is noticed, and returns after a scan. A fill whose lease isn't in the account is
//! refused, since an invalidation may have missed it.
//!
//! In a cluster, entries and account are on the node of the hash tag, which is the owner. There is
//! no directory: an owner's entries are found by the patterns of this program's functions as well.

mod calls;
mod rebuild;
mod remove;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use calls::OwnerInRedis;

use crate::store::redis::client::{Client, millis};
use crate::store::redis::index::Layout;

impl Client {
    /// Return the key of a part of an owner's account, or of its calls.
    pub(crate) fn of_owner(&self, owner: &str, part: &str) -> String {
        format!("{}#owner:{{{owner}}}:{part}", self.prefix)
    }

    /// Return the key of the directory of owners. Empty in a cluster, which has none.
    fn directory(&self) -> String {
        match self.index.layout {
            Layout::SameNode => format!("{}#owners", self.prefix),
            Layout::Split => String::new(),
        }
    }

    /// Return the last four arguments of a fill: owner, capacity, the time that the account is
    /// needed, directory. A lease is renewed for `wait_timeout` at most.
    pub(crate) fn fill_arguments(&self, owner: Option<&str>) -> [String; 4] {
        let Some(owner) = owner else {
            return ["", "-1", "0", ""].map(str::to_owned);
        };
        let capacity = self.limits.owner_capacity;
        let lasts = self.limits.wait_timeout + 2 * self.limits.lease_ttl + Duration::from_secs(1);
        [
            owner.to_owned(),
            capacity.map_or_else(|| "-1".to_owned(), |capacity| capacity.to_string()),
            millis(lasts).to_string(),
            self.directory(),
        ]
    }

    /// Act on the answer of a fill: rebuild an incomplete directory.
    pub(crate) fn note_directory(self: &Arc<Self>, answer: i64) {
        if answer == 2 {
            self.rebuild_directory_soon();
        }
    }
}
