//! `Cache::watch`, on every store.
#![allow(missing_docs, clippy::unwrap_used)]

mod both_stores;
mod cluster;
mod redis_server;
