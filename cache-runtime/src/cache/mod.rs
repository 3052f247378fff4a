//! The handle's explicit operations, for code without an attribute.

mod blocking;
mod bulk;
mod get_or_set;
mod health;
mod many;
mod ops;

pub use blocking::BlockingCache;
pub use bulk::KeyAndValue;
pub use health::Health;
