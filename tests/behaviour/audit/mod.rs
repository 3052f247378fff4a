//! `audit`: cached values are compared with recomputed ones, in the background.

mod bounds;
mod functions;
mod load;
mod results;
mod support;
