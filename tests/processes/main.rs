//! Real processes on one Redis. The workers are a program of their own, in `worker/`.
#![allow(missing_docs, clippy::unwrap_used)]

mod detached;
mod fleet;
mod herd;
mod http;
mod near;
mod refresh;
mod sizes;
mod start;
mod stress;
mod warming;
mod write_through;
