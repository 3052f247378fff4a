//! What the attributes and the handle do, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod reads;
