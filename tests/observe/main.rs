//! The counters of a cache for metrics systems, and of all processes on one Redis.
#![allow(missing_docs, clippy::unwrap_used)]

mod adapters;
mod dashboards;
mod fleet;
mod shapes;
mod text;
