//! Recovery from failures of the server: breaker, probe, reconnect and replay.

pub(crate) mod breaker;
pub(crate) mod outage;
mod reconnect;
pub(crate) mod replay;
