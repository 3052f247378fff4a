//! Which functions can have the attributes, and what their options do.

mod companions;
mod context;
mod debug;
mod each;
mod functions;
mod options;
mod preset_families;
mod ttl;
