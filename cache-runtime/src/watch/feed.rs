//! The way of changes from the store to one watcher: a bounded queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Change, ChangeKind};
use crate::key::path_of;
use crate::pattern::Pattern;
use crate::runtime;

/// Number of changes that wait for the watcher.
const CAPACITY: usize = 4096;

/// The queue of one watcher.
///
/// The memory store tells of a change under its locks, so that changes of one key are told in their
/// order. No foreign code may run there. So a watcher that waits is woken by the cache's own thread.
pub(crate) struct Feed {
    prefix: String,
    pub(crate) pattern: Pattern,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    changes: VecDeque<Change>,
    waker: Option<Waker>,
    /// Whether a task that wakes the watcher is under way.
    waking: bool,
    /// Whether no further change will come.
    ended: bool,
    abandoned: bool,
}

impl Feed {
    pub(crate) fn new(prefix: &str, pattern: Pattern) -> Self {
        Self {
            prefix: prefix.to_owned(),
            pattern,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tell of an entry, if the pattern matches its key. The key is without prefix.
    pub(crate) fn tell(
        self: &Arc<Self>,
        key: &[u8],
        kind: ChangeKind,
        bytes: Option<u64>,
        ttl: Option<Duration>,
    ) {
        if !self.pattern.matches(key) {
            return;
        }
        let text = String::from_utf8_lossy(key);
        let path = String::from_utf8_lossy(path_of(key)).into_owned();
        self.push(Change {
            key: Some(format!("{}:{text}", self.prefix)),
            path: Some(path),
            bytes,
            ttl,
            ..Change::of_kind(kind)
        });
    }

    /// Tell of what concerns no single entry.
    #[cfg(feature = "redis")]
    pub(crate) fn tell_all(self: &Arc<Self>, kind: ChangeKind, cause: Option<String>) {
        self.push(Change {
            cause,
            ..Change::of_kind(kind)
        });
    }

    /// Tell how many changes weren't told.
    #[cfg(any(test, feature = "redis"))]
    pub(crate) fn tell_lost(self: &Arc<Self>, count: u64) {
        let mut state = self.state();
        state.note_lost(count);
        self.wake_soon(state);
    }

    fn push(self: &Arc<Self>, change: Change) {
        let mut state = self.state();
        // The end and the return of the connection are few, and are always told.
        let matters = matches!(
            change.kind,
            ChangeKind::Interrupted | ChangeKind::Resumed | ChangeKind::Flushed
        );
        let room = if matters { 2 * CAPACITY } else { CAPACITY };
        match state.abandoned {
            true => return,
            false if state.changes.len() < room => state.changes.push_back(change),
            false => state.note_lost(1),
        }
        self.wake_soon(state);
    }

    /// Wake the watcher, if it waits.
    fn wake_soon(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.waker.is_none() || std::mem::replace(&mut state.waking, true) {
            return;
        }
        drop(state);
        let feed = Arc::clone(self);
        let _ = runtime::spawn(async move { feed.wake() });
    }

    fn wake(&self) {
        let mut state = self.state();
        state.waking = false;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Let the watcher's wait end once it has taken all changes.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.wake();
    }

    /// Let go of everything: the watcher is gone.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.abandoned = true;
        let left = (std::mem::take(&mut state.changes), state.waker.take());
        drop(state);
        drop(left);
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        let mut state = self.state();
        if let Some(change) = state.changes.pop_front() {
            return Poll::Ready(Some(change));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            drop(state);
            // Cloning a waker, and dropping one, is foreign code.
            let waker = cx.waker().clone();
            let mut state = self.state();
            let old = state.waker.replace(waker);
            let came = !state.changes.is_empty() || state.ended;
            drop(state);
            drop(old);
            if came {
                return self.poll_next(cx);
            }
        }
        Poll::Pending
    }
}

impl State {
    fn note_lost(&mut self, count: u64) {
        if let Some(last) = self.changes.back_mut()
            && let Some(lost) = &mut last.lost
        {
            *lost += count;
            return;
        }
        self.changes.push_back(Change {
            lost: Some(count),
            ..Change::of_kind(ChangeKind::Lost)
        });
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn taken(feed: &Feed) -> Vec<(ChangeKind, Option<u64>)> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut taken = Vec::new();
        while let Poll::Ready(Some(change)) = feed.poll_next(&mut cx) {
            taken.push((change.kind, change.lost));
        }
        taken
    }

    #[test]
    fn changes_beyond_the_capacity_are_counted_where_they_are_missing() {
        let feed = Arc::new(Feed::new("test", Pattern::new("*")));
        for _ in 0..CAPACITY + 7 {
            feed.tell(b"a", ChangeKind::Filled, None, None);
        }
        feed.tell_lost(3);
        let all = taken(&feed);
        assert_eq!(all.len(), CAPACITY + 1);
        assert_eq!(all[CAPACITY], (ChangeKind::Lost, Some(10)));
        feed.tell(b"a", ChangeKind::Removed, None, None);
        assert_eq!(taken(&feed), [(ChangeKind::Removed, None)]);
    }

    #[test]
    fn an_end_comes_after_the_last_change() {
        let feed = Arc::new(Feed::new("test", Pattern::new("*")));
        feed.tell(b"a", ChangeKind::Filled, None, None);
        feed.end();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(feed.poll_next(&mut cx), Poll::Ready(Some(_))));
        assert_eq!(feed.poll_next(&mut cx), Poll::Ready(None));
    }
}
