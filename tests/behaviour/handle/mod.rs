//! The handle: configuration, explicit operations, what it tells of its cache.

mod configuration;
mod current;
mod environment;
mod many;
mod operations;
mod seen;
mod state;
