//! The watchers of a memory store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::{ChangeKind, Feed};

/// The watchers of a memory store. Without one, a change costs one relaxed load.
#[derive(Default)]
pub(crate) struct Watchers {
    any: AtomicBool,
    feeds: Mutex<Vec<Weak<Feed>>>,
}

impl Watchers {
    /// Whether there may be watchers. One that is added meanwhile isn't told of this change: its
    /// watch hasn't begun.
    #[inline(always)]
    pub(crate) fn are_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, feed: &Arc<Feed>) {
        let mut feeds = self.feeds();
        feeds.push(Arc::downgrade(feed));
        self.any.store(true, Ordering::Relaxed);
    }

    /// Tell of an entry. May be called under the store's locks.
    #[cold]
    pub(crate) fn tell(
        &self,
        key: &[u8],
        kind: ChangeKind,
        bytes: Option<u64>,
        ttl: Option<Duration>,
    ) {
        let mut feeds = self.feeds();
        feeds.retain(|feed| match feed.upgrade() {
            Some(feed) => {
                feed.tell(key, kind, bytes, ttl);
                true
            }
            None => false,
        });
        if feeds.is_empty() {
            self.any.store(false, Ordering::Relaxed);
        }
    }

    fn feeds(&self) -> MutexGuard<'_, Vec<Weak<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        let feeds = std::mem::take(&mut *self.feeds());
        for feed in feeds.iter().filter_map(Weak::upgrade) {
            feed.end();
        }
    }
}
