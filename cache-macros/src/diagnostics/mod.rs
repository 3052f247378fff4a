//! How mistakes are collected and told.

pub(crate) mod errors;
pub(crate) mod nearest;
