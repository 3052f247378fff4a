//! What happens when the server fails, and when it is back.

pub(crate) mod breaker;
pub(crate) mod outage;
mod reconnect;
pub(crate) mod replay;
