//! Real processes on one Redis. The workers are a program of their own, in `worker/`.
#![allow(missing_docs, clippy::unwrap_used)]

mod detached;
mod herd;
mod near;
mod refresh;
mod sizes;
mod start;
mod stress;
