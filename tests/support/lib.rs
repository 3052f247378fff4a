//! What the tests share: real Redis servers, caches on both stores, and captured events.

mod events;
mod redis_server;
mod stores;

pub use events::{Event, events_of};
pub use redis_server::RedisServer;
pub use stores::{Stores, on_both_stores};
