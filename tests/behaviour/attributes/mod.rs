//! Which functions carry the attributes, and what their options mean.

mod companions;
mod debug;
mod each;
mod functions;
mod options;
mod ttl;
