//! The outbox: a table of invalidations that are written in the same transaction as the change.
//!
//! The process that commits also invalidates, and deletes its row afterwards. A row that is left,
//! since its process died in between or couldn't reach Redis, is taken by a relay.
//!
//! Invalidations are idempotent and commute. So a relay needs no cursor, the rows need no order, and
//! a row that is taken twice does no harm. There are no dead letters: a row is deleted after its
//! invalidation has succeeded, and not before.

mod cleaner;
mod failure;
mod health;
mod patterns;
mod schema;
#[cfg(feature = "_sqlx")]
mod sqlx;
mod statements;
mod store;

#[cfg(feature = "_sqlx")]
pub use self::sqlx::OutboxDatabase;
pub use schema::schema;

pub(crate) use cleaner::Cleaner;
pub(crate) use failure::Failure;
pub(crate) use health::Health;
pub(crate) use patterns::{join, split};
pub(crate) use statements::{
    BATCH, INSERT, count, delete, insert_guarded, look, take, undo_insert,
};
pub(crate) use store::{Row, Store};

/// How old a row is before a relay takes it: 2 seconds. The process that wrote it has usually
/// deleted it by then.
pub(crate) const DELAY: std::time::Duration = std::time::Duration::from_secs(2);
