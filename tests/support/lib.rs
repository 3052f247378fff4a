//! Helpers that tests share: real Redis servers, caches on both stores, and captured events.

/// The README's examples, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The examples of the page for developers who come from Python, some of which need `cache-http`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/coming-from-python.md")]
pub struct ComingFromPython;

/// The examples of the operations pages.
#[cfg(doctest)]
pub mod operations {
    #[doc = include_str!("../../docs/operations/admin.md")]
    pub struct Admin;
    #[doc = include_str!("../../docs/operations/redis.md")]
    pub struct Redis;
    #[doc = include_str!("../../docs/operations/sentinel.md")]
    pub struct Sentinel;
    #[doc = include_str!("../../docs/operations/cluster.md")]
    pub struct Cluster;
    #[doc = include_str!("../../docs/operations/tls.md")]
    pub struct Tls;
}

/// The examples of the attributes' documentation.
#[cfg(doctest)]
pub mod attributes {
    #[doc = include_str!("../../cache-macros/src/docs/cacheable.md")]
    pub struct Cacheable;
    #[doc = include_str!("../../cache-macros/src/docs/invalidate.md")]
    pub struct Invalidate;
    #[doc = include_str!("../../cache-macros/src/docs/cache_key.md")]
    pub struct CacheKey;
    #[doc = include_str!("../../cache-macros/src/docs/cache_model.md")]
    pub struct CacheModel;
    #[doc = include_str!("../../cache-macros/src/docs/write_through.md")]
    pub struct WriteThrough;
    #[doc = include_str!("../../cache-macros/src/docs/warmer.md")]
    pub struct Warmer;
}

mod acl;
mod authority;
mod chaos;
mod database;
mod events;
mod fake_sentinel;
mod gate;
pub mod http;
mod idle;
mod monitor;
mod operator_log;
mod prometheus;
mod proxy;
mod redis_cluster;
mod redis_server;
mod runs;
mod sentinel;
mod stores;
mod turnstile;
mod waiting;

pub use acl::{documented_users, refused_to, run_words};
pub use authority::{Authority, Identity};
pub use chaos::{Chaos, ChaosTasks};
pub use database::{Database, patient_connection};
pub use events::{Event, events_of};
pub use fake_sentinel::FakeSentinel;
pub use gate::{Gate, all, begin, begin_to_wait};
pub use monitor::{Monitored, monitored, sent_during, sent_for};
pub use operator_log::{keep_operator_log, operator_log};
pub use prometheus::Exposition;
pub use proxy::{Fault, Proxy};
pub use redis_cluster::RedisCluster;
pub use redis_server::RedisServer;
pub use runs::Runs;
pub use sentinel::Sentinels;
pub use stores::{PATIENCE, Stores, on_both_stores, on_both_stores_with};
pub use turnstile::Turnstile;
pub use waiting::{soon, until, until_blocking, until_well};
