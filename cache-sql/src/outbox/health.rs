//! Whether rows can be written.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failure::Failure;

/// How long the outbox is left alone if its table is missing.
const PAUSE: Duration = Duration::from_secs(60);

/// The state of the outbox, as the writes of one `Db` have found it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_warned: bool,
    paused_until: Option<Instant>,
}

impl Health {
    /// Whether to write a row. A table that was missing may have been created since.
    pub(crate) fn is_writable(&self) -> bool {
        let state = self.lock();
        state.paused_until.is_none_or(|end| end <= Instant::now())
    }

    /// Note that the table exists.
    pub(crate) fn written(&self) {
        let mut state = self.lock();
        state.is_warned = false;
        state.paused_until = None;
    }

    /// Note that the row of a transaction wasn't written. Warn the first time.
    pub(crate) fn failed(&self, failure: Failure, error: &dyn Display) {
        let mut state = self.lock();
        if failure == Failure::Missing {
            state.paused_until = Some(Instant::now() + PAUSE);
        }
        if std::mem::replace(&mut state.is_warned, true) {
            return;
        }
        drop(state);
        let reason = match failure {
            Failure::Missing => {
                "the table `cache_outbox` doesn't exist; create it with `Db::create_outbox`, or \
                 with a migration that has the text of `cache_sql::schema`"
            }
            Failure::Refused => {
                "the database refuses the row; the role needs SELECT, INSERT, UPDATE and DELETE on \
                 `cache_outbox`"
            }
        };
        tracing::warn!(
            target: "cache", op = "outbox", %error,
            "[Cache] OUTBOX: writes continue without it: {reason}: {error}; a process that dies \
             between COMMIT and its invalidation leaves stale entries until their TTL ends"
        );
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
