//! Real processes on one Redis: this binary starts itself again as its own workers.
#![allow(missing_docs, clippy::unwrap_used)]

mod database;
mod detached;
mod herd;
mod near;
mod refresh;
mod stress;
mod worker;
