//! The handle: configuration, explicit operations, health and counters.

mod configuration;
mod current;
mod environment;
mod inspect;
mod many;
mod namespaces;
mod operations;
mod seen;
mod state;
mod strategies;
mod uncached;
