use std::thread::{self, ThreadId};

use tokio::runtime::Handle;

/// What polls a future, as far as it can be told. Combinators such as `FuturesUnordered` give each of their
/// futures a waker of its own, so equal wakers aren't all that one task has.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Task {
    /// A task of tokio's.
    Spawned(tokio::task::Id),
    /// The future that this thread gave to a runtime's `block_on`.
    Root(ThreadId),
    /// Another executor's.
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

    /// Whether both are known to be one task.
    pub(super) fn is(self, other: Self) -> bool {
        self == other && self != Self::Unknown
    }
}
