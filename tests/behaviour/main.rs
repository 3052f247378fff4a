//! What the attributes and the handle do, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
mod key_names;
mod key_variants;
mod keys;
mod misread;
mod returns;
mod serde_shapes;
