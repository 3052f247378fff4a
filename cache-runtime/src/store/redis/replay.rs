//! Invalidations that the server doesn't know, or may have forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pattern::Pattern;

/// How many patterns are kept. More are merged into wider ones: too much is deleted then, and nothing is lost.
const MOST: usize = 1_024;

/// The queue of one process.
pub(super) struct Replay {
    window: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Not sent yet, in order.
    pending: VecDeque<Pattern>,
    /// Sent and acknowledged.
    recent: VecDeque<Acknowledged>,
}

struct Acknowledged {
    at: Instant,
    pattern: Pattern,
    /// The `run_id` of the server that acknowledged it, where that is certain.
    server: Option<Arc<str>>,
}

impl Replay {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an invalidation that could not be sent. `open` opens the breaker, if it isn't: reads that begin
    /// after this run the body until it is sent.
    pub(super) fn queue(&self, pattern: &Pattern, open: impl FnOnce()) {
        let mut state = self.state();
        push(&mut state.pending, pattern);
        open();
    }

    /// Notes an invalidation that a server has acknowledged.
    pub(super) fn acknowledged(&self, pattern: &Pattern, server: Option<&str>) {
        let at = Instant::now();
        let mut state = self.state();
        while state
            .recent
            .front()
            .is_some_and(|known| at.duration_since(known.at) > self.window)
        {
            state.recent.pop_front();
        }
        if state.recent.len() >= MOST {
            let mut patterns: VecDeque<Pattern> =
                state.recent.drain(..).map(|known| known.pattern).collect();
            widen(&mut patterns);
            // As if they were new, and of no certain server: kept too long rather than too short.
            state.recent = patterns
                .into_iter()
                .map(|pattern| Acknowledged {
                    at,
                    pattern,
                    server: None,
                })
                .collect();
        }
        // Most are of the server of the one before.
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

    /// Queues once more what another server than this one acknowledged within the window.
    pub(super) fn recall(&self, server: &str) {
        let mut state = self.state();
        let State { pending, recent } = &mut *state;
        for known in recent.iter() {
            if known.at.elapsed() <= self.window && known.server.as_deref() != Some(server) {
                push(pending, &known.pattern);
            }
        }
    }

    pub(super) fn pending(&self) -> Vec<Pattern> {
        self.state().pending.iter().cloned().collect()
    }

    /// Notes that a pending invalidation was sent.
    pub(super) fn done(&self, sent: &Pattern, server: &str) {
        self.state()
            .pending
            .retain(|pattern| pattern.text() != sent.text());
        self.acknowledged(sent, Some(server));
    }

    /// Runs `close` if nothing is pending, in one step with that look.
    pub(super) fn close_if_empty(&self, close: impl FnOnce()) -> bool {
        let state = self.state();
        let empty = state.pending.is_empty();
        if empty {
            close();
        }
        empty
    }
}

fn push(queue: &mut VecDeque<Pattern>, pattern: &Pattern) {
    if queue.iter().any(|known| known.text() == pattern.text()) {
        return;
    }
    if queue.len() >= MOST {
        widen(queue);
    }
    if !queue.iter().any(|known| known.text() == "*") {
        queue.push_back(pattern.clone());
    }
}

/// Merges patterns of one first segment into one that covers them all; and all into `*`, if that isn't enough.
fn widen(queue: &mut VecDeque<Pattern>) {
    let mut wider: Vec<String> = queue.iter().map(Pattern::whole_segment).collect();
    wider.sort_unstable();
    wider.dedup();
    if wider.len() > MOST / 2 || wider.iter().any(|text| text == "*") {
        wider = vec!["*".to_owned()];
    }
    *queue = wider.into_iter().map(Pattern::new).collect();
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
            .map(|pattern| pattern.text().to_owned())
            .collect()
    }

    #[test]
    fn a_full_queue_is_widened_and_loses_nothing() {
        let replay = replay();
        for id in 0..3 * MOST {
            let text = format!("{}:{id}", if id % 2 == 0 { "posts" } else { "users" });
            replay.queue(&Pattern::new(text), || {});
        }
        let pending = replay.pending();
        assert!(pending.len() <= MOST + 2, "{}", pending.len());
        for id in 0..3 * MOST {
            let key = format!("{}:{id}", if id % 2 == 0 { "posts" } else { "users" });
            assert!(
                pending
                    .iter()
                    .any(|pattern| pattern.matches(key.as_bytes())),
                "{key}"
            );
        }
    }

    #[test]
    fn too_many_first_segments_become_everything() {
        let replay = replay();
        for id in 0..3 * MOST {
            replay.queue(&Pattern::new(format!("user-{id}:*")), || {});
        }
        assert!(texts(&replay).contains(&"*".to_owned()));
    }

    #[test]
    fn the_window_is_sent_again_to_another_server_only() {
        let replay = replay();
        replay.acknowledged(&Pattern::new("posts:1"), Some("a"));
        replay.acknowledged(&Pattern::new("posts:2"), None);
        replay.recall("a");
        assert_eq!(texts(&replay), ["posts:2"], "nobody knows who has that");
        replay.recall("b");
        assert_eq!(texts(&replay), ["posts:2", "posts:1"]);
        assert!(!replay.close_if_empty(|| unreachable!("two are pending")));
        replay.done(&Pattern::new("posts:1"), "b");
        replay.done(&Pattern::new("posts:2"), "b");
        assert!(replay.close_if_empty(|| {}));
        replay.recall("b");
        assert_eq!(
            texts(&replay).len(),
            2,
            "of what `a` acknowledged, `b` was told, and is told again"
        );
    }
}
