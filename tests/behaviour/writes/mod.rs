//! `#[invalidate]`: which entries it removes, when, and what happens if the write fails.

mod outcomes;
mod patterns;
mod per_item;
mod responses;
mod transactions;
mod unknown_outcome;
mod unsendable_errors;
