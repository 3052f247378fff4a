//! Behaviour of the attributes and the handle, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod attributes;
mod common;
mod flights;
mod handle;
mod keys;
mod staleness;
mod values;
mod writes;
