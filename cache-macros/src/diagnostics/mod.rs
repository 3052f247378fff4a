//! Collecting and wording errors.

pub(crate) mod errors;
pub(crate) mod nearest;
