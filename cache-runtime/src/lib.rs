//! Caching for Rust services: one attribute on a read, one on a write, and the cache is right and fast.
#![doc = ""]

#[doc(hidden)]
pub mod __private;
mod background;
mod cache;
mod call;
mod clock;
mod entry;
mod error;
mod events;
mod flight;
mod key;
mod pattern;
mod read;
mod site;
mod stats;
mod store;
mod topology;
pub mod ttl;
mod value;
mod write;

pub use cache::{BlockingCache, Cache, CacheBuilder, Health};
#[cfg(feature = "macros")]
pub use cache_macros::{cacheable, invalidate};
pub use clock::Clock;
pub use error::CacheError;
pub use stats::{SiteStats, Stats};
pub use topology::{PatternAt, ReadNode, Topology, WriteNode, topology};
pub use value::{Settable, Storable};
