//! Write-through: storing what a write has persisted.
//!
//! The writer takes the key's lease before its body runs, and fills by the lease's token. Whatever
//! came in between has taken the lease away: the key is then invalidated instead. The protocol is
//! in `docs/internals/protocol.md`.

mod future;
mod plan;
mod run;
mod writing;

pub(crate) use future::WriteThroughFuture;
pub use plan::{WriteThrough, begin_write_through, begin_write_through_in};
pub(crate) use run::{ByValue, by_value, run_blocking};
pub use run::{write_through_async, write_through_sync};
