//! `cache-http` around handlers of axum, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

mod answers;
mod bodies;
mod keys;
mod private;
mod refresh;
mod support;
mod users;
mod writes;
