//! Waiting, as all modules here import it.

pub(crate) use tests::{until, until_well};
