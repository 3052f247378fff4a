//! Which task polls a future, as far as it can be identified.

use std::thread::{self, ThreadId};

use tokio::runtime::Handle;

/// The task that polls a future, as far as it can be identified. Combinators such as
/// `FuturesUnordered` give each of their futures its own waker, so one task can have several
/// wakers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// A task spawned on tokio.
    Spawned(tokio::task::Id),
    /// The future that this thread passed to a runtime's `block_on`.
    Root(ThreadId),
    /// A task of another executor.
    Unknown,
}

impl Task {
    pub(super) fn current() -> Self {
        match tokio::task::try_id() {
            Some(id) => Self::Spawned(id),
            None if Handle::try_current().is_ok() => Self::Root(thread::current().id()),
            None => Self::Unknown,
        }
    }

    /// Return whether both are known to be the same task.
    pub(super) fn is(self, other: Self) -> bool {
        self == other && self != Self::Unknown
    }
}
