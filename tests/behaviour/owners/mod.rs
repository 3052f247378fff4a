//! `owner = ..`: whose entry it is.

mod capacity;
mod invalidation;
mod stats;
