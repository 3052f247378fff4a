//! Which functions can have the attributes, and what their options do.

mod companions;
mod debug;
mod each;
mod functions;
mod options;
mod ttl;
