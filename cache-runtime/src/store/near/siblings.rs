//! The near caches of this process.
//!
//! A process may have several caches of one prefix on one Redis. What one of them changes the others would hear from Redis, some
//! time after the change has returned; and a process must not read what it has invalidated itself. So each change voids in all
//! of them. One of the same prefix on another Redis loses an entry that it could have kept, and no more.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::NearStore;

static ALL: RwLock<Vec<(Box<str>, Weak<NearStore>)>> = RwLock::new(Vec::new());

/// Makes a near cache known to the others.
pub(crate) fn enlist(prefix: &str, near: &Arc<NearStore>) {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, near)| near.strong_count() > 0);
    all.push((prefix.into(), Arc::downgrade(near)));
}

/// Those of a prefix. Where there are none, and that is most often, nothing is allocated.
pub(crate) fn of_prefix(prefix: &str) -> Vec<Arc<NearStore>> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.iter()
        .filter(|(other, _)| **other == *prefix)
        .filter_map(|(_, near)| near.upgrade())
        .collect()
}
