//! `cache-http` around handlers of axum, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

use tests::http as support;

mod admin;
mod answers;
mod bodies;
mod browser;
mod compression;
mod cost;
mod etag_by;
mod fields;
mod handlers;
mod keys;
mod private;
mod random;
mod refresh;
mod routers;
mod sharing;
mod sockets;
mod streams;
mod targets;
mod users;
mod validation;
mod writes;
