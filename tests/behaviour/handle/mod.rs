//! The handle: configuration, explicit operations, health and counters.

mod configuration;
mod current;
mod environment;
mod many;
mod operations;
mod seen;
mod state;
mod uncached;
