//! What the tests share: real Redis servers, caches on both stores, and captured events.

/// The README's examples, which must run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The examples of what it says of Redis.
#[cfg(doctest)]
#[doc = include_str!("../../docs/redis.md")]
pub struct Redis;

/// The examples of what it says of the near store.
#[cfg(doctest)]
#[doc = include_str!("../../docs/near.md")]
pub struct Near;

/// The examples of what it says of a cluster.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cluster.md")]
pub struct Cluster;

/// The examples of what it says of keys.
#[cfg(doctest)]
#[doc = include_str!("../../docs/keys.md")]
pub struct Keys;

mod authority;
mod events;
mod fake_sentinel;
mod proxy;
mod redis_cluster;
mod redis_server;
mod sentinel;
mod stores;

pub use authority::{Authority, Identity};
pub use events::{Event, events_of};
pub use fake_sentinel::FakeSentinel;
pub use proxy::{Fault, Proxy};
pub use redis_cluster::RedisCluster;
pub use redis_server::RedisServer;
pub use sentinel::Sentinels;
pub use stores::{PATIENCE, Stores, on_both_stores, on_both_stores_with};
