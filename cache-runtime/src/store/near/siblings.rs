//! The near caches of this process.
//!
//! A process may have several caches of one prefix on one Redis. The others would learn of a change
//! from Redis only some time after the change has returned, but a process must not read a value
//! that it has invalidated itself. So each change voids in all of them. A cache of the same prefix
//! on another Redis merely loses an entry that it could have kept.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::NearCache;

static ALL: RwLock<Vec<(Box<str>, Weak<NearCache>)>> = RwLock::new(Vec::new());

/// Make a near cache known to the others.
pub(crate) fn register(prefix: &str, near: &Arc<NearCache>) {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, near)| near.strong_count() > 0);
    all.push((prefix.into(), Arc::downgrade(near)));
}

/// Return the near caches of a prefix. Allocates nothing if there are none, the most common case.
pub(crate) fn of_prefix(prefix: &str) -> Vec<Arc<NearCache>> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.iter()
        .filter(|(other, _)| **other == *prefix)
        .filter_map(|(_, near)| near.upgrade())
        .collect()
}
