//! The handle: configuration, explicit operations, health and counters.

mod configuration;
mod current;
mod environment;
mod operations;
mod state;
