//! Stale-while-revalidate, stale-if-error, early refresh and jitter.

mod background;
mod claims;
mod early;
mod failed_refreshes;
mod invalidated;
mod jitter;
mod refreshers;
mod stale;
mod stale_if_error;
pub(crate) mod support;
