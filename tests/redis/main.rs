//! What only a real Redis shows.
#![allow(missing_docs, clippy::unwrap_used)]

mod faults;
mod globs;
mod index;
mod leases;
mod matrix;
mod neighbours;
mod replay;
