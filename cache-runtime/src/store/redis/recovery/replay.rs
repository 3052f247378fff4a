//! Invalidations that the server lacks or may have lost, and that are replayed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pattern::Pattern;

/// Number of patterns that are kept. Beyond it, patterns are merged into wider ones: too much is
/// deleted then, and no invalidation is lost.
const MAX_PATTERNS: usize = 1_024;

/// Invalidations that were not sent, and those acknowledged within the replay window.
pub(crate) struct Replay {
    window: Duration,
    state: Mutex<ReplayState>,
}

#[derive(Default)]
struct ReplayState {
    /// Not sent yet, in order.
    pending: VecDeque<Queued>,
    /// Sent and acknowledged.
    recent: VecDeque<Acknowledged>,
    /// Number of invalidations queued so far.
    queued: u64,
    /// Number of queued invalidations sent so far.
    replayed: u64,
}

/// Invalidation that is to be sent. If the same pattern is queued again, perhaps while this one is
/// being sent, it is a separate invalidation: it must also remove what was filled in between.
#[derive(Clone)]
pub(crate) struct Queued {
    number: u64,
    pub(crate) pattern: Pattern,
}

struct Acknowledged {
    at: Instant,
    pattern: Pattern,
    /// Identity of the server that acknowledged it, if it is certain.
    server: Option<Arc<str>>,
}

impl Replay {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, ReplayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queue an invalidation that could not be sent. `open` opens the breaker, if it is closed, so
    /// that reads that begin later run the body until the invalidation is sent. Return the result
    /// of `open`.
    pub(crate) fn queue<T>(&self, pattern: &Pattern, open: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.push(pattern);
        open()
    }

    /// Note an invalidation that a server has acknowledged.
    pub(crate) fn acknowledged(&self, pattern: &Pattern, server: Option<&str>) {
        let at = Instant::now();
        let mut state = self.state();
        while state
            .recent
            .front()
            .is_some_and(|known| at.duration_since(known.at) > self.window)
        {
            state.recent.pop_front();
        }
        if state.recent.len() >= MAX_PATTERNS {
            let first = state.recent[0].server.clone();
            let of_one_server = state.recent.iter().all(|known| known.server == first);
            let patterns = widen(state.recent.drain(..).map(|known| known.pattern));
            // The merged patterns get the current time, since keeping them too long is better than
            // too short. They keep their server's identity; otherwise the return of the same server
            // would empty the cache.
            state.recent = patterns
                .into_iter()
                .map(|pattern| Acknowledged {
                    at,
                    pattern,
                    server: first.clone().filter(|_| of_one_server),
                })
                .collect();
        }
        // Most have the same server as the one before, so its identity is shared.
        let last = state.recent.back().and_then(|known| known.server.clone());
        let server = server.map(|id| {
            last.filter(|last| **last == *id)
                .unwrap_or_else(|| id.into())
        });
        state.recent.push_back(Acknowledged {
            at,
            pattern: pattern.clone(),
            server,
        });
    }

    /// Queue again what any other server acknowledged. This includes everything remembered: the
    /// window is counted from the newest, since an outage may be longer than the window.
    pub(crate) fn requeue(&self, server: &str) {
        let mut state = self.state();
        let forgotten: Vec<Pattern> = state
            .recent
            .iter()
            .filter(|known| known.server.as_deref() != Some(server))
            .map(|known| known.pattern.clone())
            .collect();
        for pattern in &forgotten {
            state.push(pattern);
        }
    }

    pub(crate) fn pending(&self) -> Vec<Queued> {
        self.state().pending.iter().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state().pending.is_empty()
    }

    /// Return how many invalidations are pending, and how many pending ones were sent so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.pending.len() as u64, state.replayed)
    }

    /// Note that a pending invalidation was sent.
    pub(crate) fn done(&self, sent: &Queued, server: &str) {
        let mut state = self.state();
        state.pending.retain(|queued| queued.number != sent.number);
        state.replayed += 1;
        drop(state);
        self.acknowledged(&sent.pattern, Some(server));
    }

    /// Run `close` if nothing is pending. Check and call are one step.
    pub(crate) fn run_if_empty(&self, close: impl FnOnce()) -> bool {
        let state = self.state();
        let empty = state.pending.is_empty();
        if empty {
            close();
        }
        empty
    }
}

impl ReplayState {
    fn push(&mut self, pattern: &Pattern) {
        if self.pending.len() >= MAX_PATTERNS {
            let patterns = widen(self.pending.drain(..).map(|queued| queued.pattern));
            patterns
                .into_iter()
                .for_each(|pattern| self.append(pattern));
        }
        let everything = self
            .pending
            .iter()
            .find(|queued| queued.pattern.text() == "*")
            .map(|queued| queued.pattern.clone());
        let pattern = everything.unwrap_or_else(|| pattern.clone());
        self.pending
            .retain(|queued| queued.pattern.text() != pattern.text());
        self.append(pattern);
    }

    fn append(&mut self, pattern: Pattern) {
        self.queued += 1;
        self.pending.push_back(Queued {
            number: self.queued,
            pattern,
        });
    }
}

/// Merge patterns with the same first segment into one that covers them all. If that isn't enough,
/// merge all into `*`.
fn widen(patterns: impl Iterator<Item = Pattern>) -> Vec<Pattern> {
    let mut wider: Vec<String> = patterns.map(|pattern| pattern.whole_segment()).collect();
    wider.sort_unstable();
    wider.dedup();
    if wider.len() > MAX_PATTERNS / 2 || wider.iter().any(|text| text == "*") {
        wider = vec!["*".to_owned()];
    }
    wider.into_iter().map(Pattern::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay() -> Replay {
        Replay::new(Duration::from_secs(10))
    }

    fn texts(replay: &Replay) -> Vec<String> {
        replay
            .pending()
            .iter()
            .map(|queued| queued.pattern.text().to_owned())
            .collect()
    }

    #[test]
    fn a_full_queue_is_replaced_by_wider_patterns() {
        let replay = replay();
        for id in 0..3 * MAX_PATTERNS {
            let text = format!("{}:{id}", if id % 2 == 0 { "posts" } else { "users" });
            replay.queue(&Pattern::new(text), || {});
        }
        let pending = replay.pending();
        assert!(pending.len() <= MAX_PATTERNS + 2, "{}", pending.len());
        for id in 0..3 * MAX_PATTERNS {
            let key = format!("{}:{id}", if id % 2 == 0 { "posts" } else { "users" });
            assert!(
                pending
                    .iter()
                    .any(|queued| queued.pattern.matches(key.as_bytes())),
                "{key}"
            );
        }
    }

    #[test]
    fn too_many_first_segments_become_a_pattern_for_all_keys() {
        let replay = replay();
        for id in 0..3 * MAX_PATTERNS {
            replay.queue(&Pattern::new(format!("user-{id}:*")), || {});
        }
        assert!(texts(&replay).contains(&"*".to_owned()));
    }

    #[test]
    fn acknowledged_invalidations_are_replayed_to_another_server_only() {
        let replay = replay();
        replay.acknowledged(&Pattern::new("posts:1"), Some("a"));
        replay.acknowledged(&Pattern::new("posts:2"), None);
        replay.requeue("a");
        assert_eq!(texts(&replay), ["posts:2"], "nobody knows who has that");
        replay.requeue("b");
        assert_eq!(texts(&replay), ["posts:1", "posts:2"]);
        assert!(!replay.run_if_empty(|| unreachable!("two invalidations are pending")));
        for queued in replay.pending() {
            replay.done(&queued, "b");
        }
        assert!(replay.run_if_empty(|| {}));
        replay.requeue("b");
        assert_eq!(
            texts(&replay).len(),
            2,
            "of what `a` acknowledged, `b` was told, and is told again"
        );
    }
    #[test]
    fn an_invalidation_queued_during_its_own_replay_is_sent_again() {
        for text in ["posts:1", "*"] {
            let replay = replay();
            replay.queue(&Pattern::new(text), || {});
            let on_its_way = replay.pending();
            replay.queue(&Pattern::new("posts:1"), || {});
            replay.done(&on_its_way[0], "a");
            assert_eq!(texts(&replay), [text]);
        }
    }

    #[test]
    fn an_outage_longer_than_the_window_drops_no_invalidation() {
        let replay = Replay::new(Duration::ZERO);
        replay.acknowledged(&Pattern::new("posts:1"), Some("a"));
        std::thread::yield_now();
        replay.requeue("b");
        assert_eq!(texts(&replay), ["posts:1"]);
    }

    #[test]
    fn many_acknowledged_invalidations_are_not_replayed_to_the_same_server() {
        let replay = replay();
        for id in 0..3 * MAX_PATTERNS {
            replay.acknowledged(&Pattern::new(format!("user-{id}:*")), Some("a"));
        }
        replay.requeue("a");
        assert_eq!(texts(&replay), Vec::<String>::new());
        replay.requeue("b");
        assert!(texts(&replay).contains(&"*".to_owned()));
    }
}
