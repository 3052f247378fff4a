//! Connections: how they are opened, kept and checked.

pub(crate) mod capabilities;
#[cfg(feature = "tls")]
pub(crate) mod certificates;
pub(crate) mod connection;
pub(crate) mod endpoint;
pub(crate) mod manager;
pub(crate) mod per_runtime;
#[cfg(feature = "sentinel")]
pub(crate) mod sentinel;
pub(crate) mod server_error;
pub(crate) mod tls;
