//! `#[invalidate]`: what it removes, when, and what holds if the write fails.

mod outcomes;
mod patterns;
mod responses;
mod unknown_outcome;
mod unsendable_errors;
