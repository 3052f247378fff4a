//! `audit`: comparing a cached value with the one that the body returns now.
//!
//! For a part of the hits the body runs once more, in the background. If its value differs from the
//! entry's, either a write is under way or some change has passed the cache. A write that is under
//! way removes the entry soon, so the entry is looked at again after one second and after
//! ten (`examine`): if it is still the same and the body still returns another value, and the same one
//! twice, it is stale.
//!
//! An audit never fills, never holds a claim or a lease, and runs its body within
//! [`Cache::uncached`](crate::Cache::uncached), so functions that the body calls are computed too. No
//! caller waits for it: [`begin_audited`] draws which calls are audited, [`audited`] looks for the
//! entry of a call that is drawn, or lets the path of a miss find it in Redis and
//! note it (`ticket`), and begins the audit when it has the caller's value.

mod around;
mod begin;
mod compare;
mod examine;
mod ticket;
mod unordered;

pub use around::{AuditedArgument, argument, audited, audited_sync};
pub use begin::begin_audited;
pub(crate) use ticket::Ticket;
