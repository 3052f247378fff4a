//! How long Redis takes, by the kind of operation.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::error::CacheError;
use crate::stats::histogram::Histogram;

/// Kind of an operation, as its caller sees it: with the switch to the cache's thread, and with a
/// new connection where one is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// Reads of entries.
    Get,
    /// Taking a lease or a claim.
    Lease,
    /// Filling a lease.
    Fill,
    /// Storing values without a computation.
    Set,
    /// Invalidating patterns and keys.
    Invalidate,
    // The last one: `OPERATIONS` is derived from it.
    /// The remaining TTL, a key's removal, the server's figures.
    Other,
}
const OPERATIONS: usize = Operation::Other as usize + 1;

const ALL: [(Operation, &str); OPERATIONS] = [
    (Operation::Get, "get"),
    (Operation::Lease, "lease"),
    (Operation::Fill, "fill"),
    (Operation::Set, "set"),
    (Operation::Invalidate, "invalidate"),
    (Operation::Other, "other"),
];

/// The durations of all operations.
#[derive(Debug, Default)]
pub(crate) struct Times([Histogram; OPERATIONS]);

impl Times {
    /// Record how long an operation takes, whether or not it succeeds. One that the breaker refuses
    /// asks nobody, and isn't recorded.
    pub(crate) async fn of<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, CacheError>>,
    ) -> Result<T, CacheError> {
        let begun = Instant::now();
        let outcome = work.await;
        if !matches!(outcome, Err(CacheError::Unavailable { .. })) {
            self.record(operation, begun.elapsed());
        }
        outcome
    }

    /// Record how long an operation took.
    pub(crate) fn record(&self, operation: Operation, took: Duration) {
        self.0[operation as usize].record(took);
    }

    /// Return the durations of each operation, with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Histogram)> {
        ALL.iter()
            .map(|(operation, name)| (*name, &self.0[*operation as usize]))
    }
}
