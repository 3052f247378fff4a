//! Behaviour of the attributes and the handle, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod attributes;
mod audit;
mod common;
mod flights;
mod handle;
mod keys;
mod owners;
mod staleness;
mod values;
mod warming;
mod write_through;
mod writes;
