//! The handle's explicit operations, for code without an attribute.

mod blocking;
mod bulk;
mod get_or_set;
mod health;
mod many;
mod ops;
mod read;
mod store_stats;
mod traced;

pub use blocking::BlockingCache;
pub use bulk::KeyAndValue;
pub use health::Health;
pub use read::{Fill, Found, Freshness, ReadBuilder, Reading};
pub use store_stats::StoreStats;
