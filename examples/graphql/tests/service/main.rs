//! The service over real HTTP, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod demo;
mod errors;
mod harness;
mod lifetimes;
mod mutations;
mod people;
mod schema;
mod viewers;
