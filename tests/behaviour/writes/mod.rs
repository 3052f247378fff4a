//! `#[invalidate]`: which entries it removes, when, and what happens if the write fails.

mod outcomes;
mod patterns;
mod unknown_outcome;
mod unsendable_errors;
