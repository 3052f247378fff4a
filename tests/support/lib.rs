//! What the tests share: real Redis servers, caches on both stores, and captured events.

/// The README's examples, which must run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

mod events;
mod proxy;
mod redis_cluster;
mod redis_server;
mod stores;

pub use events::{Event, events_of};
pub use proxy::{Fault, Proxy};
pub use redis_cluster::RedisCluster;
pub use redis_server::RedisServer;
pub use stores::{PATIENCE, Stores, on_both_stores};
