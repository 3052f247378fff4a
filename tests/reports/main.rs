//! Situations that users of other caches and of Redis clients have reported, tried on this one. The
//! line above each test names the kind of report.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
mod flights;
mod functions;
mod futures;
mod handle;
mod keys;
mod leaks;
mod lifetimes;
mod panics;
mod redis_server;
mod values;
mod writes;
